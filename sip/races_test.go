package sip_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/siptest"
)

// A CANCEL that comes after the answer is answered and changes nothing (RFC 3261
// §9.2).
func TestCancelThatIsTooLate(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite(offer())
		ok := p.Skip("200 INVITE")
		d.Cancel()
		p.Skip("200 CANCEL")
		d.Learn(ok)
		d.Ack()
		p.ExpectNothing(time.Minute)
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
	})
}

// The caller gives up at about the time at which the call is answered, a little
// earlier or later each time: whatever crosses, both sides agree that it is over.
func TestCancelsThatCrossAnswers(t *testing.T) {
	const delay = 20 * time.Millisecond
	answer := func(ctx context.Context, c *sip.Call, r *rig) {
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx, silence{}, silence{}) }()
		_ = c.Ring(ctx)
		time.Sleep(time.Second)
		_ = c.Answer(ctx)
		<-done
	}
	bubble(t, answer, func(r *rig) {
		r.net.Set(siptest.Fault{Delay: delay})
		far := r.second("10.0.9.1:5060")
		var answered, given int
		for i := range 100 {
			patience := time.Second + 4*delay*time.Duration(i)/100 // the answer comes after 2 of 4
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			c, err := far.Dial(ctx, sip.Dial{To: "sip:bob@" + gateway})
			cancel()
			if err != nil {
				given++
				continue
			}
			answered++
			_ = c.Hangup(context.Background(), media.CallerHungUp)
		}
		if answered < 10 || given < 10 {
			t.Errorf("%d calls were answered and %d given up", answered, given)
		}
		time.Sleep(2 * time.Minute)
		for _, s := range []*sip.Server{r.server, far} {
			server, client := s.Transactions()
			if n := s.Calls(); n+server+client != 0 {
				t.Errorf("%d calls, %d and %d transactions are left", n, server, client)
			}
		}
	})
}

// Calls whose session must be refreshed every 90 s, over a network that loses packets.
func TestLongCallsAreKeptAlive(t *testing.T) {
	for _, early := range []bool{false, true} {
		t.Run(fmt.Sprintf("early media %v", early), func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				r.net.Set(siptest.Fault{Loss: 0.05, Jitter: 30 * time.Millisecond, Duplicate: 0.02, Seed: 5})
				far := r.second("10.0.9.1:5060")
				c, err := far.Dial(context.Background(), sip.Dial{To: "sip:bob@" + gateway})
				if err != nil {
					t.Fatalf("Dial() = %v", err)
				}
				ctx, cancel := context.WithTimeoutCause(context.Background(), 30*time.Minute, media.AgentHungUp)
				defer cancel()
				began := time.Now()
				if err := c.Run(ctx, silence{}, silence{}); media.CauseOf(err) != media.AgentHungUp {
					t.Errorf("after %v: Run() = %v", time.Since(began), err)
				}
				r.wantCause(media.CallerHungUp)
			}, func(cfg *sip.Config) { cfg.SessionExpires, cfg.EarlyMedia = 90*time.Second, early })
		})
	}
}

// Both sides of a call that is transferred hang up at once.
func TestTransferThatCrossesABye(t *testing.T) {
	bubble(t, into(&record{}), func(r *rig) {
		p, d, c := r.talk()
		done := transfer(c, "+14155550100")
		refer := p.Expect("REFER")
		d.Request("BYE")
		p.Reply(refer, 202, "Accepted")
		p.Expect("200 BYE")
		if err := <-done; err == nil || !strings.Contains(err.Error(), "the call is over") {
			t.Errorf("Transfer() = %v", err)
		}
		r.wantCause(media.CallerHungUp)
	})
}
