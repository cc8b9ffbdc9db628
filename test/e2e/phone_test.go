package e2e_test

import (
	"context"
	"time"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/internal/caller"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// The legs that calls come by, as metrics and timelines name them.
const (
	sipLeg    = "sip"
	streamLeg = "twilio"
)

var legs = []string{sipLeg, streamLeg}

// The numbers of the calls.
const (
	callerNumber = "+14155550123"
	calledNumber = "+14155550100"
)

// target returns how a phone calls the gateway by a leg.
func (g *Gateway) target(leg string) caller.Config {
	if leg == sipLeg {
		return caller.Config{Target: "sip:" + calledNumber + "@" + g.SIP().String(), From: callerNumber}
	}
	return caller.Config{
		Target: g.URL("http"), From: callerNumber, To: calledNumber,
		Carrier: mediastreamtest.Config{AuthToken: authToken, PublicURL: publicURL, Record: true},
	}
}

// Phoned is a call that was placed, seen from all sides.
type Phoned struct {
	*caller.Call
	Number  int // of the call, counted from 0
	Session *realtimetest.Session
	cut     context.CancelFunc // ends the phone without a word
	g       *Gateway
}

// phone places the gateway's n-th call, which is answered when it returns.
func (g *Gateway) phone(leg string, n int) *Phoned {
	g.t.Helper()
	return g.phoneWith(g.target(leg), n)
}

func (g *Gateway) phoneWith(cfg caller.Config, n int) *Phoned {
	t := g.t
	t.Helper()
	session := g.Provider.Handshakes()
	ctx, cancel := context.WithCancel(context.Background())
	call, err := caller.Dial(ctx, cfg)
	if err != nil {
		cancel()
		t.Fatalf("the call was not answered: %v\n%v", err, g.Log)
	}
	t.Cleanup(func() {
		cancel()
		await(t, call.Done(), "the phone to end")
		if s := call.Stream(); s != nil {
			for _, v := range s.Violations() {
				t.Errorf("breach of the carrier's protocol: %s", v)
			}
		}
	})
	p := &Phoned{Call: call, Number: n, Session: g.Session(session), cut: cancel, g: g}
	t.Cleanup(func() {
		for _, v := range p.Session.Violations() {
			t.Errorf("breach of the Realtime protocol by %s: %s", v.Event, v.Text)
		}
	})
	g.Calls.Await(t, n, bridge.EventAnswered)
	return p
}

// Ends checks that the call ends for a cause, on every side, at once, and that
// everything tells of it. The cause becomes known within limit.
func (p *Phoned) Ends(limit time.Duration, cause string) Watched {
	t := p.g.t
	t.Helper()
	_, ending := p.g.Calls.AwaitFor(t, limit, p.Number, bridge.EventEnding)
	awaitFor(t, patience, p.Done(), "the caller's side to end")
	callerGone := time.Now()
	w, ended := p.g.Calls.Await(t, p.Number, bridge.EventEnded)
	p.Session.Resume() // a session that was stalled looks at its socket again
	awaitFor(t, patience, p.Session.Done(), "the provider's session to end")
	for _, side := range []struct {
		name string
		at   time.Time
	}{{"caller", callerGone}, {"gateway", ended.At}} {
		if took := side.at.Sub(ending.At); took > atOnce+slack {
			t.Errorf("the %s's side was closed %v after the end was decided", side.name, took)
		}
	}
	if took := ended.Offset - ending.Offset; took > atOnce+slack {
		t.Errorf("teardown took %v", took)
	}
	if got := ended.Attr("cause"); got != cause {
		t.Errorf("the timeline says %v, not %s", got, cause)
	}
	p.g.saysWhy(w, cause)
	return w
}

// slack is for a machine that does other things as well.
const slack = 500 * time.Millisecond

// saysWhy checks that log and metrics tell why a call has ended.
func (g *Gateway) saysWhy(w Watched, cause string) {
	t := g.t
	t.Helper()
	// The timeline is a moment ahead of the log.
	if !settles(patience, func() bool { return len(g.Log.Find(t, w.ID, "call ended")) > 0 }) {
		t.Fatalf("the log does not say that call %s has ended:\n%v", w.ID, g.Log)
	}
	lines := g.Log.Find(t, w.ID, "call ended")
	if len(lines) != 1 || lines[0].Text("cause") != cause {
		t.Errorf("the log says %v, not once %s", lines, cause)
	}
	if got := g.Metric(t, "callgw_calls_total", "outcome", cause, "leg", w.Leg); got != 1 {
		t.Errorf("callgw_calls_total counts %v calls of outcome %s", got, cause)
	}
}
