package sip

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync/atomic"
	"time"
)

// TLS names PEM files. They are read again when they change.
type TLS struct {
	// Cert and Key are our certificate, with its chain, and its key. Needed to
	// listen with TLS; shown to servers that ask for one.
	Cert, Key string
	// CA are the authorities that vouch for the servers that we call, beside which
	// trunks may have their own. "" means those of the system.
	CA string
}

// watchTime is how often the files are looked at.
const watchTime = 30 * time.Second

// certificates are what TLS connections are made with. What cannot be read when
// it is read again leaves in place what was there.
type certificates struct {
	files   TLS
	trunks  *trunks
	current atomic.Pointer[identity]
	stamp   string // of the files as they were last looked at; "": there are none
}

// identity is one reading of the files.
type identity struct {
	own   *tls.Certificate // nil: none
	roots *x509.CertPool   // nil: the system's
	// authorities are those of trunks that have their own, by their file.
	authorities map[string]*x509.CertPool
}

func newCertificates(files TLS, trunks *trunks) (*certificates, error) {
	c := &certificates{files: files, trunks: trunks}
	c.stamp = c.stat(trunks.now.Load())
	return c, c.load()
}

// load reads the files.
func (c *certificates) load() error {
	id := &identity{}
	if c.files.Cert != "" || c.files.Key != "" {
		pair, err := tls.LoadX509KeyPair(c.files.Cert, c.files.Key)
		if err != nil {
			return fmt.Errorf("sip: certificate %s: %w", c.files.Cert, err)
		}
		id.own = &pair
	}
	var err error
	if id.roots, err = pool(c.files.CA); err != nil {
		return err
	}
	return c.vouch(id, c.trunks.now.Load())
}

// trust makes the authorities of those trunks known as well.
func (c *certificates) trust(next *roster) error {
	id := *c.current.Load()
	if err := c.vouch(&id, next); err != nil {
		return err
	}
	c.stamp = c.stat(next)
	return nil
}

// vouch completes an identity with the authorities of those trunks, and takes it.
func (c *certificates) vouch(id *identity, trunks *roster) error {
	known := make(map[string]*x509.CertPool)
	if was := c.current.Load(); was != nil {
		for _, t := range slices.Concat(trunks.former, c.trunks.all()) {
			known[t.CA] = was.authorities[t.CA] // for calls that go on, and until the trunks change
		}
	}
	for _, t := range trunks.list {
		var err error
		if known[t.CA], err = pool(t.CA); err != nil {
			return err
		}
	}
	id.authorities = known
	c.current.Store(id)
	return nil
}

// of returns the authorities that t has, which may be none: then nobody is believed.
func (id *identity) of(t *trunk) *x509.CertPool {
	if p := id.authorities[t.CA]; p != nil {
		return p
	}
	return x509.NewCertPool()
}

// pool reads a file of authorities; no file is nil.
func pool(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("sip: CA: %w", err)
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("sip: CA %s: no certificate in it", file)
	}
	return p, nil
}

// stat returns what changes when one of the files does.
func (c *certificates) stat(trunks *roster) string {
	files := []string{c.files.Cert, c.files.Key, c.files.CA}
	for _, t := range trunks.list {
		files = append(files, t.CA)
	}
	stamp := ""
	for _, name := range files {
		if f, err := os.Stat(name); err == nil {
			stamp += fmt.Sprint(name, f.ModTime().UnixNano(), f.Size(), ";")
		}
	}
	return stamp
}

// changed reports whether the files are others than when it was last asked.
func (c *certificates) changed() bool {
	was := c.stamp
	c.stamp = c.stat(c.trunks.now.Load())
	return c.stamp != was && c.stamp != ""
}

// expiry returns until when our certificate holds, the zero time without one.
func (c *certificates) expiry() time.Time {
	own := c.current.Load().own
	if own == nil || own.Leaf == nil {
		return time.Time{}
	}
	return own.Leaf.NotAfter
}

// server is the configuration of connections that peers open.
func (c *certificates) server() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			id := c.current.Load()
			if id.own == nil {
				return nil, errors.New("sip: no certificate")
			}
			cfg := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*id.own}}
			if t := c.trunks.at(addrPort(hello.Conn.RemoteAddr()).Addr()); t != nil && t.ClientCert {
				cfg.ClientAuth, cfg.ClientCAs = tls.RequireAndVerifyClientCert, id.of(t)
			}
			return cfg, nil
		},
	}
}

// client is the configuration of a connection to host at addr.
func (c *certificates) client(host string, addr netip.Addr) *tls.Config {
	id := c.current.Load()
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: id.roots}
	if t := c.trunks.facing(host, addr); t != nil && t.CA != "" {
		cfg.RootCAs = id.of(t)
	}
	if id.own != nil {
		cfg.Certificates = []tls.Certificate{*id.own}
	}
	return cfg
}

// ReloadCertificates reads the files of Config.TLS and of the trunks again, for
// connections from now on; those that are open stay as they are. When one cannot be
// read, all that was there before stays. The same happens by itself within a minute
// after a file has changed.
func (s *Server) ReloadCertificates() error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	if s.certificates.stamp == "" {
		return nil
	}
	err := s.certificates.load()
	s.cfg.Metrics.reloaded(err == nil)
	s.cfg.Metrics.expires(s.certificates.expiry())
	return err
}

// watchCertificates reads them when they change, until the server ends.
func (s *Server) watchCertificates() {
	for s.pause(watchTime) {
		s.reloading.Lock()
		changed := s.certificates.changed()
		s.reloading.Unlock()
		if !changed {
			continue
		}
		if err := s.ReloadCertificates(); err != nil {
			s.log.Warn().Err(err).Msg("certificates not renewed: the old ones stay in use")
			continue
		}
		s.log.Info().Time("expires", s.certificates.expiry()).Msg("certificates renewed")
	}
}
