package mediastream_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

const (
	token   = "0123456789abcdef"
	account = "AC00000000000000000000000000000000"
	public  = "https://voice.example.com"
)

// memory is a network without sockets: what connects to it is accepted by it.
type memory struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newMemory() *memory {
	return &memory{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (m *memory) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case m.conns <- there:
		return here, nil
	case <-m.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.done:
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error {
	m.once.Do(func() { close(m.done) })
	return nil
}

func (m *memory) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// gateway serves a handler on an in-memory network.
type gateway struct {
	*mediastream.Handler
	net  *memory
	stop func() // ends Run, for the cause media.Shutdown, and the server
}

func newGateway(t *testing.T, cfg mediastream.Config) *gateway {
	t.Helper()
	network := newMemory()
	return serve(t, cfg, network, network)
}

// serve serves a handler on l, which listens on network.
func serve(t *testing.T, cfg mediastream.Config, network *memory, l net.Listener) *gateway {
	t.Helper()
	cfg.PublicURL = public
	cfg.Validate = true
	cfg.AuthTokens = []string{"", token}
	cfg.AccountSID = account
	cfg.Log = zerolog.Nop()
	handler, err := mediastream.NewHandler(cfg)
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{Handler: handler, net: network}
	mux := http.NewServeMux()
	handler.Register(mux)
	server := http.Server{Handler: mux}
	ctx, cancel := context.WithCancelCause(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := handler.Run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	running.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
	})
	g.stop = sync.OnceFunc(func() {
		cancel(media.Shutdown)
		_ = server.Close()
		running.Wait()
	})
	t.Cleanup(g.stop)
	return g
}

// phone returns the configuration of a call to g.
func (g *gateway) phone() mediastreamtest.Config {
	return mediastreamtest.Config{
		WebhookURL: "http://gateway.test/twilio/voice", PublicURL: public,
		From: "+14155550100", To: "+14155550123",
		AuthToken: token, AccountSID: account, Seed: 1, DialContext: g.net.DialContext,
	}
}

// ear is a media.Uplink that keeps what it is given.
type ear struct {
	mu     sync.Mutex
	audio  []byte
	times  []time.Time
	digits []media.Digit
}

func (e *ear) Frame(p []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.audio = append(e.audio, p...)
	e.times = append(e.times, time.Now())
}

func (e *ear) Digit(d media.Digit) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.digits = append(e.digits, d)
}

func (e *ear) Hold(bool) {}

func (e *ear) heard() []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	return bytes.Clone(e.audio)
}

// arrivals returns when each frame came.
func (e *ear) arrivals() []time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.times)
}

// mouth is a media.Downlink that is given what to say.
type mouth struct {
	ready chan struct{}

	mu    sync.Mutex
	audio []byte
	taken int64
	heard []int64
}

func newMouth(audio ...[]byte) *mouth {
	m := &mouth{ready: make(chan struct{}, 1)}
	m.say(bytes.Join(audio, nil))
	return m
}

func (m *mouth) say(audio []byte) {
	m.mu.Lock()
	m.audio = append(m.audio, audio...)
	m.mu.Unlock()
	select {
	case m.ready <- struct{}{}:
	default:
	}
}

// hush drops what was not taken, as an interruption does.
func (m *mouth) hush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.audio = nil
}

func (m *mouth) Next(p []byte) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := copy(p, m.audio)
	m.audio = m.audio[n:]
	m.taken += int64(n)
	return n
}

func (m *mouth) Ready() <-chan struct{} { return m.ready }

func (m *mouth) Heard(pos int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.heard = append(m.heard, pos)
}

func (m *mouth) position() (heard, taken int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.heard); n > 0 {
		heard = m.heard[n-1]
	}
	return heard, m.taken
}

// speech returns n bytes that are nowhere silent and nowhere the same.
func speech(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i%127) ^ byte(i/127%120)
		if b[i] == 0x7F || b[i] == 0xFF {
			b[i] = 1
		}
	}
	return b
}

// answer is a Config.Handler that answers and carries a call between up and
// down, and sends how it ended to ended.
func answer(up media.Uplink, down media.Downlink, streams chan<- *mediastream.Stream, ended chan<- error) func(context.Context, *mediastream.Stream) {
	return func(ctx context.Context, s *mediastream.Stream) {
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx, up, down) }()
		if err := s.Answer(ctx); err != nil {
			_ = s.Hangup(ctx, err)
		} else if streams != nil {
			streams <- s
		}
		ended <- <-done
	}
}
