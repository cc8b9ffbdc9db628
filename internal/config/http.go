package config

import "net/netip"

// HTTP is what carriers reach: webhooks and media-stream WebSockets, nothing
// else.
type HTTP struct {
	// Listen is where. Default ":8080".
	Listen Address `yaml:"listen"`
	// PublicURL is Listen as carriers see it, with a path if a proxy takes one
	// away: signatures are checked against it, stream URLs are built from it.
	PublicURL URL `yaml:"public_url"`
	// TrustedProxies are the networks of proxies in front, whose X-Forwarded-For is
	// believed, for logs. Default: none.
	TrustedProxies []netip.Prefix `yaml:"trusted_proxies"`
	// TLS is for a gateway that carriers reach without a proxy. Default: none.
	TLS TLS `yaml:"tls"`
}

// TLS is a certificate and its key, both PEM files, both or none.
type TLS struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// SetDefaults sets the defaults.
func (h *HTTP) SetDefaults() { h.Listen = ":8080" }

// private tells whether only this machine reaches the listener.
func (h *HTTP) private() bool { return h.Listen.loopback() && h.PublicURL == "" }

// secure tells whether browsers trust the way to the listener: it is encrypted,
// or leads to where they run.
func (h *HTTP) secure() bool {
	return h.TLS.Cert != "" || h.PublicURL.scheme() == "https" || h.private()
}

func (h *HTTP) check(k *checker) {
	switch h.PublicURL.scheme() {
	case "", "https":
	case "http":
		k.warn("http.public_url", "carriers stream to https only", "put a proxy with a certificate in front, or set http.tls, and write https://")
	default:
		k.fail("http.public_url", k.quote("http.public_url", string(h.PublicURL))+" is neither https nor http", "write https://voice.example.com")
	}
	switch {
	case h.TLS.Cert != "" && h.TLS.Key == "":
		k.fail("http.tls", "cert without key", "name the key's file too")
	case h.TLS.Cert == "" && h.TLS.Key != "":
		k.fail("http.tls", "key without cert", "name the certificate's file too")
	}
	k.file("http.tls.cert", &h.TLS.Cert)
	k.file("http.tls.key", &h.TLS.Key)
}
