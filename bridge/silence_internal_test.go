package bridge

import (
	"context"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// flushedLeg buffers; check is called when it is flushed.
type flushedLeg struct{ check func() }

func (l *flushedLeg) Codec() media.Codec                                      { return media.PCMU }
func (l *flushedLeg) Ring(context.Context) error                              { return nil }
func (l *flushedLeg) Answer(context.Context) error                            { return nil }
func (l *flushedLeg) Run(context.Context, media.Uplink, media.Downlink) error { return nil }
func (l *flushedLeg) Hangup(context.Context, error) error                     { return nil }
func (l *flushedLeg) Flush() int64                                            { l.check(); return 0 }

// speaking returns a call in the middle of its agent's speech.
func speaking(t *testing.T, check func(*Call)) (c *Call) {
	t.Helper()
	l := &flushedLeg{}
	c = New(Config{Leg: l, Agent: Agent{OnFailure: Failure{Audio: make([]byte, 800)}}})
	l.check = func() { check(c) }
	c.answeredAt = time.Now()
	if kept, err := c.queue.Write([]byte("r"), []byte("i"), 0, make([]byte, 1600)); !kept || err != nil {
		t.Fatal(kept, err)
	}
	c.queue.Next(make([]byte, 160))
	return c
}

// TestNobodyIsInterruptedTwiceAtATime looks at every way to stop the agent: two
// at the same time would clear at the far end what the other has just begun.
func TestNobodyIsInterruptedTwiceAtATime(t *testing.T) {
	for name, stop := range map[string]func(*Call){
		"the caller":  func(c *Call) { c.bargeIn(time.Now()) },
		"a noise":     func(c *Call) { c.hesitate() },
		"a failure":   func(c *Call) { c.fail(media.ProviderLost) },
		"wrong audio": func(c *Call) { c.wrongAudio() },
	} {
		t.Run(name, func(t *testing.T) {
			flushes := 0
			c := speaking(t, func(c *Call) {
				flushes++
				if c.interruptMu.TryLock() {
					c.interruptMu.Unlock()
					t.Error("flushed while somebody else may")
				}
			})
			stop(c)
			if flushes != 1 {
				t.Errorf("flushed %d times", flushes)
			}
		})
	}
}

// TestTheCallerDoesNotInterruptAnApology has the caller's speech be noticed
// before the failure, and acted on after it.
func TestTheCallerDoesNotInterruptAnApology(t *testing.T) {
	for name, notice := range map[string]func(*Call){
		"by the provider": func(c *Call) { c.interruptFor(time.Now()) },
		"by the bridge":   func(c *Call) { c.hesitate() },
	} {
		t.Run(name, func(t *testing.T) {
			c := speaking(t, func(*Call) {})
			c.fail(media.ProviderLost)
			before := c.queue.State()
			notice(c)
			if after := c.queue.State(); after.Received-after.Heard != before.Received-before.Heard {
				t.Errorf("%+v became %+v", before, after)
			}
			if got := c.queue.Next(make([]byte, 800)); got != 800 {
				t.Errorf("%d bytes of the apology", got)
			}
		})
	}
}
