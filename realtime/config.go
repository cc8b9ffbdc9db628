package realtime

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// Config of a session.
type Config struct {
	// Providers are tried in their order, by Open and when a running session is
	// lost. At least one.
	Providers  []Provider
	Properties Properties
	Items      []Item // the conversation before it begins
	Handler    Handler

	Functions  []Function  // tools that run here; more by [Session.RegisterFunction]
	MCPServers []MCPServer // tools that the provider calls; GA only

	ConnectTimeout time.Duration // of one attempt, dial to session.updated; default 10 s
	WriteTimeout   time.Duration // of each message; default 5 s
	CloseTimeout   time.Duration // for the peer's close frame; default 1 s
	PingInterval   time.Duration // default 20 s; a pong missing for two of them loses the connection

	// RepairTimeout is how long a conversation may be without a connection after
	// it was lost; default 3 s, negative: a loss is the end.
	RepairTimeout time.Duration
	// RecycleBefore the server's own end of a session it is replaced, at the
	// first quiet moment; default 2 min, at most half of the session's life,
	// negative: it is lost and repaired when it ends.
	RecycleBefore time.Duration
	// Quiet tells whether a replacement would disturb nobody, beyond what the
	// session itself knows; nil: always. It must not block.
	Quiet func() bool
	// Heard tells how much of an item's audio reached the caller, or will, and
	// of how much; nil, or !ok: what [Session.Truncate] was told, else all. It
	// must neither block nor call the session.
	Heard func(itemID string) (heard, received time.Duration, ok bool)

	// Dial reaches the network; nil is a net.Dialer. Without it, the proxy that
	// the environment names (HTTPS_PROXY) is used for either.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	TLS  *tls.Config // nil: the system's certificate authorities
}

// Validate returns every fault of the configuration, joined; those of options
// are [OptionError].
func (c Config) Validate() error {
	set, fault := c.toolset()
	c.Properties.Tools = set.declared
	f := faults{fault}
	if len(c.Providers) == 0 {
		f.add("providers", "are missing: name at least one")
	}
	for _, p := range c.Providers {
		f = append(f, p.Validate())
	}
	f = append(f, c.validate(c.Properties))
	for _, item := range c.Items {
		if item.Type == "" {
			f.add("items", "one has no type")
		}
	}
	if c.Handler == nil {
		f.add("handler", "is missing")
	}
	return errors.Join(f...)
}

// validate checks p for every dialect that it may have to be said in.
func (c Config) validate(p Properties) error {
	var errs []error
	seen := map[Dialect]bool{}
	for _, provider := range c.Providers {
		if d := provider.WithDefaults().Dialect; !seen[d] {
			seen[d] = true
			errs = append(errs, p.Validate(d))
		}
	}
	return errors.Join(errs...)
}

func (c Config) withDefaults() Config {
	providers := make([]Provider, 0, len(c.Providers))
	for _, p := range c.Providers {
		providers = append(providers, p.WithDefaults())
	}
	c.Providers = providers
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&c.ConnectTimeout, 10 * time.Second},
		{&c.WriteTimeout, 5 * time.Second},
		{&c.CloseTimeout, time.Second},
		{&c.PingInterval, 20 * time.Second},
		{&c.RepairTimeout, 3 * time.Second},
		{&c.RecycleBefore, 2 * time.Minute},
	} {
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
	return c
}

// repairs tells whether a loss is not the end.
func (c Config) repairs() bool { return c.RepairTimeout > 0 }
