package interop_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
)

// placed is a call that a gateway has placed and that was answered: it plays 800 Hz.
type placed struct {
	*echo
	call   *sip.Call
	hangUp context.CancelCauseFunc
	over   chan error
}

// place places a call, which lasts for half a minute at most.
func place(t *testing.T, g *gateway, out sip.Dial) *placed {
	t.Helper()
	limited, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	call, err := g.server.Dial(limited, out)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	ctx, hangUp := context.WithCancelCause(limited)
	p := &placed{echo: &echo{tone: tone(800, time.Second)}, call: call, hangUp: hangUp, over: make(chan error, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.over <- call.Run(ctx, p.echo, p.echo)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return p
}

// end hangs up, after which the call must be over for that reason.
func (p *placed) end(t *testing.T) {
	t.Helper()
	p.hangUp(media.AgentHungUp)
	p.ended(t, media.AgentHungUp)
}

// ended waits for the end of the call and wants its reason.
func (p *placed) ended(t *testing.T, want media.Cause) {
	t.Helper()
	if err := <-p.over; media.CauseOf(err) != want {
		t.Errorf("Run() = %v, want %v", err, want)
	}
}

// hears waits until so much has been heard in all.
func (e *echo) hears(t *testing.T, d time.Duration) {
	t.Helper()
	eventually(t, "something is heard", func() bool { return e.lasted() >= d })
}

// lasted is how much has been heard so far.
func (e *echo) lasted() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	return media.Duration(int64(len(e.heard)))
}

// held waits until it was told of exactly those holds, true, and resumptions, false.
func (e *echo) held(t *testing.T, want ...bool) {
	t.Helper()
	eventually(t, "it is held or resumed", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return slices.Equal(e.holds, want)
	})
}

// pressed waits for keys.
func (e *echo) pressed(t *testing.T, want string) {
	t.Helper()
	eventually(t, "the keys "+want+" are pressed", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.digits == want
	})
}

// heardShare is how much of what was heard is at that frequency, most of it.
func (e *echo) heardShare(t *testing.T, hertz float64) float64 {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	s := share(e.heard, hertz)
	if len(e.heard) < media.SampleRate || s < mostly {
		t.Errorf("callgw heard %v, %.0f %% of it the peer's tone", media.Duration(int64(len(e.heard))), 100*s)
	}
	return s
}
