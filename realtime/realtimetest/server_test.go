package realtimetest_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/gorilla/websocket"
)

// listen runs a server on a real socket.
func listen(t testing.TB, cfg realtimetest.Config) *realtimetest.Running {
	t.Helper()
	run, err := realtimetest.Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(run.Close)
	return run
}

func connect(t testing.TB, run *realtimetest.Running) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial(run.URL+"?model=m", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func readType(conn *websocket.Conn) (string, error) {
	var m struct{ Type string }
	err := conn.ReadJSON(&m)
	return m.Type, err
}

func TestShutdownClosesSessions(t *testing.T) {
	run := listen(t, realtimetest.Config{})
	conn := connect(t, run)
	if kind, err := readType(conn); kind != "session.created" {
		t.Fatal(kind, err)
	}
	closed := make(chan error, 1)
	go func() {
		_, err := readType(conn)
		closed <- err
	}()
	run.Shutdown(t.Context())
	if err := <-closed; !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("ended with %v, want close code 1001", err)
	}
	if _, _, err := websocket.DefaultDialer.Dial(run.URL+"?model=m", nil); err == nil {
		t.Error("a server that was shut down took a session")
	}
	if _, err := run.WaitSession(t.Context(), 9); err == nil {
		t.Error("waiting for a session of a closed server succeeded")
	}
	run.Close() // again
}

func TestShutdownCutsOffAfterItsContext(t *testing.T) {
	run := listen(t, realtimetest.Config{Fault: func(int) realtimetest.Fault { return realtimetest.Fault{HandshakeDelay: time.Hour} }})
	dialled := make(chan error, 1)
	go func() {
		_, _, err := websocket.DefaultDialer.Dial(run.URL+"?model=m", nil)
		dialled <- err
	}()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	run.Shutdown(ctx)
	if err := <-dialled; err == nil {
		t.Error("the handshake succeeded")
	}
}

