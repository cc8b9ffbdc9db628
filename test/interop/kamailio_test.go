package interop_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/sdp"
)

// kamailio is one that runs: a registrar and proxy.
type kamailio struct {
	port, secure int // UDP and TCP; TLS
	cert         string
	config       string
	stop         func()
	log          string // what it said, once it is stopped
}

// startKamailio runs one until the test ends, or until stop.
func startKamailio(t *testing.T, algorithm string) *kamailio {
	t.Helper()
	peer(t, "kamailio")
	modules, err := filepath.Glob("/usr/lib/*/kamailio/modules/tls.so")
	if err != nil || len(modules) == 0 {
		missing(t, "kamailio's TLS module")
	}
	dir := t.TempDir()
	k := &kamailio{port: freePort(t), secure: freePort(t), cert: filepath.Join(dir, "cert.pem"), config: filepath.Join(dir, "kamailio.cfg")}
	key := filepath.Join(dir, "key.pem")
	writeCertificate(t, k.cert, key)
	k.configure(t, "kamailio.cfg", "@MODULES@", filepath.Dir(modules[0]), "@PORT@", fmt.Sprint(k.port), "@TLSPORT@", fmt.Sprint(k.secure),
		"@CERT@", k.cert, "@KEY@", key, "@ALGORITHM@", algorithm)
	k.start(t)
	return k
}

