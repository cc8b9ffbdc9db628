package realtimetest_test

import (
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/gorilla/websocket"
)

// faulty is a server all of whose sessions have one fault.
func faulty(f realtimetest.Fault) realtimetest.Config {
	return realtimetest.Config{Fault: func(int) realtimetest.Fault { return f }}
}

func on(event string, nth int, do realtimetest.Action) realtimetest.Fault {
	return realtimetest.Fault{Triggers: []realtimetest.Trigger{{On: event, Nth: nth, Do: do}}}
}

func TestUpdateFaults(t *testing.T) {
	bubble(t, faulty(realtimetest.Fault{UpdatedDelay: 2 * time.Second}), func(t *testing.T, b *bench) {
		c := b.ga(t)
		start := time.Now()
		c.ulaw("")
		if d := time.Since(start); d != 2*time.Second {
			t.Errorf("session.updated took %v, want 2s", d)
		}
	})
	bubble(t, faulty(realtimetest.Fault{NoUpdated: true}), func(t *testing.T, b *bench) {
		c := b.ga(t)
		c.send(update(`"instructions":"x"`))
		c.quiet(10 * time.Second)
	})
	bubble(t, faulty(realtimetest.Fault{Echo: realtimetest.PCM16}), func(t *testing.T, b *bench) {
		c := b.ga(t)
		c.send(update(`"audio":{"input":{"format":{"type":"audio/pcmu"}}}`))
		if f := at(c.next("session.updated")["session"], "audio.input.format.type"); f != "audio/pcm" {
			t.Errorf("echoes %v, want audio/pcm", f)
		}
	})
}

func TestResponseFaults(t *testing.T) {
	bubble(t, faulty(realtimetest.Fault{Fail: realtimetest.RateLimited()}), func(t *testing.T, b *bench) {
		c := b.ga(t)
		c.ulaw("")
		c.send(`{"type":"response.create"}`)
		if r := c.next("…response.done")["response"].(map[string]any); r["status"] != "failed" {
			t.Errorf("response %v", r)
		}
	})
	bubble(t, faulty(realtimetest.Fault{WrongAudio: true}), func(t *testing.T, b *bench) {
		c := b.ga(t)
		c.ulaw("")
		c.send(`{"type":"response.create"}`)
		encoded := 0
		for m := range c.events {
			if d, ok := m["delta"].(string); ok && m["type"] == "response.output_audio.delta" {
				encoded += len(d) / 4 * 3
			}
			if m["type"] == "response.done" {
				break
			}
		}
		if right := len(realtimetest.GreetingAudio(realtimetest.PCMU)); encoded < 5*right {
			t.Errorf("%d bytes under the name of %d", encoded, right)
		}
	})
}

func TestTriggers(t *testing.T) {
	t.Run("close on an event that is sent", func(t *testing.T) {
		bubble(t, faulty(on("response.output_audio.delta", 2, realtimetest.CloseWith(1011, "server_error"))), func(t *testing.T, b *bench) {
			c := b.ga(t)
			c.ulaw("")
			c.send(`{"type":"response.create"}`)
			c.next("…response.output_audio.delta", "…response.output_audio.delta")
			if closed := c.closed(1011); closed.Text != "server_error" {
				t.Errorf("reason %q", closed.Text)
			}
			<-c.Done()
			if end, ok := c.End(); !ok || end != (realtimetest.End{Code: 1011, Reason: "server_error"}) {
				t.Errorf("end %v, %v", end, ok)
			}
		})
	})
	t.Run("drop on an event that is received", func(t *testing.T) {
		bubble(t, faulty(on("session.update", 0, (*realtimetest.Session).Drop)), func(t *testing.T, b *bench) {
			c := b.ga(t)
			c.ulaw("")
			if m, ok := c.receive(); ok {
				t.Fatalf("got %v instead of the end", m)
			}
			if !websocket.IsCloseError(c.err, websocket.CloseAbnormalClosure) {
				t.Errorf("ended with %v, want no close frame", c.err)
			}
		})
	})
	t.Run("at a time", func(t *testing.T) {
		fault := realtimetest.Fault{Triggers: []realtimetest.Trigger{
			{After: time.Second, Do: realtimetest.SendText(`{"type":`)},
			{After: 2 * time.Second, Do: realtimetest.SendBinary([]byte{1, 2})},
			{After: 3 * time.Second, Do: realtimetest.SendError(&realtimetest.Error{Type: "server_error", Message: "Oops."})},
			{After: 4 * time.Second, Do: (*realtimetest.Session).Expire},
		}}
		bubble(t, faulty(fault), func(t *testing.T, b *bench) {
			c := b.ga(t)
			start := time.Now()
			c.next("malformed", "malformed")
			if e := c.next("error")["error"].(map[string]any); e["type"] != "server_error" || e["code"] != nil {
				t.Errorf("error %v", e)
			}
			if e := c.next("error")["error"].(map[string]any); e["code"] != "session_expired" {
				t.Errorf("error %v", e)
			}
			c.closed(1001)
			if d := time.Since(start); d != 4*time.Second {
				t.Errorf("expired after %v", d)
			}
		})
	})
}

