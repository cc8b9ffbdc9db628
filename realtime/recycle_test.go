package realtime_test

import (
	"bytes"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// line is a session in virtual time whose caller never stops sending.
type line struct {
	*realtime.Session
	server *realtimetest.Server
	heard  *recorder
	sent   []byte // all that the caller sent
	result chan error
}

func openLine(t *testing.T, cfg realtime.Config, life time.Duration, fault func(int) realtimetest.Fault) *line {
	s := newStage(t)
	l := &line{heard: record(), result: make(chan error, 1)}
	l.server = s.server("one", realtimetest.Config{Life: life, Fault: fault})
	cfg.Providers, cfg.Dial, cfg.Handler, cfg.Properties = s.list, s.dial, l.heard, ulaw
	cfg.RepairTimeout = 3 * time.Second
	l.Session = newSession(t, cfg)
	if err := l.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	go func() { l.result <- l.Run(t.Context()) }()
	return l
}

// send sends caller audio in real time.
func (l *line) send(audio []byte) {
	for len(audio) > 0 {
		n := min(160, len(audio))
		l.sent = append(l.sent, audio[:n]...)
		l.Append(audio[:n])
		audio = audio[n:]
		time.Sleep(20 * time.Millisecond)
	}
}

// hush is silence every stretch of which can be told from others.
func hush(d time.Duration) []byte {
	r := rand.New(rand.NewPCG(1, uint64(d)))
	audio := make([]byte, realtime.FormatULaw.Bytes(d))
	for i := range audio {
		audio[i] = 0x7e + byte(r.IntN(2))*0x81 // the two smallest values
	}
	return audio
}

func (l *line) hangUp(t *testing.T) {
	t.Helper()
	l.Close()
	if err := <-l.result; err != nil {
		t.Errorf("Run = %v", err)
	}
}

// seamless checks that the second session's audio goes on where no gap is.
func (l *line) seamless(t *testing.T) {
	t.Helper()
	synctest.Wait()
	old, now := l.server.Sessions()[0].Input(), l.server.Sessions()[1].Input()
	if !bytes.HasPrefix(l.sent, old) || !bytes.HasSuffix(l.sent, now) || len(old)+len(now) < len(l.sent) {
		t.Errorf("%d bytes went to the old server and %d to the new, of %d", len(old), len(now), len(l.sent))
	}
	if over := len(old) + len(now) - len(l.sent); over > 15*8000+800 {
		t.Errorf("%d bytes went to both", over)
	}
	for _, s := range l.server.Sessions() {
		if v := s.Violations(); len(v) > 0 {
			t.Errorf("session %d: %v", s.Number, v)
		}
	}
}

func TestASessionIsReplacedBeforeItExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := openLine(t, realtime.Config{RecycleBefore: 20 * time.Second}, time.Minute, nil)
		if err := l.CreateItem(realtime.Message("user", "Keep this.")); err != nil {
			t.Fatal(err)
		}
		l.send(hush(39 * time.Second))
		if n := l.server.Handshakes(); n != 1 {
			t.Fatalf("%d sessions after 39 s", n)
		}
		l.send(hush(5 * time.Second))
		if got := succession(l.heard); len(got) != 2 || got[1] != "recycled one" {
			t.Errorf("events = %q", got)
		}
		l.seamless(t)
		old, now := l.server.Sessions()[0], l.server.Sessions()[1]
		if end, over := old.End(); !over || !end.ByClient || end.Code != 1000 {
			t.Errorf("the old session ended %v: %+v", over, end)
		}
		configured, err := now.WaitEvent(t.Context(), "conversation.item.added", 1)
		if err != nil {
			t.Fatal(err)
		}
		if end := old.Events(); 40*time.Second+configured.At > end[len(end)-1].At+time.Second {
			t.Errorf("the new session was ready at %v, the old one's last event was at %v", configured.At, end[len(end)-1].At)
		}
		if len(now.Items()) != 1 || now.Items()[0].ID != old.Items()[0].ID {
			t.Errorf("items = %q, were %q", told(now), told(old))
		}
		l.hangUp(t)
	})
}

func TestAReplacementWaitsForAQuietMoment(t *testing.T) {
	for _, c := range []struct {
		name  string
		until time.Duration // not quiet
		at    time.Duration // of the replacement
	}{{"that comes", 50 * time.Second, 50 * time.Second}, {"that never comes", time.Hour, 55 * time.Second}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				l := openLine(t, realtime.Config{
					RecycleBefore: 20 * time.Second,
					Quiet:         func() bool { return time.Since(began) >= c.until },
				}, time.Minute, nil)
				l.send(hush(c.at - 500*time.Millisecond))
				if n := l.server.Handshakes(); n != 1 {
					t.Errorf("%d sessions before it is quiet", n)
				}
				l.send(hush(time.Second))
				if n := l.server.Handshakes(); n != 2 {
					t.Errorf("%d sessions afterwards", n)
				}
				l.seamless(t)
				l.hangUp(t)
			})
		})
	}
}

func TestAReplacementInMidSpeechLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := openLine(t, realtime.Config{RecycleBefore: 20 * time.Second}, time.Minute, nil)
		l.send(hush(50 * time.Second))
		// The first replacement came at 40 s; the second session expires at 100 s.
		l.send(hush(29 * time.Second))
		spoken := realtimetest.ToneAudio(realtimetest.PCMU, 14*time.Second+500*time.Millisecond)
		l.send(spoken) // from 79 s on: no quiet moment, and 95 s is the last
		l.send(hush(3 * time.Second))
		synctest.Wait()
		now := l.server.Sessions()[len(l.server.Sessions())-1]
		if len(l.server.Sessions()) != 3 {
			t.Fatalf("%d sessions", len(l.server.Sessions()))
		}
		found := false
		for _, s := range l.server.Sessions()[1:] {
			for _, item := range s.Items() {
				for _, part := range item.Content {
					found = found || bytes.Contains(part.Audio, spoken)
				}
			}
		}
		if !found {
			t.Errorf("no turn has all that was said; the last session has %q", told(now))
		}
		l.hangUp(t)
	})
}

func TestAReplacementThatIsRefusedIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var attempts atomic.Int32
		l := openLine(t, realtime.Config{RecycleBefore: 30 * time.Second}, time.Minute, func(n int) realtimetest.Fault {
			if attempts.Store(int32(n)); n > 0 && n < 3 {
				return realtimetest.Fault{Refuse: 503}
			}
			return realtimetest.Fault{}
		})
		l.send(hush(40 * time.Second))
		got := succession(l.heard)
		if len(got) != 4 || got[1] != "refused one" || got[3] != "recycled one" {
			t.Errorf("events = %q after %d attempts", got, attempts.Load())
		}
		l.hangUp(t)
	})
}

func TestTheNewConnectionDoesNotWaitForTheOldOnesFarewell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := openLine(t, realtime.Config{RecycleBefore: 20 * time.Second}, time.Minute, func(n int) realtimetest.Fault {
			return realtimetest.Fault{NoCloseReply: n == 0}
		})
		l.send(hush(40*time.Second + 200*time.Millisecond))
		if n := l.server.Handshakes(); n != 2 {
			t.Fatalf("%d sessions", n)
		}
		// The old server has not answered the close frame yet.
		if _, over := l.server.Sessions()[0].End(); over {
			t.Error("the old session has ended already")
		}
		if err := l.CreateItem(realtime.Message("user", "At once.")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		told := false
		for len(l.heard.events) > 0 {
			e, ok := (<-l.heard.events).(realtime.ItemAdded)
			told = told || ok && e.Origin == realtime.OriginOurs
		}
		if !told {
			t.Error("the new connection is not read")
		}
		l.hangUp(t)
	})
}

func TestUpdatesReachTheNextConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := openLine(t, realtime.Config{RecycleBefore: 20 * time.Second}, time.Minute, func(n int) realtimetest.Fault {
			return realtimetest.Fault{CreatedDelay: time.Duration(min(n, 1)) * time.Second, UpdatedDelay: time.Duration(min(n, 1)) * time.Second}
		})
		update := func(instructions string) {
			t.Helper()
			if err := l.Update(realtime.Properties{Instructions: instructions}); err != nil {
				t.Fatal(err)
			}
		}
		update("Before.")
		l.send(hush(41*time.Second + 500*time.Millisecond)) // the new one is configured, the old one still there
		update("Meanwhile.")
		l.send(hush(3 * time.Second))
		now := l.server.Sessions()[1]
		if got := now.Settings().Instructions; got != "Meanwhile." {
			t.Errorf("instructions after a replacement: %q", got)
		}
		now.Drop()
		synctest.Wait()
		update("Without a connection.")
		l.send(hush(8 * time.Second))
		if got := l.server.Sessions()[2].Settings().Instructions; got != "Without a connection." {
			t.Errorf("instructions after a repair: %q", got)
		}
		l.hangUp(t)
	})
}

func TestWithoutRecyclingASessionIsRepairedWhenItExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := openLine(t, realtime.Config{RecycleBefore: -1}, time.Minute, nil)
		l.send(hush(62 * time.Second))
		if got := succession(l.heard); len(got) != 3 || got[1] != "lost one" || got[2] != "restored one" {
			t.Errorf("events = %q", got)
		}
		l.seamless(t)
		l.hangUp(t)
	})
}
