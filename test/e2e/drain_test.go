package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/callgw/callgw/internal/caller"
)

// TestADrainLetsCallsFinish ends the process while a call lasts.
func TestADrainLetsCallsFinish(t *testing.T) {
	t.Parallel()
	for _, leg := range legs {
		t.Run(leg, func(t *testing.T) {
			t.Parallel()
			g := start(t, Setup{More: "calls: {drain: 1m}"})
			p := g.phone(leg, 0)
			if status, body := fetch(t, http.MethodGet, g.URL("admin")+"/readyz"); status != http.StatusOK {
				t.Errorf("/readyz: %d %s", status, body)
			}
			target := g.target(leg)
			g.stop()
			if !settles(patience, g.Registry().Draining) {
				t.Fatal("the gateway does not drain")
			}
			status, body := fetch(t, http.MethodGet, g.URL("admin")+"/readyz")
			if status != http.StatusServiceUnavailable || !strings.Contains(body, "draining") {
				t.Errorf("/readyz while draining: %d %s", status, body)
			}
			if second, err := caller.Dial(within(t), target); err == nil {
				_ = second.Hangup(within(t))
				t.Error("a new call was taken while draining")
			} else if !strings.Contains(err.Error(), "busy") && !strings.Contains(err.Error(), "503") {
				t.Errorf("a new call was refused with: %v", err)
			}
			// The one that runs is left alone.
			before := p.Session.InputBytes()
			if err := p.Session.Wait(within(t), func() bool { return p.Session.InputBytes() > before+8000 }); err != nil {
				t.Fatal(err)
			}
			if err := p.Hangup(within(t)); err != nil {
				t.Error(err)
			}
			p.Ends(atOnce, "caller_hung_up")
			awaitFor(t, 2*atOnce+slack, g.stopped, "the gateway to end after its last call")
		})
	}
}

// TestADrainEndsInTime hangs up the calls that outlast calls.drain.
func TestADrainEndsInTime(t *testing.T) {
	t.Parallel()
	for _, leg := range legs {
		t.Run(leg, func(t *testing.T) {
			t.Parallel()
			const limit = 1500 * time.Millisecond
			g := start(t, Setup{More: "calls: {drain: 1500ms}"})
			p := g.phone(leg, 0)
			began := time.Now()
			g.stop()
			_, ending := g.Calls.Await(t, 0, "ending")
			if took := ending.At.Sub(began); took < limit || took > limit+slack {
				t.Errorf("the call was ended after %v, not %v", took, limit)
			}
			p.Ends(0, "shutdown")
			awaitFor(t, 2*atOnce+slack, g.stopped, "the gateway to end")
		})
	}
}
