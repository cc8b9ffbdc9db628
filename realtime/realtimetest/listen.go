package realtimetest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
)

// Running is a [Server] that listens.
type Running struct {
	*Server
	URL string // such as ws://127.0.0.1:40123/v1/realtime, to which clients add ?model=

	http    *http.Server
	serving sync.WaitGroup
}

// Listen runs a server on a free port of the loopback interface. It needs a
// [Running.Close].
func Listen(cfg Config) (*Running, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("realtimetest: listen: %w", err)
	}
	return Serve(l, cfg), nil
}

// Serve is [Listen] on a listener of the caller's. It takes the path
// /v1/realtime only.
func Serve(l net.Listener, cfg Config) *Running {
	srv := New(cfg)
	mux := http.NewServeMux()
	mux.Handle("/v1/realtime", srv)
	run := &Running{
		Server: srv,
		URL:    "ws://" + l.Addr().String() + "/v1/realtime",
		http:   &http.Server{Handler: mux},
	}
	run.serving.Go(func() {
		// ErrServerClosed is how Serve ends; any other error shows to the
		// clients, who cannot connect.
		if err := run.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			_ = l.Close()
		}
	})
	return run
}

// Shutdown ends as [Server.Shutdown] does and stops listening.
func (r *Running) Shutdown(ctx context.Context) {
	r.Server.Shutdown(ctx)
	r.Close()
}

// Close cuts every session off, stops listening and returns when nothing is
// left.
func (r *Running) Close() {
	_ = r.http.Close() // closes the listener, whose error changes nothing
	r.Server.Close()
	r.serving.Wait()
}
