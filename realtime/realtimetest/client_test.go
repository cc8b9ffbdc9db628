package realtimetest_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/internal/contract"
	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pipes is a listener whose connections are net.Pipes, which live inside a
// synctest bubble.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	gone  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.gone:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.gone) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// bubble runs test against a server, in fake time.
func bubble(t *testing.T, cfg realtimetest.Config, test func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &pipes{conns: make(chan net.Conn), gone: make(chan struct{})}
		b := &bench{Running: realtimetest.Serve(l, cfg), pipes: l}
		defer b.Close()
		test(t, b)
	})
}

type bench struct {
	*realtimetest.Running
	pipes *pipes
}

// client is the other side of a session. Everything that it receives is checked
// against the schema of the dialect.
type client struct {
	t      *testing.T
	conn   *websocket.Conn
	resp   *http.Response
	events chan map[string]any // closed at the end
	err    error               // how the connection ended, once events is closed
	*realtimetest.Session
}

// schemas holds the server schemas, which take long to compile.
var schemas sync.Map

func openSchema(t *testing.T, dialect string) *contract.Schema {
	t.Helper()
	if s, ok := schemas.Load(dialect); ok {
		return s.(*contract.Schema)
	}
	s := contract.OpenSchema(t, "realtime-events/"+dialect+"-server.schema.json")
	schemas.Store(dialect, s)
	return s
}

func (b *bench) try(header http.Header, query string) (*websocket.Conn, *http.Response, error) {
	d := websocket.Dialer{NetDialContext: b.pipes.dial}
	return d.Dial(b.URL+query, header)
}

func (b *bench) dial(t *testing.T, header http.Header, query string) *client {
	t.Helper()
	n := b.Handshakes()
	conn, resp, err := b.try(header, query)
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.WaitSession(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	name := "ga"
	if s.Beta {
		name = "beta"
	}
	schema := openSchema(t, name)
	c := &client{t: t, conn: conn, resp: resp, events: make(chan map[string]any, 10_000), Session: s}
	go func() {
		defer close(c.events)
		defer conn.Close()
		for {
			kind, message, err := conn.ReadMessage()
			if err != nil {
				c.err = err
				return
			}
			var m map[string]any
			if json.Unmarshal(message, &m) != nil || kind != websocket.TextMessage {
				c.events <- map[string]any{"type": "malformed", "message": string(message)}
				continue
			}
			if err := schema.Validate(message); err != nil {
				t.Errorf("invalid message %s: %v", message, err)
			}
			c.events <- m
		}
	}()
	t.Cleanup(func() { conn.Close() })
	return c
}

func (b *bench) ga(t *testing.T) *client {
	t.Helper()
	c := b.dial(t, nil, "?model=gpt-realtime")
	c.next("session.created")
	return c
}

func (b *bench) beta(t *testing.T) *client {
	t.Helper()
	c := b.dial(t, http.Header{"OpenAI-Beta": {"realtime=v1"}}, "?model=gpt-4o-realtime-preview")
	c.next("session.created", "conversation.created")
	return c
}

func (c *client) send(message string) {
	c.t.Helper()
	if err := c.conn.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
		c.t.Fatal(err)
	}
}

// next returns the next events, which must be of these types. "…" before a type
// stands for any number of others.
func (c *client) next(types ...string) (last map[string]any) {
	c.t.Helper()
	for _, want := range types {
		want, skip := strings.CutPrefix(want, "…")
		for {
			m, ok := c.receive()
			if !ok {
				c.t.Fatalf("connection ended with %v instead of %s", c.err, want)
			}
			last = m
			if m["type"] == want {
				break
			}
			if !skip {
				got, _ := json.Marshal(m)
				c.t.Fatalf("got %.300s instead of %s", got, want)
			}
		}
	}
	return last
}

func (c *client) receive() (map[string]any, bool) {
	c.t.Helper()
	select {
	case m, ok := <-c.events:
		return m, ok
	case <-time.After(2 * time.Hour): // of fake time
		c.t.Fatal("no event within two hours")
	}
	return nil, false
}

// quiet checks that nothing comes for d.
func (c *client) quiet(d time.Duration) {
	c.t.Helper()
	select {
	case m, ok := <-c.events:
		if ok {
			c.t.Fatalf("got %v instead of silence", m["type"])
		}
		c.t.Fatalf("connection ended with %v", c.err)
	case <-time.After(d):
	}
}

// closed checks that the connection ends with this code next.
func (c *client) closed(code int) *websocket.CloseError {
	c.t.Helper()
	if m, ok := c.receive(); ok {
		c.t.Fatalf("got %v instead of a close", m["type"])
	}
	var closed *websocket.CloseError
	if !errors.As(c.err, &closed) || closed.Code != code {
		c.t.Fatalf("connection ended with %v, want close code %d", c.err, code)
	}
	return closed
}

// refused sends a message and checks that an error with this code, and nothing
// else, comes back; it returns the error.
func (c *client) refused(message, code string) map[string]any {
	c.t.Helper()
	c.send(message)
	e := c.next("error")["error"].(map[string]any)
	got, _ := e["code"].(string)
	if got != code {
		c.t.Errorf("%.200s: error %v, want code %q", message, e, code)
	}
	return e
}

// ulaw configures µ-law both ways, with more members of audio.input.
func (c *client) ulaw(input string) {
	c.t.Helper()
	c.send(`{"type":"session.update","session":{"type":"realtime","audio":{"input":{"format":{"type":"audio/pcmu"}` + input + `},"output":{"format":{"type":"audio/pcmu"}}}}}`)
	c.next("session.updated")
}

func (c *client) append(audio []byte) {
	c.t.Helper()
	c.send(`{"type":"input_audio_buffer.append","audio":"` + base64.StdEncoding.EncodeToString(audio) + `"}`)
}

// say appends audio in frames of 20 ms.
func (c *client) say(audio []byte) {
	c.t.Helper()
	for len(audio) > 0 {
		n := min(160, len(audio))
		c.append(audio[:n])
		audio = audio[n:]
	}
}

// speech is d of sound that no detector misses.
func speech(d time.Duration) []byte { return realtimetest.ToneAudio(realtimetest.PCMU, d) }

func silence(d time.Duration) []byte { return realtimetest.PCMU.Silence(int(d.Milliseconds())) }
