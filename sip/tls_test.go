package sip_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/naptr"
	"github.com/callgw/callgw/sip/sdp"
)

// authority signs certificates into files.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	ca   string // its own file
	n    int64
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir(), n: 1}
	a.key = a.newKey()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.ca = filepath.Join(a.dir, "ca.pem")
	a.write(a.ca, "CERTIFICATE", der)
	return a
}

func (a *authority) newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return key
}

func (a *authority) write(file, kind string, der []byte) {
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// sign writes a certificate for a host name and 127.0.0.1, and its key, to files of
// that name.
func (a *authority) sign(name, host string, tweak ...func(*x509.Certificate)) sip.TLS {
	a.t.Helper()
	a.n++
	key := a.newKey()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.n), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, f := range tweak {
		f(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	files := sip.TLS{Cert: filepath.Join(a.dir, name+".pem"), Key: filepath.Join(a.dir, name+".key"), CA: a.ca}
	a.write(files.Cert, "CERTIFICATE", der)
	a.write(files.Key, "EC PRIVATE KEY", private)
	return files
}

// here is a resolver for which every host is this machine.
type here struct{}

func (here) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

func (here) LookupNAPTR(context.Context, string) ([]naptr.Record, error) { return nil, nil }

func (here) LookupSRV(_ context.Context, _, _, name string) (string, []*net.SRV, error) {
	return "", nil, noSuch(name)
}

// overTLS makes a server listen with a certificate.
func overTLS(files sip.TLS) func(*sip.Config) {
	return func(cfg *sip.Config) {
		cfg.Listen = []sip.Listen{{Network: "tls", Addr: "127.0.0.1:0"}, {Network: "tcp", Addr: "127.0.0.1:0"}}
		cfg.TLS = files
		cfg.Resolver = here{}
	}
}

// local is a trunk of this machine's addresses.
func local(tweak func(*sip.Trunk)) func(*sip.Config) {
	return func(cfg *sip.Config) {
		t := sip.Trunk{Name: "local", From: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
		tweak(&t)
		cfg.Trunks = []sip.Trunk{t}
	}
}

func port(addr net.Addr) string {
	_, p, _ := net.SplitHostPort(addr.String())
	return p
}

func TestCallOverTLS(t *testing.T) {
	a := newAuthority(t)
	required := local(func(t *sip.Trunk) { t.SRTP = sdp.SRTPRequired })
	calls, ended := make(chan string, 1), make(chan error, 1)
	far := loopback(t, func(ctx context.Context, c *sip.Call) {
		calls <- c.Header("Contact")[0]
		answerAll(ended)(ctx, c)
	}, overTLS(a.sign("far", "far.example")), required)
	near := loopback(t, answerAll(nil), overTLS(a.sign("near", "near.example")), required)
	if got := far.Addrs()[0].Network(); got != "tls" {
		t.Errorf("it listens on %s", got)
	}
	c, err := near.Dial(t.Context(), sip.Dial{Trunk: "local", To: "sips:bob@far.example:" + port(far.Addrs()[0])})
	if err != nil {
		t.Fatal(err)
	}
	if contact := <-calls; !strings.HasPrefix(contact, "<sips:") {
		t.Errorf("Contact: %s", contact) // RFC 3261 §8.1.1.8
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, silence{}, silence{}) }()
	cancel(media.AgentHungUp)
	<-done
	if err := <-ended; media.CauseOf(err) != media.CallerHungUp {
		t.Errorf("the other side: %v", err)
	}
}

func TestSRTPRequiredIsNeverInTheClear(t *testing.T) {
	a := newAuthority(t)
	plain := local(func(*sip.Trunk) {})
	required := local(func(t *sip.Trunk) { t.SRTP = sdp.SRTPRequired })
	for name, c := range map[string]struct{ near, far func(*sip.Config) }{
		"their offer": {plain, required}, "their answer": {required, plain},
	} {
		far := loopback(t, answerAll(nil), overTLS(a.sign("far", "far.example")), c.far)
		near := loopback(t, answerAll(nil), overTLS(a.sign("near", "near.example")), c.near)
		_, err := near.Dial(t.Context(), sip.Dial{Trunk: "local", To: "sips:bob@far.example:" + port(far.Addrs()[0])})
		if media.CauseOf(err) != media.NotAcceptable {
			t.Errorf("%s: Dial() = %v", name, err)
		}
	}
}

func TestServersThatCannotBeTrusted(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	near := loopback(t, answerAll(nil), overTLS(a.sign("near", "near.example")))
	for name, c := range map[string]struct {
		files sip.TLS
		want  string
	}{
		"another name":      {a.sign("else", "else.example"), "not far.example"},
		"another authority": {other.sign("far", "far.example"), "unknown authority"},
		"expired": {a.sign("old", "far.example", func(c *x509.Certificate) {
			c.NotAfter = time.Now().Add(-time.Minute)
		}), "expired"},
	} {
		far := loopback(t, answerAll(nil), overTLS(c.files))
		_, err := near.Dial(t.Context(), sip.Dial{To: "sips:bob@far.example:" + port(far.Addrs()[0])})
		if err == nil || media.CauseOf(err) != media.LegFailed || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Dial() = %v", name, err)
		}
	}
}

func TestTrunkWithItsOwnAuthority(t *testing.T) {
	a, partner := newAuthority(t), newAuthority(t)
	far := loopback(t, answerAll(nil), overTLS(partner.sign("far", "far.example")))
	uri := "sip:far.example:" + port(far.Addrs()[0]) + ";transport=tls"
	near := loopback(t, answerAll(nil), overTLS(a.sign("near", "near.example")), func(cfg *sip.Config) {
		cfg.Trunks = []sip.Trunk{{Name: "partner", Server: uri, CA: partner.ca}}
	})
	c, err := near.Dial(t.Context(), sip.Dial{Trunk: "partner", To: "+14155550100"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Hangup(t.Context(), media.AgentHungUp); err != nil {
		t.Error(err)
	}
}

func TestClientCertificates(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	far := loopback(t, answerAll(nil), overTLS(a.sign("far", "far.example")), local(func(t *sip.Trunk) {
		t.CA, t.ClientCert = a.ca, true
	}))
	good := a.sign("near", "near.example")
	forged := other.sign("near", "near.example")
	forged.CA = a.ca
	for name, c := range map[string]struct {
		files  sip.TLS
		to     string
		status int // 200: the call is taken; 0: there is no connection
	}{
		"its own":           {good, "sips:bob@far.example:" + port(far.Addrs()[0]), 200},
		"without TLS":       {good, "sip:bob@127.0.0.1:" + port(far.Addrs()[1]) + ";transport=tcp", 403},
		"another authority": {forged, "sips:bob@far.example:" + port(far.Addrs()[0]), 0},
	} {
		near := loopback(t, answerAll(nil), overTLS(c.files))
		call, err := near.Dial(t.Context(), sip.Dial{To: c.to})
		switch c.status {
		case 200:
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if err := call.Hangup(t.Context(), media.AgentHungUp); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case 0:
			if err == nil {
				t.Errorf("%s: taken", name)
			}
		default:
			if err == nil || !strings.Contains(err.Error(), fmt.Sprint("sip: ", c.status)) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// serial returns that of the certificate that a server shows.
func serial(t *testing.T, s *sip.Server) int64 {
	t.Helper()
	c, err := tls.Dial("tcp", s.Addrs()[0].String(), &tls.Config{InsecureSkipVerify: true}) // the test only looks
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func TestCertificatesAreRenewed(t *testing.T) {
	a := newAuthority(t)
	ended := make(chan error, 1)
	files := a.sign("far", "far.example")
	far := loopback(t, answerAll(ended), overTLS(files))
	near := loopback(t, answerAll(nil), overTLS(a.sign("near", "near.example")))
	c, err := near.Dial(t.Context(), sip.Dial{To: "sips:bob@far.example:" + port(far.Addrs()[0])})
	if err != nil {
		t.Fatal(err)
	}
	before := serial(t, far)
	a.sign("far", "far.example")
	if got := serial(t, far); got != before {
		t.Error("renewed before it was read")
	}
	if err := far.ReloadCertificates(); err != nil {
		t.Fatal(err)
	}
	after := serial(t, far)
	if after == before {
		t.Error("not renewed")
	}
	if err := os.WriteFile(files.Cert, []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := far.ReloadCertificates(); err == nil {
		t.Error("a broken certificate is no error")
	}
	if got := serial(t, far); got != after {
		t.Error("a broken certificate has replaced a good one")
	}
	// The call goes on over the connection that it has.
	if err := c.Hangup(t.Context(), media.AgentHungUp); err != nil {
		t.Error(err)
	}
	if err := <-ended; media.CauseOf(err) != media.CallerHungUp {
		t.Errorf("the other side: %v", err)
	}
}

func TestTLSPortTakesNothingElse(t *testing.T) {
	a := newAuthority(t)
	s := loopback(t, answerAll(nil), overTLS(a.sign("far", "far.example")))
	if _, err := tls.Dial("tcp", s.Addrs()[0].String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is taken")
	}
	c, err := net.Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte("OPTIONS sip:a SIP/2.0\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 4096)
	if n, err := c.Read(answer); err == nil && strings.Contains(string(answer[:n]), "SIP") {
		t.Errorf("answered: %q", answer[:n])
	}
}

func TestServersWithoutProperCertificates(t *testing.T) {
	a := newAuthority(t)
	good := a.sign("far", "far.example")
	for name, tweak := range map[string]func(*sip.Config){
		"no certificate": func(cfg *sip.Config) { cfg.TLS = sip.TLS{} },
		"no such file":   func(cfg *sip.Config) { cfg.TLS.Cert = filepath.Join(a.dir, "none.pem") },
		"no authority":   func(cfg *sip.Config) { cfg.TLS.CA = good.Key },
		"trunk's authority": func(cfg *sip.Config) {
			cfg.Trunks = []sip.Trunk{{Name: "x", CA: filepath.Join(a.dir, "none.pem")}}
		},
	} {
		cfg := sip.Config{}
		overTLS(good)(&cfg)
		tweak(&cfg)
		if err := valid(t, cfg); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestCertificatesAreWatched(t *testing.T) {
	a := newAuthority(t)
	files := a.sign("far", "far.example")
	reg := prometheus.NewRegistry()
	expiry := func() float64 {
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() == "callgw_sip_certificate_expiry_timestamp_seconds" {
				return f.GetMetric()[0].GetGauge().GetValue()
			}
		}
		return 0
	}
	bubble(t, nil, func(*rig) {
		before := expiry()
		time.Sleep(time.Hour)
		if got := expiry(); got != before {
			t.Errorf("expiry went from %v to %v", before, got)
		}
		a.sign("far", "far.example", func(c *x509.Certificate) { c.NotAfter = time.Unix(int64(before), 0).Add(1000 * time.Hour) })
		time.Sleep(time.Minute)
		if got := expiry(); got < before+999*3600 {
			t.Errorf("expiry went from %v to %v", before, got)
		}
	}, func(cfg *sip.Config) { cfg.TLS, cfg.Metrics = files, sip.NewMetrics(reg) })
}

func TestCallsOverIPv6(t *testing.T) {
	six := func(cfg *sip.Config) {
		cfg.Listen = []sip.Listen{{Network: "udp", Addr: "[::1]:0"}, {Network: "tcp", Addr: "[::1]:0"}}
	}
	if ln, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Skip("this machine has no IPv6: ", err)
	} else {
		ln.Close()
	}
	near, far := loopback(t, answerAll(nil), six), loopback(t, answerAll(nil), six)
	for i, transport := range []string{"udp", "tcp"} {
		c, err := near.Dial(t.Context(), sip.Dial{To: fmt.Sprintf("sip:bob@%s;transport=%s", far.Addrs()[i], transport)})
		if err != nil {
			t.Errorf("%s: %v", transport, err)
			continue
		}
		if err := c.Hangup(t.Context(), media.AgentHungUp); err != nil {
			t.Errorf("%s: %v", transport, err)
		}
	}
}

func TestOneSocketForBothFamilies(t *testing.T) {
	both := func(cfg *sip.Config) {
		cfg.Listen = []sip.Listen{{Network: "udp", Addr: ":0"}, {Network: "tcp", Addr: ":0"}}
	}
	near, far := loopback(t, answerAll(nil), both), loopback(t, answerAll(nil), both)
	for i, transport := range []string{"udp", "tcp"} {
		c, err := near.Dial(t.Context(), sip.Dial{To: fmt.Sprintf("sip:bob@127.0.0.1:%s;transport=%s", port(far.Addrs()[i]), transport)})
		if err != nil {
			t.Errorf("%s: %v", transport, err)
			continue
		}
		if err := c.Hangup(t.Context(), media.AgentHungUp); err != nil {
			t.Errorf("%s: %v", transport, err)
		}
	}
}
