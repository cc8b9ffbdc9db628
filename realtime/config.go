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
	Provider   Provider
	Properties Properties
	Handler    Handler

	ConnectTimeout time.Duration // dial to session.updated; default 10 s
	WriteTimeout   time.Duration // of each message; default 5 s
	CloseTimeout   time.Duration // for the peer's close frame; default 1 s
	PingInterval   time.Duration // default 20 s; a pong missing for two of them loses the session

	// Dial reaches the network; nil is a net.Dialer. Without it, the proxy that
	// the environment names (HTTPS_PROXY) is used for either.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	TLS  *tls.Config // nil: the system's certificate authorities
}

// Validate returns every fault of the configuration, joined; those of options
// are [OptionError].
func (c Config) Validate() error {
	err := errors.Join(c.Provider.Validate(), c.Properties.Validate(c.Provider.dialect()))
	if c.Handler == nil {
		err = errors.Join(err, &OptionError{"handler", "is missing"})
	}
	return err
}

func (c Config) withDefaults() Config {
	c.Provider.Dialect = c.Provider.dialect()
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&c.ConnectTimeout, 10 * time.Second},
		{&c.WriteTimeout, 5 * time.Second},
		{&c.CloseTimeout, time.Second},
		{&c.PingInterval, 20 * time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
	return c
}
