package e2e_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/caller"
	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/callgw/callgw/test/fixtures"
)

// churnSeed makes the run what it is.
const churnSeed = 20250611

// TestNothingIsLeftOfManyCalls sets 200 calls up and tears them down in random
// ways, from either side and at every stage, with a provider that fails in every
// way it can. It runs alone: goroutines and descriptors are the process'.
func TestNothingIsLeftOfManyCalls(t *testing.T) {
	calls, workers := 200, 20
	if testing.Short() {
		calls, workers = 40, 10
	}
	t.Logf("seed %d", churnSeed)
	g := start(t, Setup{
		Provider: realtimetest.Config{
			Fault:  randomFault,
			Forget: true,
			Pace:   &realtimetest.Pace{Latency: 20 * time.Millisecond, Rate: 4},
		},
		Agent: `limits: {duration: 5s}`,
	})
	g.leavesNothing(t, calls, workers, len(legs), func(n int, random *rand.Rand) {
		churn(t, g, legs[n%2], random)
	})
	outcomes := g.outcomes(t)
	t.Logf("outcomes %v, refused %v, %d handshakes", outcomes, g.Metric(t, "callgw_calls_rejected_total"), g.Provider.Handshakes())
	if len(outcomes) < 4 {
		t.Errorf("too few ways to end: %v", outcomes)
	}
}

// leavesNothing has workers place calls, each in a random way, of so many kinds, and
// checks that nothing of them is left.
func (g *Gateway) leavesNothing(t *testing.T, calls, workers, kinds int, one func(n int, random *rand.Rand)) {
	t.Helper()
	// A first call each makes what is made once.
	for n := range kinds {
		one(n, rand.New(rand.NewPCG(churnSeed, 0)))
	}
	g.idle(t)
	goroutines, _ := running()
	files := openFiles(t)

	numbers := make(chan int)
	var working sync.WaitGroup
	for range workers {
		working.Go(func() {
			for n := range numbers {
				one(n, rand.New(rand.NewPCG(churnSeed, uint64(1+n))))
			}
		})
	}
	for n := range calls {
		numbers <- n
	}
	close(numbers)
	working.Wait()
	g.idle(t)

	if !settles(patience, func() bool {
		now, _ := running()
		return now <= goroutines && openFiles(t) <= files
	}) {
		now, stacks := running()
		t.Errorf("%d goroutines, %d before; %d open files, %d before\n%s", now, goroutines, openFiles(t), files, stacks)
	}
	if g.outcomes(t)["internal"] > 0 {
		t.Errorf("calls ended for a fault of the gateway's own\n%v", g.Log)
	}
}

// outcomes counts the calls so far by how they ended.
func (g *Gateway) outcomes(t *testing.T) map[string]float64 {
	t.Helper()
	outcomes := map[string]float64{}
	for _, m := range g.Series(t, "callgw_calls_total") {
		for _, l := range m.GetLabel() {
			if l.GetName() == "outcome" {
				outcomes[l.GetValue()] += value(m)
			}
		}
	}
	return outcomes
}

// idle waits until no call is left, and checks that all counts say so.
func (g *Gateway) idle(t *testing.T) {
	t.Helper()
	if !settles(2*patience, func() bool { return len(g.Registry().Calls()) == 0 && len(g.Provider.Sessions()) == 0 }) {
		t.Fatalf("%d calls and %d sessions are left", len(g.Registry().Calls()), len(g.Provider.Sessions()))
	}
	for _, name := range []string{"callgw_leaked", "callgw_calls_active", "callgw_realtime_sessions_active"} {
		// The handler of a call returns a moment after the call.
		if !settles(patience, func() bool { return g.Metric(t, name) == 0 }) {
			t.Errorf("%s: %v", name, g.Series(t, name))
		}
	}
}

// running returns how many goroutines there are, and what they do. One that
// repeats a BYE to a phone that has gone does so for 32 s (RFC 3261 §17.1.2.2) and
// does not count: that it ends, TestMain sees.
func running() (n int, stacks string) {
	text := make([]byte, 1<<20)
	stacks = string(text[:runtime.Stack(text, true)])
	n = strings.Count(stacks, "\ngoroutine ") + 1
	return n - strings.Count(stacks, "sip.(*Server).exchange("), stacks
}

