package realtime_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/realtime"
)

// virtual opens a session over a pipe, in a synctest bubble. Run's result comes
// on the channel.
func virtual(t *testing.T, cfg realtime.Config, script func(*peer)) (*realtime.Session, <-chan error) {
	t.Helper()
	var provider realtime.Provider
	provider, cfg.Dial = dialPipe(t, script)
	cfg.Providers = []realtime.Provider{provider}
	if cfg.Properties.InputAudioFormat == "" {
		cfg.Properties = ulaw
	}
	s := newSession(t, cfg)
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	result := make(chan error, 1)
	go func() { result <- s.Run(context.Background()) }()
	return s, result
}

func TestCloseDoesNotWaitForAPeerThatNeverAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := make(chan int, 1)
		s, result := virtual(t, realtime.Config{}, func(p *peer) {
			p.open()
			p.ws.SetCloseHandler(func(code int, _ string) error { said <- code; return nil })
			p.drain()
			_, _ = p.ws.NetConn().Read(make([]byte, 1)) // keeps the socket, silently
		})
		synctest.Wait()
		begin := time.Now()
		s.Close()
		s.Close()
		if err := <-result; err != nil {
			t.Errorf("Run = %v", err)
		}
		if took := time.Since(begin); took != time.Second {
			t.Errorf("closing took %v, want CloseTimeout", took)
		}
		if code := <-said; code != websocket.CloseNormalClosure {
			t.Errorf("closed with %d", code)
		}
	})
}

func TestCloseIsQuickWhenThePeerAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, result := virtual(t, realtime.Config{}, func(p *peer) { p.open(); p.drain() })
		synctest.Wait()
		begin := time.Now()
		s.Close()
		if err := <-result; err != nil {
			t.Errorf("Run = %v", err)
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("closing took %v", took)
		}
	})
}

func TestASocketThatDoesNotTakeAnythingIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, result := virtual(t, realtime.Config{}, func(p *peer) {
			p.open()
			time.Sleep(time.Minute) // reads nothing
		})
		begin := time.Now()
		frame := make([]byte, 160)
		for range 300 {
			s.Append(frame)
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("Append blocked for %v", took)
		}
		err := <-result
		var lost *realtime.LostError
		if !errors.As(err, &lost) || !errors.Is(err, realtime.ErrWriteTimeout) || !realtime.Retryable(err) {
			t.Errorf("Run = %v", err)
		}
		if took := time.Since(begin); took != 5*time.Second {
			t.Errorf("lost after %v, want WriteTimeout", took)
		}
		if stats := s.Stats(); stats.AudioIn != 48000 || stats.AudioDropped == 0 {
			t.Errorf("stats = %+v", stats)
		}
	})
}

func TestCloseOfAStalledSocketIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, result := virtual(t, realtime.Config{}, func(p *peer) {
			p.open()
			time.Sleep(time.Minute)
		})
		s.Append(make([]byte, 160))
		synctest.Wait() // the writer is stuck
		begin := time.Now()
		s.Close()
		if err := <-result; err != nil {
			t.Errorf("Run = %v", err)
		}
		if took := time.Since(begin); took != time.Second {
			t.Errorf("closing took %v, want CloseTimeout", took)
		}
	})
}

func TestAPeerThatDoesNotAnswerPingsIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var pings atomic.Int32
		_, result := virtual(t, realtime.Config{}, func(p *peer) {
			p.open()
			p.ws.SetPingHandler(func(string) error { pings.Add(1); return nil })
			p.drain()
		})
		err := <-result
		if !errors.Is(err, realtime.ErrPingTimeout) || !realtime.Retryable(err) {
			t.Errorf("Run = %v", err)
		}
		// A ping each 20 s; the gate counts as a sign of life at the first.
		if took := time.Since(begin); took != 60*time.Second || pings.Load() != 2 {
			t.Errorf("lost after %v and %d pings", took, pings.Load())
		}
	})
}

func TestAPeerThatAnswersPingsIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pong := make(chan string, 1)
		s, result := virtual(t, realtime.Config{}, func(p *peer) {
			p.open()
			p.ws.SetPongHandler(func(payload string) error { pong <- payload; return nil })
			_ = p.ws.WriteControl(websocket.PingMessage, []byte("are you there"), time.Now().Add(time.Second))
			p.drain()
		})
		if got := <-pong; got != "are you there" {
			t.Errorf("pong = %q", got)
		}
		time.Sleep(time.Hour)
		select {
		case err := <-result:
			t.Errorf("Run = %v", err)
		default:
		}
		s.Close()
		if err := <-result; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}

