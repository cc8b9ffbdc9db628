package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/internal/caller"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// passedOn is a caller at g who was transferred to callee by a second call, so that he
// hears the agent there.
func passedOn(t *testing.T, g, callee *Gateway) (p *Phoned, far *realtimetest.Session, path string) {
	t.Helper()
	p = g.phone(sipLeg, 0)
	path = "/api/v1/calls/" + g.Registry().Calls()[0].Facts().ID
	target := "sip:" + calledNumber + "@" + callee.SIP().String()
	if status, answer := g.post(t, path+"/transfer", fmt.Sprintf(`{"target": %q}`, target)); status != http.StatusOK {
		t.Fatalf("%d %s", status, answer)
	}
	far = callee.Session(0)
	g.Calls.Await(t, 0, bridge.EventRelayed)
	await(t, p.Session.Done(), "the agent's session to end")
	before := far.InputBytes()
	if err := far.Wait(within(t), func() bool { return far.InputBytes() > before+8000 }); err != nil {
		t.Errorf("the target hears nothing: %v", err)
	}
	return p, far, path
}

const bridging = `bridging: {from: [127.0.0.0/8], transfer: bridge}`

// TestACallerWhoIsPassedOnIsSeen transfers a caller by a second call: it takes its place
// among all calls, is listed, and is hung up by an operator.
func TestACallerWhoIsPassedOnIsSeen(t *testing.T) {
	t.Parallel()
	callee := start(t, Setup{})
	g := start(t, Setup{Trunk: "192.0.2.0/24", Trunks: bridging, More: "calls: {max: 1}"})
	p, far, path := passedOn(t, g, callee)

	if status, answer := g.http(t, "GET", path, ""); status != http.StatusOK || !strings.Contains(answer, `"state":"transferred"`) {
		t.Errorf("%d %s", status, answer)
	}
	if _, err := caller.Dial(within(t), g.target(sipLeg)); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("another call beyond calls.max: %v", err)
	}
	for name, want := range map[string]float64{
		"callgw_calls_active": 1, "callgw_calls_relayed": 1, "callgw_realtime_sessions_active": 0,
	} {
		if got := g.Metric(t, name); got != want {
			t.Errorf("%s is %v, not %v", name, got, want)
		}
	}
	if status, answer := g.http(t, "DELETE", path, ""); status != http.StatusAccepted {
		t.Errorf("%d %s", status, answer)
	}
	await(t, p.Done(), "the caller to be hung up")
	await(t, far.Done(), "the target to be hung up")
	w, ended := g.Calls.Await(t, 0, bridge.EventEnded)
	if ended.Attr("cause") != "transferred" {
		t.Errorf("the call ended for %v", ended.Attr("cause"))
	}
	if parted, ok := w.Find(bridge.EventRelayEnded); !ok || parted.Attr("cause") != "operator_hung_up" {
		t.Errorf("the timeline says %v", w)
	}
	if n := g.Metric(t, "callgw_relays_total", "cause", "operator_hung_up"); n != 1 {
		t.Errorf("callgw_relays_total is %v", n)
	}
	for _, kind := range []string{"goroutines", "ports"} {
		if !settles(patience, func() bool { return g.Metric(t, "callgw_leaked", "kind", kind) == 0 }) {
			t.Errorf("%s are leaked", kind)
		}
	}
}

// TestADrainWaitsForCallersWhoArePassedOn ends the process while a caller talks to the
// target of a transfer.
func TestADrainWaitsForCallersWhoArePassedOn(t *testing.T) {
	t.Parallel()
	const limit = 1500 * time.Millisecond
	callee := start(t, Setup{})
	g := start(t, Setup{Trunk: "192.0.2.0/24", Trunks: bridging, More: "calls: {drain: 1500ms}"})
	p, far, _ := passedOn(t, g, callee)
	began := time.Now()
	g.stop()
	await(t, p.Done(), "the caller to be hung up")
	if took := time.Since(began); took < limit {
		t.Errorf("the caller was hung up after %v, not %v", took, limit)
	}
	await(t, far.Done(), "the target to be hung up")
	w, _ := g.Calls.Await(t, 0, bridge.EventEnded)
	if parted, ok := w.Find(bridge.EventRelayEnded); !ok || parted.Attr("cause") != "shutdown" {
		t.Errorf("the timeline says %v", w)
	}
	await(t, g.stopped, "the gateway to end")
}
