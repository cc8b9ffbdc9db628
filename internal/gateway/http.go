package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/callgw/callgw/internal/admin"
	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/internal/webphone"
)

const (
	headerTimeout   = 5 * time.Second
	idleTimeout     = 60 * time.Second
	shutdownTimeout = time.Second
	maxHeader       = 32 << 10
)

// httpServer is one listener and what it serves.
type httpServer struct {
	name     string
	scheme   string
	listener net.Listener
	server   *http.Server
}

// bindHTTP listens on addr.
func (g *Gateway) bindHTTP(name, key string, addr config.Address, cert config.TLS, handler http.Handler) error {
	listener, err := net.Listen("tcp", string(addr))
	if err != nil {
		return fmt.Errorf("%s %q: %w: choose a free address", key, addr, err)
	}
	s := &httpServer{name: name, scheme: "http", listener: listener, server: &http.Server{
		Handler: timely(handler), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
	}}
	if cert.Cert != "" {
		pair, err := tls.LoadX509KeyPair(cert.Cert, cert.Key)
		if err != nil {
			return errors.Join(fmt.Errorf("http.tls: %w", err), listener.Close())
		}
		s.scheme = "https"
		s.listener = tls.NewListener(listener, &tls.Config{
			Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12,
			NextProtos: []string{"http/1.1"}, // a WebSocket needs it
		})
	}
	g.http = append(g.http, s)
	return nil
}

func (g *Gateway) bindAdmin() error {
	a := g.cfg.Admin
	return g.bindHTTP("admin", "admin.listen", a.Listen, config.TLS{}, admin.NewHandler(admin.Config{
		Registry: g.calls, Metrics: g.metrics, Ready: g.ready, Token: a.Token.Reveal(), Events: g.events,
		Properties: config.Properties,
		Place:      g.Call, Reload: g.Reload, Drain: g.stopServing,
	}))
}

// run serves until ctx ends.
func (s *httpServer) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		if s.server.Shutdown(ending) != nil {
			s.close()
		}
	})
	defer stop()
	if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("gateway: %s: %w", s.name, err)
	}
	return nil
}

// close cuts the server off; that it may be closed already is no matter.
func (s *httpServer) close() {
	_ = s.server.Close()
	_ = s.listener.Close()
}

func (s *httpServer) url() string { return s.scheme + "://" + s.listener.Addr().String() }

// PhoneURL returns where browsers on this machine find the phone; empty if there
// is none.
func (g *Gateway) PhoneURL() string {
	if p := g.cfg.MediaStreams.Generic; p == nil || !p.Phone {
		return ""
	}
	return g.URL("http") + webphone.Path
}

// URL returns the base URL of a listener, "http" or "admin", as seen from this
// machine; empty if there is none.
func (g *Gateway) URL(listener string) string {
	for _, s := range g.http {
		if s.name == listener {
			return s.url()
		}
	}
	return ""
}
