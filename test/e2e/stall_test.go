package e2e_test

import (
	"testing"
	"time"

	"github.com/callgw/callgw/realtime/realtimetest"
)

// TestAPeerThatFallsSilentIsGivenUp stalls each side with its connection up: the
// peer answers nothing, closes nothing. What is asserted is the bound after
// which the gateway knows.
func TestAPeerThatFallsSilentIsGivenUp(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	const (
		// A ping every 20 s; two of them unanswered, the first of which may have
		// something to hear from before, lose the session.
		provider = 62 * time.Second
		// Neither audio nor anything else for 30 s.
		carrier = 32 * time.Second
	)
	for _, c := range []struct {
		name  string
		legs  []string
		stall func(p *Phoned)
		known time.Duration
		cause string
	}{
		{"the provider sends nothing any more", legs, func(p *Phoned) { p.Session.StallWriting() }, provider, "provider_lost"},
		{"the provider reads nothing any more", legs, func(p *Phoned) { p.Session.StallReading() }, provider, "provider_lost"},
		{"the carrier does nothing any more", []string{streamLeg}, func(p *Phoned) { p.Stream().Stall() }, carrier, "media_timeout"},
	} {
		for _, leg := range c.legs {
			t.Run(leg+": "+c.name, func(t *testing.T) {
				t.Parallel()
				g := start(t, Setup{})
				p := g.phone(leg, 0)
				began := time.Now()
				c.stall(p)
				if c.cause == "media_timeout" {
					p.g.Calls.AwaitFor(t, c.known, 0, "ending")
					_ = p.Hangup(within(t)) // the carrier's socket was cut; its stall ends with the test
				}
				p.Ends(c.known, c.cause)
				t.Logf("known after %v", time.Since(began).Round(100*time.Millisecond))
			})
		}
	}
}

// TestACallWithoutAudioEnds stops a phone's RTP and leaves its signalling up.
func TestACallWithoutAudioEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Parallel()
	g := start(t, Setup{Agent: "greeting: none"})
	l := call(t, g, lineConfig{})
	s := g.Session(0)
	l.until(patience, "audio", func() bool { return len(l.packets) > 10 })
	l.hush()
	bye := l.sip.Expect("BYE")
	l.sip.Reply(bye, 200, "OK")
	w, ended := g.Calls.Await(t, 0, "ended")
	if reason := bye.GetHeader("Reason"); reason == nil || reason.Value() != `Q.850;cause=102;text="media_timeout"` {
		t.Errorf("the BYE's reason is %v", reason)
	}
	awaitFor(t, atOnce, s.Done(), "the session to be closed")
	if took := ended.Attr("teardown").(time.Duration); took > atOnce {
		t.Errorf("teardown took %v", took)
	}
	g.saysWhy(w, "media_timeout")
}

// TestAPhoneThatIgnoresItsByeIsLeft answers no BYE: both sides are closed all the
// same.
func TestAPhoneThatIgnoresItsByeIsLeft(t *testing.T) {
	t.Parallel()
	g := start(t, Setup{})
	l := call(t, g, lineConfig{})
	s := g.Session(0)
	l.until(patience, "audio", func() bool { return len(l.packets) > 10 })
	s.Drop()
	_, ending := g.Calls.Await(t, 0, "ending")
	w, ended := g.Calls.Await(t, 0, "ended")
	if took := ended.At.Sub(ending.At); took > atOnce+slack {
		t.Errorf("teardown took %v", took)
	}
	g.saysWhy(w, "provider_lost")
	before := len(l.heard())
	pass(100 * time.Millisecond)
	if after := len(l.heard()); after != before {
		t.Errorf("%d packets came after the end", after-before)
	}
}

// TestAProviderThatNeverClosesIsCut leaves the gateway's close frame without an
// answer.
func TestAProviderThatNeverClosesIsCut(t *testing.T) {
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