func TestLossIsNotTakenForAnEnd(t *testing.T) {
	for _, c := range []struct {
		name   string
		script func(*peer)
		close  int
		reason string
		code   string
		retry  bool
	}{
		{"a polite close that we did not ask for", func(p *peer) { sayGoodbye(p, 1000, "bye") }, 1000, "bye", "", false},
		{"going away", func(p *peer) { sayGoodbye(p, 1001, "") }, 1001, "", "", true},
		{"the connection breaks", func(p *peer) { _ = p.ws.NetConn().Close() }, 0, "", "", true},
		{
			"the session expires", func(p *peer) {
				p.send(`{"type":"error","error":{"type":"invalid_request_error","code":"session_expired","message":"60 minutes"}}`)
				sayGoodbye(p, 1001, "60 minutes")
			},
			1001, "60 minutes", "session_expired", true,
		},
		{
			"the quota is used up", func(p *peer) {
				p.send(`{"type":"error","error":{"type":"insufficient_quota","code":"insufficient_quota","message":"pay"}}`)
				_ = p.ws.NetConn().Close()
			},
			0, "", "insufficient_quota", false,
		},
		{
			"half a frame", func(p *peer) {
				_, _ = p.ws.NetConn().Write([]byte{0x81, 126, 0x10, 0x00, '{'})
				_ = p.ws.NetConn().Close()
			},
			0, "", "", true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, result := start(t, realtime.Config{
				Properties: ulaw,
				Providers:  providers(t, func(p *peer) { p.open(); c.script(p) }),
			})
			err := receive(t, result)
			var lost *realtime.LostError
			if !errors.As(err, &lost) {
				t.Fatalf("Run = %v", err)
			}
			code := ""
			if lost.Detail != nil {
				code = lost.Detail.Code
			}
			if lost.Close != c.close || lost.Reason != c.reason || code != c.code || realtime.Retryable(err) != c.retry {
				t.Errorf("lost = %+v, retryable %v", lost, realtime.Retryable(err))
			}
		})
	}
}

func sayGoodbye(p *peer, code int, reason string) {
	_ = p.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(time.Second))
	p.drain()
}

func TestTheCloseFrameIsNotLostToABrokenWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, result := virtual(t, realtime.Config{}, func(p *peer) {
			p.open()
			time.Sleep(time.Second) // the session is stuck in a write
			_ = p.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1001, "restart"), time.Now().Add(time.Second))
			_ = p.ws.NetConn().Close()
		})
		s.Append(make([]byte, 160))
		var lost *realtime.LostError
		if err := <-result; !errors.As(err, &lost) || lost.Close != 1001 || lost.Reason != "restart" {
			t.Errorf("Run = %v", err)
		}
	})
}