// configure fills in a configuration of kamailio/.
func (k *kamailio) configure(t *testing.T, template string, words ...string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("kamailio", template))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(k.config, []byte(strings.NewReplacer(words...).Replace(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (k *kamailio) start(t *testing.T) {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command("kamailio", "-DD", "-E", "-m", "16", "-M", "4", "-f", k.config, "-Y", filepath.Dir(k.config))
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it is stopped by a signal
	}()
	stopped := false
	k.stop = func() {
		if stopped {
			return
		}
		stopped = true
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		kill := time.AfterFunc(5*time.Second, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		<-ended
		kill.Stop()
		k.log = out.String()
		if t.Failed() {
			t.Logf("kamailio:\n%s", k.log)
		}
	}
	t.Cleanup(k.stop)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 100 {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", k.secure))
		if err == nil {
			c.Close()
			return
		}
		select {
		case <-tick.C:
		case <-ended:
			t.Fatalf("kamailio has ended:\n%s", out.String())
		}
	}
	t.Fatal("kamailio does not listen")
}

// writeCertificate makes one for 127.0.0.1 and localhost that vouches for itself.
func writeCertificate(t *testing.T, cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: encoded}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// server returns the URI that leads to it over a transport.
func (k *kamailio) server(transport string) string {
	port := k.port
	if transport == "tls" {
		port = k.secure
	}
	return fmt.Sprintf("sip:127.0.0.1:%d;transport=%s", port, transport)
}

// said passes on what is logged, message by message.
type said chan string

func (s said) Run(_ *zerolog.Event, _ zerolog.Level, message string) {
	select {
	case s <- message:
	default:
	}
}

// await reads until a message is what is waited for.
func (s said) await(t *testing.T, want string) {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case message := <-s:
			if message == want {
				return
			}
		case <-timeout:
			t.Fatalf("nobody said %q", want)
		}
	}
}

// registered starts a gateway that is a user of k over a transport, by its only trunk.
func (k *kamailio) registered(t *testing.T, user, transport string, tweak ...func(*sip.Config)) (*gateway, said) {
	t.Helper()
	log := make(said, 100)
	account := func(cfg *sip.Config) {
		cfg.AcceptUnknown = false
		cfg.Listen = []sip.Listen{
			{Network: "udp", Addr: "127.0.0.1:0"}, {Network: "tcp", Addr: "127.0.0.1:0"}, {Network: "tls", Addr: "127.0.0.1:0"},
		}
		cfg.TLS = sip.TLS{Cert: k.cert, Key: strings.Replace(k.cert, "cert.pem", "key.pem", 1)}
		cfg.Trunks = []sip.Trunk{{Name: "pbx", CA: k.cert, Register: &sip.Register{
			Server: k.server(transport), Login: sip.Credentials{Username: user, Password: "secret"},
		}}}
		cfg.Log = zerolog.New(io.Discard).Hook(log)
	}
	g := start(t, append([]func(*sip.Config){account}, tweak...)...)
	log.await(t, "registered")
	return g, log
}

// Two gateways are registered over different transports and call each other through
// the proxy, which challenges, and stays in the path: with a transport on each side it
// is in Record-Route twice.
func TestCallsThroughKamailio(t *testing.T) {
	t.Parallel()
	own(t)
	for _, c := range []struct {
		from, to, algorithm string
		srtp                sdp.SRTP
	}{
		{"udp", "udp", "MD5", sdp.SRTPOff},
		{"tcp", "udp", "SHA-256", sdp.SRTPOff},
		{"tls", "udp", "MD5", sdp.SRTPOptional},
		{"udp", "tls", "SHA-256", sdp.SRTPOptional},
		{"tls", "tls", "SHA-256", sdp.SRTPRequired},
	} {
		t.Run(c.from+" to "+c.to, func(t *testing.T) {
			k := startKamailio(t, c.algorithm)
			policy := func(cfg *sip.Config) { cfg.Trunks[0].SRTP = c.srtp }
			caller, _ := k.registered(t, "100", c.from, policy)
			called, _ := k.registered(t, userTone, c.to, policy)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			call, err := caller.server.Dial(ctx, sip.Dial{Trunk: "pbx", From: "100", To: userTone})
			if err != nil {
				t.Fatal(err)
			}
			heard := &echo{}
			talk, hangUp := context.WithCancelCause(ctx)
			time.AfterFunc(2*time.Second, func() { hangUp(media.AgentHungUp) })
			if err := call.Run(talk, heard, heard); media.CauseOf(err) != media.AgentHungUp {
				t.Errorf("Run() = %v", err)
			}
			if len(heard.heard) < media.SampleRate || share(heard.heard, 800) < mostly {
				t.Errorf("%v were heard, %.0f %% of it the tone", media.Duration(int64(len(heard.heard))), 100*share(heard.heard, 800))
			}
			if e := called.ended(t, 1)[0]; e.cause != media.CallerHungUp {
				t.Errorf("the other side: %v", e.cause)
			}
			heardShare := 100 * share(heard.heard, 800)
			way := c.from + " to " + c.to
			saw(t, kamailioPeer, "registration and digest", "both sides register with %s credentials (%s)", c.algorithm, way)
			saw(t, kamailioPeer, "call out", "INVITE is challenged and repeated with credentials; %.0f %% of what is heard is the tone (%s)", heardShare, way)
			saw(t, kamailioPeer, "call in", "the registered side is called through the proxy (%s)", way)
			if c.srtp == sdp.SRTPRequired {
				saw(t, kamailioPeer, "TLS and SRTP", "TLS on both sides of the proxy, SRTP required end to end, %.0f %% of what is heard is the tone", heardShare)
			}
		})
	}
}

// The called side's BYE goes the way back.
func TestCalledSideHangsUpThroughKamailio(t *testing.T) {
	t.Parallel()
	own(t)
	k := startKamailio(t, "MD5")
	caller, _ := k.registered(t, "100", "tls")
	k.registered(t, userBye, "tcp")
	call, err := caller.server.Dial(t.Context(), sip.Dial{Trunk: "pbx", To: userBye})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := call.Run(ctx, &echo{}, &echo{}); media.CauseOf(err) != media.CallerHungUp {
		t.Errorf("Run() = %v", err)
	}
	if _, err := caller.server.Dial(t.Context(), sip.Dial{Trunk: "pbx", To: "nobody"}); media.CauseOf(err) != media.NoRoute {
		t.Errorf("Dial() = %v", err)
	}
	saw(t, kamailioPeer, "hang-up by the called side", "BYE comes back through the proxy, TCP to TLS")
	saw(t, kamailioPeer, "refusals", "a user whom nobody knows is 404, and Dial says no route")
}

// A registrar that is restarted has forgotten everybody; over a connection that is
// noticed at once.
func TestKamailioIsRestarted(t *testing.T) {
	t.Parallel()
	own(t)
	k := startKamailio(t, "SHA-256")
	reg := prometheus.NewRegistry()
	g, log := k.registered(t, "100", "tls", func(cfg *sip.Config) { cfg.Metrics = sip.NewMetrics(reg) })
	other, _ := k.registered(t, "101", "udp")
	call := place(t, other, sip.Dial{Trunk: "pbx", To: "100"})
	call.hears(t, 500*time.Millisecond)
	wantRegistered := func() {
		t.Helper()
		if got := counted(t, reg, "callgw_trunk_registered")["pbx"]; got != 1 {
			t.Errorf("callgw_trunk_registered is %v", got)
		}
	}
	wantRegistered()

	k.stop()
	log.await(t, "registration failed")
	before := call.lasted()
	call.hears(t, before+time.Second)

	k.start(t)
	log.await(t, "registration renewed")
	wantRegistered()
	again, err := other.server.Dial(t.Context(), sip.Dial{Trunk: "pbx", To: "100"})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Hangup(t.Context(), media.AgentHungUp); err != nil {
		t.Error(err)
	}
	call.end(t)
	for _, e := range g.ended(t, 2) {
		if e.cause != media.CallerHungUp {
			t.Errorf("the other side: %v", e.cause)
		}
	}
	saw(t, kamailioPeer, "registrar restarts", "the broken connection is noticed and logged; the call that is under way is heard all the while; the registration is renewed, and the next call comes in")
}

// A registrar that refuses is logged and shown, and calls by the trunk are refused as
// well.
func TestKamailioRefusesAWrongPassword(t *testing.T) {
	t.Parallel()
	own(t)
	k := startKamailio(t, "SHA-256")
	reg, log := prometheus.NewRegistry(), make(said, 100)
	g := start(t, func(cfg *sip.Config) {
		cfg.AcceptUnknown = false
		cfg.Trunks = []sip.Trunk{{Name: "pbx", Register: &sip.Register{
			Server: k.server("udp"), Login: sip.Credentials{Username: "100", Password: "wrong"},
		}}}
		cfg.Log, cfg.Metrics = zerolog.New(io.Discard).Hook(log), sip.NewMetrics(reg)
	})
	log.await(t, "registration failed")
	if got, ok := counted(t, reg, "callgw_trunk_registered")["pbx"]; !ok || got != 0 {
		t.Errorf("callgw_trunk_registered is %v, %v", got, ok)
	}
	var refused *sip.StatusError
	if _, err := g.server.Dial(t.Context(), sip.Dial{Trunk: "pbx", To: "101"}); !errors.As(err, &refused) || refused.Status != 407 {
		t.Errorf("Dial() = %v", err)
	}
	saw(t, kamailioPeer, "registration and digest", "a wrong password is logged, callgw_trunk_registered is 0, and Dial fails with %d", 407)
}
