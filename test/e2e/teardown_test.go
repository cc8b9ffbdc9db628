package e2e_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/callgw/callgw/realtime/realtimetest"
)

// TestACallEndsOnBothSides goes through all that can end a call.
func TestACallEndsOnBothSides(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		agent string
		legs  []string
		end   func(t *testing.T, p *Phoned)
		known time.Duration // until the cause is known
		cause string
	}{
		{
			name: "the caller hangs up", cause: "caller_hung_up",
			end: func(t *testing.T, p *Phoned) {
				if err := p.Hangup(within(t)); err != nil {
					t.Error(err)
				}
			},
		},
		{
			name: "the provider closes politely", cause: "provider_lost", known: repair,
			end: func(_ *testing.T, p *Phoned) { p.Session.Close(1000, "bye") },
		},
		{
			name: "the provider's session expires", cause: "provider_lost", known: repair,
			end: func(_ *testing.T, p *Phoned) { p.Session.Expire() },
		},
		{
			name: "the provider dies", cause: "provider_lost", known: repair,
			end: func(_ *testing.T, p *Phoned) { p.Session.Drop() },
		},
		{
			name: "the provider dies with a socket that stays open", cause: "operator_hung_up",
			end: func(t *testing.T, p *Phoned) {
				p.Session.StallWriting()
				p.Session.StallReading()
				operatorHangsUp(t, p)
			},
		},
		{
			name: "an operator hangs up", cause: "operator_hung_up",
			end: operatorHangsUp,
		},
		{
			name: "the call lasts too long", cause: "duration_limit",
			agent: `limits: {duration: 1s}`, known: 5 * time.Second, // the agent takes its leave
		},
		{
			name: "nobody speaks", cause: "silence_limit",
			agent: "greeting: none\nlimits: {silence: 1s}", known: 3 * time.Second,
		},
		{
			name: "the process ends", cause: "shutdown",
			end: func(_ *testing.T, p *Phoned) { p.g.DrainNow(); p.g.stop() },
		},
		{
			name: "the carrier crashes", cause: "leg_failed", legs: []string{streamLeg},
			end: func(_ *testing.T, p *Phoned) { p.Stream().Crash() },
		},
	} {
		if c.legs == nil {
			c.legs = legs
		}
		for _, leg := range c.legs {
			t.Run(leg+": "+c.name, func(t *testing.T) {
				t.Parallel()
				var provider outage
				g := start(t, Setup{Agent: c.agent, Provider: realtimetest.Config{
					Voice: singing(500 * time.Millisecond), Fault: provider.fault,
				}})
				p := g.phone(leg, 0)
				provider.Store(true)
				// Both directions are at work.
				if err := p.Session.Wait(within(t), func() bool { return p.Session.InputBytes() > 0 }); err != nil {
					t.Fatal(err)
				}
				if c.end != nil {
					c.end(t, p)
				}
				p.Ends(atOnce+c.known, c.cause)
				if end, _ := p.Session.End(); c.cause != "provider_lost" && !end.ByClient {
					t.Errorf("the session was not closed by the gateway: %+v", end)
				}
			})
		}
	}
}

// operatorHangsUp ends a call through the API.
func operatorHangsUp(t *testing.T, p *Phoned) {
	t.Helper()
	id := p.g.Calls.All()[p.Number].ID
	url := p.g.URL("admin") + "/api/v1/calls/" + id
	if status := request(t, http.MethodDelete, url); status != http.StatusAccepted {
		t.Errorf("DELETE of a call answers %d", status)
	}
	if status := request(t, http.MethodDelete, p.g.URL("admin")+"/api/v1/calls/none"); status != http.StatusNotFound {
		t.Errorf("DELETE of no call answers %d", status)
	}
}

// request sends a request without a body and returns the status.
func request(t *testing.T, method, url string) int {
	t.Helper()
	status, _ := fetch(t, method, url)
	return status
}

// TestACallerWhoGivesUpIsForgotten cancels while the session is being opened.
func TestACallerWhoGivesUpIsForgotten(t *testing.T) {
	t.Parallel()
	g := start(t, Setup{Provider: realtimetest.Config{
		Fault: func(int) realtimetest.Fault { return realtimetest.Fault{NoUpdated: true} },
	}})
	peer := dialLine(t, g, lineConfig{})
	peer.dialog.Invite(peer.offer())
	peer.sip.Expect("180 INVITE")
	s := g.Session(0)
	peer.dialog.Cancel()
	peer.sip.Skip("200 CANCEL")
	peer.dialog.AckFailure(peer.sip.Expect("487 INVITE"))
	w, _ := g.Calls.Await(t, 0, "ended")
	awaitFor(t, atOnce+slack, s.Done(), "the session to be closed")
	g.saysWhy(w, "caller_cancelled")
	if fmt.Sprint(w.Events[len(w.Events)-1].Attr("cause")) != "caller_cancelled" {
		t.Error(w)
	}
}