func TestWhatCannotBeReadIsCountedAndTheSessionLives(t *testing.T) {
	big := strings.Repeat("AAAA", 1<<18) // 1 MB of base64
	handler := record()
	s, _ := start(t, realtime.Config{
		Properties: ulaw, Handler: handler,
		Providers: providers(t, func(p *peer) {
			p.open()
			_ = p.ws.WriteMessage(websocket.BinaryMessage, []byte("binary"))
			p.send(`{"type":"response.audio.delta","delta":"%%%"}`)
			p.send(`{"type":`)
			p.send(`{"type":"weather.changed"}`)
			p.send(`{"type":"conversation.item.retrieved","item":{"id":"big","type":"message","content":[{"type":"audio","audio":"` + big + `"}]}}`)
			// In three frames.
			w, _ := p.ws.NextWriter(websocket.TextMessage)
			for _, part := range []string{`{"type":"input_audio_buffer.speech_started",`, `"item_id":`, `"i9"}`} {
				_, _ = w.Write([]byte(part + strings.Repeat(" ", 5000)))
			}
			_ = w.Close()
			p.drain()
		}),
	})
	for _, kind := range []string{"response.audio.delta", "", "weather.changed"} {
		if u := await[realtime.Unknown](t, handler); u.Type != kind || (u.Err == nil) != (kind == "weather.changed") {
			t.Errorf("unknown = %+v, want %q", u, kind)
		}
	}
	if item := await[realtime.ItemRetrieved](t, handler).Item; len(item.Content[0].Audio) != len(big) {
		t.Errorf("item = %s with %d bytes", item.ID, len(item.Content[0].Audio))
	}
	if e := await[realtime.SpeechStarted](t, handler); e.ItemID != "i9" {
		t.Errorf("event = %+v", e)
	}
	if stats := s.Stats(); stats.Skipped != 1 || stats.Malformed != 2 || stats.Unknown != 1 {
		t.Errorf("stats = %+v", stats)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	why := errors.New("call over")
	ctx, cancel := context.WithCancelCause(t.Context())
	s := newSession(t, realtime.Config{Properties: ulaw, Providers: providers(t, func(p *peer) { p.open(); p.drain() })})
	if err := s.Open(ctx); err != nil {
		t.Fatal(err)
	}
	result := make(chan error, 1)
	go func() { result <- s.Run(ctx) }()
	cancel(why)
	if err := receive(t, result); !errors.Is(err, why) {
		t.Errorf("Run = %v", err)
	}
}

func TestCloseBetweenOpenAndRunEndsTheSocket(t *testing.T) {
	gone := make(chan struct{})
	s := newSession(t, realtime.Config{Properties: ulaw, Providers: providers(t, func(p *peer) {
		p.open()
		p.drain()
		close(gone)
	})})
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Close()
	receive(t, gone)
	if err := s.Run(t.Context()); err != nil {
		t.Errorf("Run = %v", err)
	}
}

func TestCallsAfterClose(t *testing.T) {
	s := newSession(t, realtime.Config{Providers: []realtime.Provider{{BaseURL: "ws://localhost"}}})
	s.Close()
	s.Append([]byte("x"))
	for name, call := range map[string]func() error{
		"Commit":   s.Commit,
		"Clear":    s.Clear,
		"Respond":  func() error { return s.Respond(realtime.ResponseRequest{}) },
		"Cancel":   func() error { return s.Cancel("") },
		"Truncate": func() error { return s.Truncate("i", 0, 0) },
		"Delete":   func() error { return s.Delete("i") },
		"Create":   func() error { return s.CreateItem(realtime.Message("user", "x")) },
		"Update":   func() error { return s.Update(realtime.Properties{Voice: "x"}) },
		"Open":     func() error { return s.Open(t.Context()) },
		"Retrieve": func() error { _, err := s.Retrieve(t.Context(), "i"); return err },
	} {
		if err := call(); !errors.Is(err, realtime.ErrClosed) {
			t.Errorf("%s = %v", name, err)
		}
	}
	if stats := s.Stats(); stats.AudioIn != 0 {
		t.Errorf("stats = %+v", stats)
	}
}

func TestAHandlerMayCloseTheSession(t *testing.T) {
	var s *realtime.Session
	handler := record()
	handler.during = func(e realtime.Event) {
		if _, ok := e.(realtime.SpeechStarted); ok {
			s.Close()
		}
	}
	provider := serve(t, func(p *peer) {
		p.open()
		p.send(`{"type":"input_audio_buffer.speech_started"}`)
		p.send(`{"type":"input_audio_buffer.speech_stopped"}`)
		p.drain()
	})
	s = newSession(t, realtime.Config{Providers: []realtime.Provider{provider}, Properties: ulaw, Handler: handler})
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context()); err != nil {
		t.Errorf("Run = %v", err)
	}
	close(handler.events)
	for e := range handler.events {
		if _, ok := e.(realtime.SpeechStopped); ok {
			t.Error("an event came after Close")
		}
	}
}

func TestSessionsLeaveNothingBehind(t *testing.T) {
	provider := serve(t, func(p *peer) {
		p.send(`{"type":"session.created","session":{}}`)
		if _, ok := p.next(); !ok {
			return
		}
		p.send(`{"type":"session.updated","session":{}}`)
		for i := range 5 {
			p.send(fmt.Sprintf(`{"type":"x","n":%d}`, i))
		}
		p.drain()
	})
	for i := range 50 {
		s := newSession(t, realtime.Config{Providers: []realtime.Provider{provider}, Properties: ulaw, Handler: deaf{}})
		opened := make(chan error, 1)
		go func() {
			err := s.Open(t.Context())
			if err == nil {
				err = s.Run(t.Context())
			}
			opened <- err
		}()
		for range i {
			s.Append(make([]byte, 160))
		}
		s.Close() // before, while or after Open
		if err := receive(t, opened); err != nil && !errors.Is(err, realtime.ErrClosed) {
			t.Errorf("session %d: %v", i, err)
		}
	}
}
