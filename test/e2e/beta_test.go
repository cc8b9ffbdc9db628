package e2e_test

import (
	"testing"
	"time"

	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/callgw/callgw/test/fixtures"
)

// TestACallByABetaServer has a whole call with a server that speaks nothing
// else: greeting, a reply that repeats the caller's words, an interruption.
func TestACallByABetaServer(t *testing.T) {
	t.Parallel()
	for _, leg := range legs {
		t.Run(leg, func(t *testing.T) {
			t.Parallel()
			g := start(t, Setup{Dialect: "beta", Provider: realtimetest.Config{Dialects: realtimetest.BetaOnly}})
			p := g.phone(leg, 0)
			if !p.Session.Beta {
				t.Error("the session is not in the Beta dialect")
			}
			say := func(audio []byte) {
				t.Helper()
				if err := p.Phone.Say(within(t), audio); err != nil {
					t.Fatal(err)
				}
			}
			if err := p.Phone.AwaitSpeech(within(t), 100*time.Millisecond); err != nil {
				t.Fatalf("no greeting: %v", err)
			}
			say(fixtures.CallerInterrupt)
			if err := p.Session.Wait(within(t), func() bool { return len(p.Session.Truncations()) == 1 }); err != nil {
				t.Fatalf("the greeting was not interrupted: %v", err)
			}
			if err := p.Phone.AwaitSpeech(within(t), 200*time.Millisecond); err != nil {
				t.Fatalf("no reply: %v", err)
			}
			if cut := p.Session.Truncations()[0]; cut.Error != nil {
				t.Errorf("truncation refused: %v", cut.Error)
			}
			if s := p.Session.Settings(); s.Input != realtimetest.PCMU || s.Output != realtimetest.PCMU {
				t.Errorf("the formats are %v and %v", s.Input, s.Output)
			}
			if err := p.Hangup(within(t)); err != nil {
				t.Error(err)
			}
			p.Ends(atOnce, "caller_hung_up")
		})
	}
}