// openFiles returns how many descriptors the process has.
func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("open files cannot be counted here: %v", err)
	}
	return len(list)
}

// randomFault is what goes wrong in a session: in half of them, nothing.
func randomFault(session int) realtimetest.Fault {
	random := rand.New(rand.NewPCG(churnSeed, 1<<32+uint64(session)))
	soon := time.Duration(random.Int64N(int64(600 * time.Millisecond)))
	during := func(do realtimetest.Action) realtimetest.Fault {
		return realtimetest.Fault{Triggers: []realtimetest.Trigger{{On: "session.updated", After: soon, Do: do}}}
	}
	switch random.IntN(20) {
	case 0:
		return realtimetest.Fault{Refuse: 503}
	case 1:
		return realtimetest.Fault{HandshakeDelay: soon}
	case 2:
		return realtimetest.Fault{CreatedDelay: soon}
	case 3:
		return realtimetest.Fault{UpdatedDelay: soon, NoCloseReply: true}
	case 4:
		return during((*realtimetest.Session).Drop)
	case 5:
		return during(realtimetest.CloseWith(1011, "internal"))
	case 6:
		return during((*realtimetest.Session).StallWriting)
	case 7:
		return during((*realtimetest.Session).Expire)
	case 8:
		return during(realtimetest.SendError(&realtimetest.Error{Type: "server_error", Code: "server_error", Message: "trouble"}))
	case 9:
		return during(realtimetest.SendText(`{"type":"response.output_audio.delta","delta":"!"`))
	case 10:
		return realtimetest.Fault{Fail: realtimetest.RateLimited()}
	}
	return realtimetest.Fault{}
}

// churn places one call and ends it in a random way.
func churn(t *testing.T, g *Gateway, leg string, random *rand.Rand) {
	upTo := func(d time.Duration) time.Duration { return time.Duration(random.Int64N(int64(d))) }
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	stage := random.IntN(6)
	dialling, giveUp := context.WithCancel(ctx)
	defer giveUp()
	cfg := g.target(leg)
	if stage == 0 { // while it rings
		timer := time.AfterFunc(upTo(60*time.Millisecond), giveUp)
		defer timer.Stop()
		// A carrier that has its answer opens the stream, or the gateway waits
		// for it; neverStreams tests that.
		cfg.Carrier.DialContext = onSecondDial(timer.Stop)
	}
	call, err := caller.Dial(dialling, cfg)
	if err != nil {
		return // given up or refused, as is right
	}
	talking, over := call.During(ctx)
	defer over()
	switch stage {
	case 0, 1: // at once
	case 2: // during the greeting
		wait(talking, upTo(time.Second))
	case 3, 4: // while the caller speaks
		wait(talking, upTo(200*time.Millisecond))
		speaking, stop := context.WithTimeout(talking, upTo(time.Second)+time.Millisecond)
		_ = call.Phone.Say(speaking, fixtures.CallerHello) // it is cut short
		stop()
	case 5: // the other side
		if s := call.Stream(); s != nil && random.IntN(2) == 0 {
			s.Crash()
		} else {
			hangUpAny(g, random)
			wait(talking, upTo(time.Second))
		}
	}
	if err := call.Hangup(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Logf("%s: hang-up: %v", leg, err)
	}
	<-call.Done()
}

// onSecondDial dials, and calls f before it does so for the second time.
func onSecondDial(f func() bool) func(context.Context, string, string) (net.Conn, error) {
	dials := 0
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if dials++; dials == 2 {
			f()
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
}

// hangUpAny ends some call as an operator does.
func hangUpAny(g *Gateway, random *rand.Rand) {
	if calls := g.Registry().Calls(); len(calls) > 0 {
		calls[random.IntN(len(calls))].End(media.OperatorHungUp)
	}
}

// wait lasts d, or as long as ctx.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
