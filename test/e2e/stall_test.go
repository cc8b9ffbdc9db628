package e2e_test

import (
	"context"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/internal/caller"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// stall is a side of a call that falls silent with its connection up: it answers
// nothing and closes nothing.
type stall struct {
	name  string
	leg   string
	agent string
	begin func(p *Phoned)
	known time.Duration // the bound after which the gateway knows
	cause string
}

func stalls() (all []stall) {
	const (
		// A ping every 20 s. The first may find that something was heard since
		// the call began, then two without anything heard lose the session.
		provider = 62*time.Second + repair
		// Neither audio nor anything else for 30 s.
		carrier = 32 * time.Second
	)
	for _, leg := range legs {
		all = append(all, stall{
			name: "the provider sends nothing any more", leg: leg,
			begin: func(p *Phoned) { p.Session.StallWriting() },
			known: provider, cause: "provider_lost",
		}, stall{
			// It still pings and the socket takes what is sent to it for minutes:
			// that the agent says nothing any more is what tells.
			name: "the provider reads nothing any more", leg: leg,
			agent: "greeting: none\nlimits: {silence: 10s}",
			begin: func(p *Phoned) { p.Session.StallReading() },
			known: 12 * time.Second, cause: "silence_limit",
		})
	}
	return append(all, stall{
		name: "the carrier does nothing any more", leg: streamLeg,
		begin: func(p *Phoned) { p.Stream().Stall() },
		known: carrier, cause: "media_timeout",
	})
}

func (s stall) test(t *testing.T) {
	var provider outage
	g := start(t, Setup{Agent: s.agent, Provider: realtimetest.Config{Fault: provider.fault}})
	p := g.phone(s.leg, 0)
	provider.Store(true)
	began := time.Now()
	s.begin(p)
	_, ending := g.Calls.AwaitFor(t, s.known, 0, bridge.EventEnding)
	t.Logf("known after %v", ending.At.Sub(began).Round(100*time.Millisecond))
	if s.cause == "media_timeout" {
		p.cut() // a stalled carrier does not see that its socket was closed
	}
	p.Ends(0, s.cause)
}

// audioStops stops a phone's RTP and leaves its signalling up.
func audioStops(t *testing.T) {
	g := start(t, Setup{Agent: "greeting: none"})
	l := call(t, g, lineConfig{})
	s := g.Session(0)
	l.until(patience, "audio", func() bool { return len(l.packets) > 10 })
	l.hush()
	bye := l.sip.Expect("BYE")
	l.sip.Reply(bye, 200, "OK")
	w, ended := g.Calls.Await(t, 0, bridge.EventEnded)
	if reason := bye.Request().GetHeader("Reason"); reason == nil || reason.Value() != `Q.850;cause=102;text="media_timeout"` {
		t.Errorf("the BYE's reason is %v", reason)
	}
	awaitFor(t, atOnce, s.Done(), "the session to be closed")
	if took := ended.Attr("teardown").(time.Duration); took > atOnce {
		t.Errorf("teardown took %v", took)
	}
	g.saysWhy(w, "media_timeout")
}

// neverStreams gives up a call whose carrier takes the webhook's answer and does
// nothing with it.
func neverStreams(t *testing.T) {
	g := start(t, Setup{})
	ctx, cancel := context.WithCancel(within(t))
	cfg := g.target(streamLeg)
	cfg.Carrier.DialContext = onSecondDial(func() bool { cancel(); return true })
	if call, err := caller.Dial(ctx, cfg); err == nil {
		_ = call.Hangup(within(t))
		t.Fatal("the stream was opened")
	}
	s := g.Session(0)
	w, _ := g.Calls.AwaitFor(t, 22*time.Second, 0, bridge.EventEnded)
	awaitFor(t, atOnce, s.Done(), "the session to be closed")
	g.saysWhy(w, "no_answer")
}

// TestAPhoneThatIgnoresItsByeIsLeft answers no BYE: both sides are closed all the
// same.
func TestAPhoneThatIgnoresItsByeIsLeft(t *testing.T) {
	t.Parallel()
	var provider outage
	g := start(t, Setup{Provider: realtimetest.Config{Fault: provider.fault}})
	l := call(t, g, lineConfig{})
	s := g.Session(0)
	provider.Store(true)
	l.until(patience, "audio", func() bool { return len(l.packets) > 10 })
	s.Drop()
	_, ending := g.Calls.Await(t, 0, bridge.EventEnding)
	w, ended := g.Calls.Await(t, 0, bridge.EventEnded)
	if took := ended.At.Sub(ending.At); took > atOnce+slack {
		t.Errorf("teardown took %v", took)
	}
	g.saysWhy(w, "provider_lost")
	pass(100 * time.Millisecond) // what was under way at the end is read
	before := len(l.heard())
	pass(100 * time.Millisecond)
	if after := len(l.heard()); after != before {
		t.Errorf("%d packets came after the end", after-before)
	}
}

// TestAProviderThatNeverClosesIsCut leaves the gateway's close frame without an
// answer.
func TestAProviderThatNeverClosesIsCut(t *testing.T) {
	t.Parallel()
	for _, leg := range legs {
		t.Run(leg, func(t *testing.T) {
			t.Parallel()
			g := start(t, Setup{Provider: realtimetest.Config{
				Fault: func(int) realtimetest.Fault { return realtimetest.Fault{NoCloseReply: true} },
			}})
			p := g.phone(leg, 0)
			if err := p.Hangup(within(t)); err != nil {
				t.Error(err)
			}
			p.Ends(atOnce, "caller_hung_up")
		})
	}
}
