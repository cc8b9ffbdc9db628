package realtime_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/realtime"
)

// peer is a scripted provider: what it says and expects is the test's.
type peer struct {
	t    testing.TB
	ws   *websocket.Conn
	head http.Header
	url  string
}

// serve runs script for each connection on a loopback socket and returns the
// provider that reaches it. The test ends when every script has returned.
func serve(t testing.TB, script func(*peer)) realtime.Provider {
	t.Helper()
	var scripts sync.WaitGroup
	srv := httptest.NewServer(upgrade(t, &scripts, script))
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
		scripts.Wait()
	})
	return realtime.Provider{BaseURL: "ws" + strings.TrimPrefix(srv.URL, "http") + "/v1/realtime", Model: "test"}
}

// providers is a list of one.
func providers(t testing.TB, script func(*peer)) []realtime.Provider {
	t.Helper()
	return []realtime.Provider{serve(t, script)}
}

func upgrade(t testing.TB, scripts *sync.WaitGroup, script func(*peer)) http.Handler {
	u := websocket.Upgrader{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scripts.Add(1)
		defer scripts.Done()
		ws, err := u.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		script(&peer{t, ws, r.Header, r.URL.String()})
	})
}

// dialPipe is serve without sockets, for tests in virtual time.
func dialPipe(t testing.TB, script func(*peer)) (realtime.Provider, func(context.Context, string, string) (net.Conn, error)) {
	conns := make(pipeListener)
	var scripts sync.WaitGroup
	srv := &http.Server{Handler: upgrade(t, &scripts, script)}
	scripts.Go(func() { _ = srv.Serve(conns) })
	t.Cleanup(func() {
		_ = srv.Close()
		scripts.Wait()
	})
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		select {
		case conns <- theirs:
			return ours, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return realtime.Provider{BaseURL: "ws://pipe/v1/realtime", Model: "test"}, dial
}

type pipeListener chan net.Conn

func (l pipeListener) Accept() (net.Conn, error) {
	c, ok := <-l
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (l pipeListener) Close() error   { close(l); return nil }
func (l pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// send writes a text frame.
func (p *peer) send(msg string) {
	_ = p.ws.WriteMessage(websocket.TextMessage, []byte(msg))
}

// message is a client event as it came.
type message struct {
	Type     string
	EventID  string `json:"event_id"`
	Session  json.RawMessage
	Response json.RawMessage
	Audio    string
	ItemID   string `json:"item_id"`
	Raw      []byte `json:"-"`
}

// next returns the next client event; ok is false when the client is gone.
func (p *peer) next() (m message, ok bool) {
	_, raw, err := p.ws.ReadMessage()
	if err != nil {
		return m, false
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		p.t.Errorf("client sent %q: %v", raw, err)
	}
	m.Raw = raw
	return m, true
}

// expect returns the next client event, which must be of the type.
func (p *peer) expect(kind string) message {
	m, ok := p.next()
	if !ok {
		p.t.Errorf("client left; expected %s", kind)
	} else if m.Type != kind {
		p.t.Errorf("client sent %s, expected %s", m.Raw, kind)
	}
	return m
}

// open goes through the gate and echoes µ-law in the GA shape.
func (p *peer) open() message {
	p.send(`{"type":"session.created","event_id":"e1","session":{"id":"sess_1","type":"realtime"}}`)
	m := p.expect("session.update")
	p.send(`{"type":"session.updated","event_id":"e2","session":{"id":"sess_1","model":"m","type":"realtime","expires_at":1756324832,` +
		`"audio":{"input":{"format":{"type":"audio/pcmu"}},"output":{"format":{"type":"audio/pcmu"}}}}}`)
	return m
}

// drain reads until the client is gone.
func (p *peer) drain() {
	for {
		if _, _, err := p.ws.ReadMessage(); err != nil {
			return
		}
	}
}

// audio decodes an append.
func (m message) audio(t testing.TB) []byte {
	t.Helper()
	audio, err := base64.StdEncoding.DecodeString(m.Audio)
	if err != nil {
		t.Errorf("append: %v", err)
	}
	return audio
}

// recorder is a Handler that keeps what comes.
type recorder struct {
	events chan realtime.Event
	audio  chan string // response/item: audio
	during func(realtime.Event)
}

func record() *recorder {
	return &recorder{events: make(chan realtime.Event, 1000), audio: make(chan string, 1000)}
}

func (r *recorder) Audio(d realtime.AudioDelta) {
	r.audio <- string(d.ResponseID) + "/" + string(d.ItemID) + ": " + string(d.Audio)
}

func (r *recorder) Event(e realtime.Event) {
	if r.during != nil {
		r.during(e)
	}
	r.events <- e
}

var ulaw = realtime.Properties{
	InputAudioFormat:  realtime.FormatULaw,
	OutputAudioFormat: realtime.FormatULaw,
}

// deadline fails a test that hangs, in place of the runner.
const deadline = 10 * time.Second

func newSession(t testing.TB, cfg realtime.Config) *realtime.Session {
	t.Helper()
	if cfg.Handler == nil {
		cfg.Handler = record()
	}
	if cfg.RepairTimeout == 0 {
		cfg.RepairTimeout = -1 // most tests are of one connection
	}
	s, err := realtime.NewSession(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// start opens and runs a session; Run's result comes on the channel.
func start(t testing.TB, cfg realtime.Config) (*realtime.Session, <-chan error) {
	t.Helper()
	s := newSession(t, cfg)
	if err := s.Open(context.Background()); err != nil {
		t.Fatal(err)
	}
	result := make(chan error, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		result <- s.Run(context.Background())
	}()
	t.Cleanup(func() {
		s.Close()
		<-done
	})
	return s, result
}

// receive waits for a value.
func receive[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(deadline):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// await waits for an event of one type.
func await[E realtime.Event](t testing.TB, r *recorder) E {
	t.Helper()
	for {
		if e, ok := receive(t, r.events).(E); ok {
			return e
		}
	}
}

// expired returns a context that is over.
func expired() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx, cancel
}

// hang is a network that never answers.
func hang(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
