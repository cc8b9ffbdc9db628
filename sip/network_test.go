package sip_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/siptest"
)

// Two servers call each other over a network that loses, doubles and reorders:
// every call comes about and ends on both sides.
func TestCallsSurviveABadNetwork(t *testing.T) {
	for _, fault := range []siptest.Fault{
		{Delay: 20 * time.Millisecond},
		{Jitter: 60 * time.Millisecond, Seed: 1},
		{Duplicate: 0.5, Jitter: 30 * time.Millisecond, Seed: 2},
		{Loss: 0.05, Seed: 3},
		{Loss: 0.2, Duplicate: 0.1, Delay: 10 * time.Millisecond, Jitter: 100 * time.Millisecond, Seed: 4},
	} {
		t.Run(strings.ReplaceAll(fmt.Sprintf("%v", fault), " ", "_"), func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				r.net.Set(fault)
				far := r.second("10.0.9.1:5060")
				for range 20 {
					c, err := far.Dial(context.Background(), sip.Dial{To: "sip:bob@" + gateway})
					if err != nil {
						t.Fatalf("Dial() = %v", err)
					}
					ctx, cancel := context.WithTimeoutCause(context.Background(), 3*time.Second, media.AgentHungUp)
					if err := c.Run(ctx, silence{}, silence{}); media.CauseOf(err) != media.AgentHungUp {
						t.Errorf("Run() = %v", err)
					}
					cancel()
					r.wantCause(media.CallerHungUp)
				}
				r.net.Set(siptest.Fault{})
				time.Sleep(3 * time.Minute)
				for _, s := range []*sip.Server{r.server, far} {
					server, client := s.Transactions()
					if n := s.Calls(); n+server+client != 0 {
						t.Errorf("%d calls, %d and %d transactions are left", n, server, client)
					}
				}
			})
		})
	}
}

// Calls end in every way and at every stage, and leave nothing.
func TestCallsThatEndAnyhowLeaveNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	anyhow := func(ctx context.Context, c *sip.Call, r *rig) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		if strings.HasPrefix(c.To(), "early") {
			_ = c.Hangup(ctx, media.ProviderRefused)
			return
		}
		if strings.HasPrefix(c.To(), "forget") {
			return
		}
		running := make(chan error, 1)
		go func() { running <- c.Run(ctx, silence{}, silence{}) }()
		_ = c.Ring(ctx)
		if strings.HasPrefix(c.To(), "answer") {
			_ = c.Answer(ctx)
		}
		if strings.HasSuffix(c.To(), "bye") {
			time.AfterFunc(2*time.Second, func() { cancel(media.AgentHungUp) })
		}
		<-running
	}
	bubble(t, anyhow, func(r *rig) {
		r.net.Set(siptest.Fault{Loss: 0.1, Jitter: 50 * time.Millisecond, Duplicate: 0.1, Seed: 9})
		far := r.second("10.0.9.1:5060")
		users := []string{"early", "forget", "ring", "ring.bye", "answer", "answer.bye"}
		done := make(chan struct{}, 200)
		for range 200 {
			user, patience, talk := users[random.IntN(len(users))], time.Duration(random.Int64N(5e9)), time.Duration(random.Int64N(5e9))
			go func() {
				defer func() { done <- struct{}{} }()
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				c, err := far.Dial(ctx, sip.Dial{To: "sip:" + user + "@" + gateway})
				if err != nil {
					return
				}
				ctx, cancel = context.WithTimeout(context.Background(), talk)
				defer cancel()
				_ = c.Run(ctx, silence{}, silence{})
			}()
		}
		for range 200 {
			<-done
		}
		time.Sleep(5 * time.Minute)
		for _, s := range []*sip.Server{r.server, far} {
			server, client := s.Transactions()
			if n := s.Calls(); n+server+client != 0 {
				t.Errorf("%d calls, %d and %d transactions are left", n, server, client)
			}
		}
		if n := r.net.Open(); n != 2 {
			t.Errorf("%d sockets are open, want the 2 for signalling", n)
		}
	})
}

func TestServerThatStopsEndsItsCalls(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		p.Call().Establish()
		ringing := p.Call()
		ringing.From = "<sip:ring@peer.example>"
		r.stop()
		p.Reply(p.Expect("BYE"), 200, "OK")
		r.wantCause(media.Shutdown)
	})
}
