package gateway

import (
	"fmt"
	"net"
	"net/http"

	"github.com/callgw/callgw/realtime/realtimetest"
)

// embedded is the Realtime server that stands in for providers without a key.
type embedded struct {
	url    string
	server *realtimetest.Server
	http   *http.Server
	done   chan struct{}
}

// bindEmbedded starts the embedded server if a provider needs it.
func (g *Gateway) bindEmbedded(cfg realtimetest.Config) error {
	needed := false
	for _, p := range g.cfg.Providers {
		needed = needed || p.Embedded()
	}
	if !needed {
		return nil
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("gateway: embedded Realtime server: %w", err)
	}
	cfg.Dialects = realtimetest.Both
	cfg.Forget = true
	server := realtimetest.New(cfg)
	e := &embedded{
		url:    "ws://" + listener.Addr().String() + "/v1/realtime",
		server: server,
		http:   &http.Server{Handler: server, ReadHeaderTimeout: headerTimeout},
		done:   make(chan struct{}),
	}
	go func() {
		defer close(e.done)
		// It returns when the server is closed, for no other reason.
		_ = e.http.Serve(listener)
	}()
	g.embedded = e
	return nil
}

func (e *embedded) close() {
	e.server.Close()
	// What it returns concerns the listener, which is gone either way.
	_ = e.http.Close()
	<-e.done
}