func TestExpiry(t *testing.T) {
	bubble(t, realtimetest.Config{}, func(t *testing.T, b *bench) {
		c := b.ga(t)
		start := time.Now()
		c.next("error")
		if closed := c.closed(1001); time.Since(start) != time.Hour || closed.Text != "Your session hit the maximum duration of 60 minutes." {
			t.Errorf("closed after %v: %q", time.Since(start), closed.Text)
		}
	})
}

func TestStalls(t *testing.T) {
	t.Run("writing", func(t *testing.T) {
		bubble(t, realtimetest.Config{}, func(t *testing.T, b *bench) {
			c := b.ga(t)
			var pongs atomic.Int32
			c.conn.SetPongHandler(func(string) error { pongs.Add(1); return nil })
			ping := func() {
				if err := c.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second)); err != nil {
					t.Error(err)
				}
			}
			ping()
			synctest.Wait()
			c.StallWriting()
			synctest.Wait()
			ping()
			c.send(`{"type":"input_audio_buffer.clear"}`)
			c.quiet(30 * time.Second)
			if n := pongs.Load(); n != 1 {
				t.Errorf("%d pongs, want that of before the stall", n)
			}
			c.Resume()
			c.next("input_audio_buffer.cleared")
		})
	})
	t.Run("reading", func(t *testing.T) {
		bubble(t, realtimetest.Config{}, func(t *testing.T, b *bench) {
			c := b.ga(t)
			c.StallReading()
			synctest.Wait()
			var err error
			for range 10 { // a pipe holds nothing: the second or third write blocks
				if err = c.conn.SetWriteDeadline(time.Now().Add(5 * time.Second)); err != nil {
					t.Fatal(err)
				}
				if err = c.conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"input_audio_buffer.clear"}`)); err != nil {
					break
				}
			}
			var timeout net.Error
			if !errors.As(err, &timeout) || !timeout.Timeout() {
				t.Errorf("write ended with %v, want a time-out", err)
			}
		})
	})
}

func TestAClientThatCloses(t *testing.T) {
	closing := func(t *testing.T, c *client) {
		t.Helper()
		frame := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "bye")
		if err := c.conn.WriteControl(websocket.CloseMessage, frame, time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	bubble(t, realtimetest.Config{}, func(t *testing.T, b *bench) {
		c := b.ga(t)
		closing(t, c)
		c.closed(websocket.CloseNormalClosure)
		<-c.Done()
		if end, _ := c.End(); end != (realtimetest.End{ByClient: true, Code: 1000, Reason: "bye"}) {
			t.Errorf("end %v", end)
		}
	})
	bubble(t, faulty(realtimetest.Fault{NoCloseReply: true}), func(t *testing.T, b *bench) {
		c := b.ga(t)
		closing(t, c)
		c.quiet(time.Minute)
		if err := c.conn.Close(); err != nil {
			t.Fatal(err)
		}
		<-c.Done()
	})
	bubble(t, realtimetest.Config{}, func(t *testing.T, b *bench) {
		c := b.ga(t)
		if err := c.conn.NetConn().Close(); err != nil {
			t.Fatal(err)
		}
		<-c.Done()
		if end, _ := c.End(); !end.ByClient || end.Code != 0 || end.Err == nil {
			t.Errorf("end %v, want a broken connection", end)
		}
	})
}
