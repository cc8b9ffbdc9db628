package realtimetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// readLimit admits the largest append: 15 MiB of audio in base64.
const readLimit = 24 << 20

// Server is a Realtime server: an [http.Handler] that takes every path. Its
// sessions run in the goroutines of their handlers.
type Server struct {
	cfg      Config
	rules    [2]map[string]rule // GA, Beta
	upgrader websocket.Upgrader
	ended    chan struct{} // closed by Close
	running  sync.WaitGroup

	mu         sync.Mutex
	closed     bool
	handshakes int
	sessions   []*Session
	changed    chan struct{} // closed and replaced by every new session
}

// New returns a server. It needs a [Server.Close].
func New(cfg Config) *Server {
	return &Server{
		cfg:   cfg.withDefaults(),
		rules: [2]map[string]rule{gaEvents(), betaEvents()},
		upgrader: websocket.Upgrader{
			Subprotocols: []string{"realtime"},
			CheckOrigin:  func(*http.Request) bool { return true }, // keys, not origins, admit here
		},
		ended:   make(chan struct{}),
		changed: make(chan struct{}),
	}
}

// ServeHTTP carries one session and returns when it has ended.
func (srv *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, ok := srv.enter()
	if !ok {
		http.Error(w, "shutting down", http.StatusServiceUnavailable)
		return
	}
	defer srv.running.Done()
	fault := srv.cfg.Fault(n)
	if !srv.pause(r.Context(), fault.HandshakeDelay) {
		return
	}
	if fault.Refuse != 0 {
		http.Error(w, http.StatusText(fault.Refuse), fault.Refuse)
		return
	}
	conn, err := srv.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	beta, refusal := srv.cfg.admit(r)
	s := srv.newSession(n, conn, r, fault, beta)
	srv.add(s)
	s.run(refusal)
	if srv.cfg.Forget {
		srv.forget(s)
	}
}

func (srv *Server) newSession(n int, conn *websocket.Conn, r *http.Request, fault Fault, beta bool) *Session {
	s := &Session{
		Number: n, Beta: beta, Query: r.URL.Query(), Header: r.Header,
		cfg: &srv.cfg, conn: conn, fault: fault, rules: srv.rules[0], ended: srv.ended, began: time.Now(),
		record: record{forget: srv.cfg.Forget}, done: make(chan struct{}), wake: make(chan struct{}, 1), gone: make(chan struct{}),
		rng: rand.New(rand.NewPCG(uint64(n), 0)),
	}
	if beta {
		s.rules = srv.rules[1]
	}
	s.id, s.conversationID = newID(s.rng, "sess"), newID(s.rng, "conv")
	for _, t := range fault.Triggers {
		s.triggers = append(s.triggers, trigger{Trigger: t})
	}
	settings := defaults(s.Query.Get("model"))
	settings.Transcription = s.Query.Get("intent") == "transcription"
	s.apply(settings)
	conn.SetReadLimit(readLimit)
	conn.SetCloseHandler(func(code int, _ string) error {
		if fault.NoCloseReply || s.mute.Load() {
			return nil
		}
		// The connection ends next, whether the client learns of it or not.
		_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(time.Second))
		return nil
	})
	conn.SetPingHandler(func(payload string) error {
		if !s.mute.Load() {
			_ = conn.WriteControl(websocket.PongMessage, []byte(payload), time.Now().Add(time.Second))
		}
		return nil
	})
	return s
}

// enter counts a handshake, unless the server is closed.
func (srv *Server) enter() (n int, ok bool) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if srv.closed {
		return 0, false
	}
	srv.running.Add(1)
	srv.handshakes++
	return srv.handshakes - 1, true
}

// pause waits for d, unless the client or the server goes away.
func (srv *Server) pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-srv.ended:
	}
	return false
}

func (srv *Server) add(s *Session) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.sessions = append(srv.sessions, s)
	close(srv.changed)
	srv.changed = make(chan struct{})
}

func (srv *Server) forget(s *Session) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.sessions = slices.DeleteFunc(srv.sessions, func(o *Session) bool { return o == s })
}

// Sessions returns the sessions so far in the order of their upgrade, refused
// ones included; of a server that forgets, those that run.
func (srv *Server) Sessions() []*Session {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	return slices.Clone(srv.sessions)
}

// Handshakes returns how many there were, refused ones included.
func (srv *Server) Handshakes() int {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	return srv.handshakes
}

// WaitSession returns the session of a number, counted from 0 over all
// handshakes, as soon as there is one.
func (srv *Server) WaitSession(ctx context.Context, number int) (*Session, error) {
	for {
		srv.mu.Lock()
		i := slices.IndexFunc(srv.sessions, func(s *Session) bool { return s.Number == number })
		var s *Session
		if i >= 0 {
			s = srv.sessions[i]
		}
		changed := srv.changed
		srv.mu.Unlock()
		if s != nil {
			return s, nil
		}
		select {
		case <-changed:
		case <-srv.ended:
			return nil, errors.New("realtimetest: server closed")
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Shutdown takes no more sessions, closes those that run with code 1001 and
// waits for them. When ctx ends first, it cuts them off.
func (srv *Server) Shutdown(ctx context.Context) {
	srv.mu.Lock()
	srv.closed = true
	srv.mu.Unlock()
	for _, s := range srv.Sessions() {
		s.Close(websocket.CloseGoingAway, "going away")
	}
	gone := make(chan struct{})
	go func() {
		srv.running.Wait()
		close(gone)
	}()
	select {
	case <-gone:
	case <-ctx.Done():
	}
	srv.Close()
	<-gone
}

// Close cuts every session off and returns when nothing of the server is left.
func (srv *Server) Close() {
	srv.mu.Lock()
	srv.closed = true
	select {
	case <-srv.ended:
	default:
		close(srv.ended)
	}
	srv.mu.Unlock()
	for _, s := range srv.Sessions() {
		if _, ended := s.End(); !ended {
			s.Drop() // wakes even one whose client does not read
		}
	}
	srv.running.Wait()
}