// TestNothingIsLeft ends sessions in every way and at random moments; the
// package's leak check counts what remains.
func TestNothingIsLeft(t *testing.T) {
	tone := speech(30 * time.Second)
	var number atomic.Int64
	run := listen(t, realtimetest.Config{
		Voice: func(realtimetest.Turn) realtimetest.Reply {
			r := realtimetest.Speak(tone, "x")
			r.Until = make(chan struct{})
			return r
		},
		Fault: func(n int) realtimetest.Fault {
			do := []realtimetest.Action{(*realtimetest.Session).Drop, realtimetest.CloseWith(1011, "x"), (*realtimetest.Session).StallReading, (*realtimetest.Session).StallWriting, (*realtimetest.Session).Expire}
			f := on([]string{"", "session.update", "response.created", "response.output_audio.delta"}[n%4], 1, do[n/4%len(do)])
			f.NoCloseReply = n%3 == 0
			return f
		},
	})
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for n := number.Add(1); n <= 80; n = number.Add(1) {
				conn, _, err := websocket.DefaultDialer.Dial(run.URL+"?model=m", nil)
				if err != nil {
					t.Error(err)
					return
				}
				_ = conn.WriteMessage(websocket.TextMessage, []byte(update(`"instructions":"x"`)))
				_ = conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"response.create"}`))
				_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
				for range rand.IntN(12) {
					if _, _, err := conn.ReadMessage(); err != nil {
						break
					}
				}
				if n%2 == 0 {
					_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), time.Now().Add(time.Second))
				}
				_ = conn.Close()
			}
		})
	}
	clients.Wait()
	if run.Handshakes() != 80 {
		t.Errorf("%d handshakes, want 80", run.Handshakes())
	}
	run.Close()
	for _, s := range run.Sessions() {
		if _, ended := s.End(); !ended {
			t.Errorf("session %d has not ended", s.Number)
		}
	}
}

func TestAServerThatForgets(t *testing.T) {
	cfg := realtimetest.Config{Forget: true, Voice: fixed(realtimetest.Speak(speech(10*time.Second), "x")), Pace: &realtimetest.Pace{}}
	bubble(t, cfg, func(t *testing.T, b *bench) {
		c := b.ga(t)
		c.ulaw(`,"turn_detection":null`)
		for range 40 {
			c.say(speech(time.Second))
			c.send(`{"type":"input_audio_buffer.commit"}`)
			c.send(`{"type":"response.create"}`)
			c.next("…response.done")
		}
		c.next("rate_limits.updated")
		if n := c.InputBytes(); n != 40*8000 {
			t.Errorf("%d bytes counted, want 320000", n)
		}
		if len(c.Input()) != 0 || len(c.Outputs()) != 0 {
			t.Error("audio was recorded")
		}
		if n := len(c.Events()); n > 512 {
			t.Errorf("%d events remembered, want at most 512", n)
		}
		for _, e := range c.Events() {
			if len(e.Raw) > 1<<16 {
				t.Errorf("%d bytes of a %s remembered", len(e.Raw), e.Type)
			}
		}
		for _, it := range c.Items() {
			if len(it.Content[0].Audio) != 0 {
				t.Fatal("an item's audio was kept")
			}
		}
		items := c.Items()
		c.refused(truncate(items[len(items)-1].ID, 10_001), "") // lengths are still known
		c.Drop()
		<-c.Done()
	})
}

func TestWaiting(t *testing.T) {
	bubble(t, realtimetest.Config{}, func(t *testing.T, b *bench) {
		c := b.ga(t)
		if e, err := c.WaitEvent(t.Context(), "session.created", 1); err != nil || !e.Sent || !json.Valid(e.Raw) {
			t.Errorf("event %v, %v", e, err)
		}
		found := make(chan error, 1)
		go func() {
			e, err := c.WaitEvent(t.Context(), "input_audio_buffer.clear", 2)
			if err == nil && e.At != 3*time.Second {
				err = fmt.Errorf("at %v", e.At)
			}
			found <- err
		}()
		c.send(`{"type":"input_audio_buffer.clear"}`)
		time.Sleep(3 * time.Second)
		c.send(`{"type":"input_audio_buffer.clear"}`)
		if err := <-found; err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.WaitEvent(ctx, "response.done", 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waited in vain: %v", err)
		}
		c.Close(1000, "")
		if err := c.Wait(t.Context(), func() bool { return false }); !errors.Is(err, realtimetest.ErrEnded) {
			t.Errorf("waited for an ended session: %v", err)
		}
	})
}

func TestObserve(t *testing.T) {
	var seen []string
	cfg := realtimetest.Config{Observe: func(_ *realtimetest.Session, e realtimetest.Event) {
		seen = append(seen, e.Type)
	}}
	bubble(t, cfg, func(t *testing.T, b *bench) {
		c := b.ga(t)
		c.ulaw("")
		c.Drop()
		<-c.Done()
		if len(seen) != 3 || seen[1] != "session.update" {
			t.Errorf("observed %v", seen)
		}
	})
}

func TestClosingDoesNotWaitForAClientThatDoesNotRead(t *testing.T) {
	bubble(t, realtimetest.Config{}, func(t *testing.T, b *bench) {
		conn, _, err := b.try(nil, "?model=m") // session.created fills the pipe
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		synctest.Wait()
		start := time.Now()
		b.Close()
		if d := time.Since(start); d != 0 {
			t.Errorf("took %v", d)
		}
		if end, ok := b.Sessions()[0].End(); !ok || end != (realtimetest.End{}) {
			t.Errorf("end %v, %v; want the server's own", end, ok)
		}
	})
}

// FuzzClientEvent sends anything. Whatever it is, the session answers the event
// after it.
func FuzzClientEvent(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, `{"type":"response.create","response":{"input":[{"type":"message","role":"user","content":[{"type":"input_audio","audio":"AA=="}]}]}}`,
		`{"type":"session.update","session":{"type":"realtime","tracing":{"metadata":{}},"audio":{"input":{"turn_detection":{"type":"server_vad","idle_timeout_ms":null}}}}}`,
		`{"type":"conversation.item.create","item":{"type":"mcp_approval_response","approval_request_id":"x","approve":true}}`,
		`{"type":"conversation.item.create","item":{"type":"function_call","name":"f","arguments":"{}","call_id":"c"}}`,
		`{"type":"conversation.item.truncate","item_id":"x","content_index":1e2,"audio_end_ms":1e400}`,
		`{"type":"input_audio_buffer.append","audio":"` + "\\u0041" + `AAA"}`, `{"type":"input_audio_buffer.append","audio":"/////w=="}`,
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	run, err := realtimetest.Listen(realtimetest.Config{Dialects: realtimetest.Both, Forget: true, Pace: &realtimetest.Pace{}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(run.Close)
	f.Fuzz(func(t *testing.T, message []byte, beta bool) {
		header := map[string][]string{}
		if beta {
			header["OpenAI-Beta"] = []string{"realtime=v1"}
		}
		conn, _, err := websocket.DefaultDialer.Dial(run.URL+"?model=m", header)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for _, m := range [][]byte{message, []byte(`{"type":"scooby.dooby.doo","event_id":"last"}`)} {
			if err := conn.WriteMessage(websocket.TextMessage, m); err != nil {
				t.Fatal(err)
			}
		}
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		for {
			var m struct {
				Error struct {
					EventID string `json:"event_id"`
				}
			}
			if err := conn.ReadJSON(&m); err != nil {
				t.Fatalf("%s: %v", message, err)
			}
			if m.Error.EventID == "last" {
				return
			}
		}
	})
}

// BenchmarkAppend is what a frame of the caller costs, both ends together.
func BenchmarkAppend(b *testing.B) {
	run := listen(b, realtimetest.Config{Forget: true})
	conn := connect(b, run)
	audio := base64.StdEncoding.EncodeToString(realtimetest.PCMU.Silence(20))
	message := []byte(`{"type":"input_audio_buffer.append","audio":"` + audio + `"}`)
	b.ReportAllocs()
	for b.Loop() {
		if err := conn.WriteMessage(websocket.TextMessage, message); err != nil {
			b.Fatal(err)
		}
	}
}
