package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/bridge/pacer"
	"github.com/callgw/callgw/internal/admin"
	"github.com/callgw/callgw/internal/caller"
	"github.com/callgw/callgw/internal/phone"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/rtp"
)

// TestNothingIsLeftOfCallsOutAndTransfers calls phones that are busy, do not answer, or
// do, by SIP and by Twilio, hands callers over to such phones, and lets either side end
// it all at any time. It runs alone, as its sibling does.
func TestNothingIsLeftOfCallsOutAndTransfers(t *testing.T) {
	calls, workers := 120, 12
	if testing.Short() {
		calls, workers = 40, 10
	}
	t.Logf("seed %d", churnSeed)
	w := newWorld(t)
	g := start(t, Setup{
		Provider: realtimetest.Config{
			Fault:  randomFault,
			Forget: true,
			Pace:   &realtimetest.Pace{Latency: 20 * time.Millisecond, Rate: 4},
		},
		Agent: `limits: {duration: 5s}`,
		Trunk: "192.0.2.0/24", Trunks: bridging,
		Twilio: fmt.Sprintf("account_sid: %s, api_key: %s, api_secret: %s, rest_url: %q", twilioAccount, twilioKey, twilioSecret, w.url),
	})
	address := strings.TrimPrefix(g.URL("http"), "http://")
	w.gateway.Store(&address)

	kinds := []func(*testing.T, *Gateway, *rand.Rand){
		func(t *testing.T, g *Gateway, random *rand.Rand) { w.callOut(t, g, w.sip, random) },
		func(t *testing.T, g *Gateway, random *rand.Rand) { w.callOut(t, g, calledNumber, random) },
		func(t *testing.T, g *Gateway, random *rand.Rand) { w.handOver(t, g, sipLeg, random) },
		func(t *testing.T, g *Gateway, random *rand.Rand) { w.handOver(t, g, streamLeg, random) },
	}
	g.leavesNothing(t, calls, workers, len(kinds), func(n int, random *rand.Rand) {
		kinds[n%len(kinds)](t, g, random)
	})
	if n := w.agent.Calls(); n > 0 {
		t.Errorf("%d calls are left at the phones", n)
	}
	if !settles(patience, func() bool { return len(w.api.Live()) == 0 }) {
		t.Errorf("calls are left at the carrier: %v", w.api.Live())
	}
	outcomes := g.outcomes(t)
	t.Logf("outcomes %v, %d relays, %d handshakes", outcomes, int(g.Metric(t, "callgw_relays_total")), g.Provider.Handshakes())
	for _, want := range []string{"busy", "caller_hung_up", "operator_hung_up", "transferred"} {
		if outcomes[want] == 0 {
			t.Errorf("no call ended as %s: %v", want, outcomes)
		}
	}
	if g.Metric(t, "callgw_relays_total") == 0 {
		t.Error("no caller was passed on")
	}
}

// world is phones to be called, by SIP and by Twilio, that behave at random.
type world struct {
	sip     string // the URI of the former
	agent   *sip.Server
	api     *mediastreamtest.API
	url     string                 // of the API
	gateway atomic.Pointer[string] // its address
	called  atomic.Uint64          // how many times
}

// behaviour returns what the next phone does.
func (w *world) behaviour() *rand.Rand {
	return rand.New(rand.NewPCG(churnSeed, 1<<33+w.called.Add(1)))
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{}
	w.phones(t)
	w.api = mediastreamtest.NewAPI(mediastreamtest.APIConfig{
		Key: twilioKey, Secret: twilioSecret,
		Calls: mediastreamtest.Config{
			WebhookURL: "http://gateway.test/twilio/voice", PublicURL: publicURL,
			AuthToken: authToken, AccountSID: twilioAccount,
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, *w.gateway.Load())
			},
		},
		Callee: func(mediastreamtest.Placed) mediastreamtest.Callee {
			random := w.behaviour()
			return mediastreamtest.Callee{After: upTo(random, 300*time.Millisecond), Status: []string{"busy", "no-answer", "failed", "", "", ""}[random.IntN(6)]}
		},
		Transfer: func(mediastreamtest.Dialled) (string, time.Duration) {
			random := w.behaviour()
			return []string{"busy", "no-answer", "completed", "completed"}[random.IntN(4)], upTo(random, 300*time.Millisecond)
		},
		Carry: func(ctx context.Context, call *mediastreamtest.Call) {
			random := w.behaviour()
			p := phone.New(phone.Config{})
			over := make(chan struct{})
			go func() {
				defer close(over)
				_ = call.Run(ctx, p, p)
			}()
			w.talk(ctx, random, over, func() { _ = call.Hangup(ctx, media.CallerHungUp) }) // it may be over
			<-over
		},
	})
	server := httptest.NewUnstartedServer(w.api)
	server.Config.SetKeepAlivesEnabled(false) // idle connections are no leak
	server.Start()
	w.url = server.URL
	t.Cleanup(func() {
		w.api.Close()
		server.Close()
		for _, v := range w.api.Violations() {
			t.Errorf("breach of the carrier's API: %s", v)
		}
	})
	return w
}

// phones makes those that are called by SIP.
func (w *world) phones(t *testing.T) {
	t.Helper()
	ports, err := rtp.NewPorts(rtp.PortsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	clock := pacer.New(pacer.Config{Shards: 1})
	w.agent, err = sip.NewServer(sip.Config{
		Listen: []sip.Listen{{Network: "udp", Addr: "127.0.0.1:0"}}, Ports: ports, Pacer: clock,
		Trunks:  []sip.Trunk{{Name: "gateway", From: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}},
		Handler: w.pickUp,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.sip = "sip:" + calledNumber + "@" + w.agent.Addrs()[0].String()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = clock.Run(ctx) })
	running.Go(func() { _ = w.agent.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
}

// pickUp is a phone that rings, or does not.
func (w *world) pickUp(ctx context.Context, call *sip.Call) {
	random := w.behaviour()
	if random.IntN(6) == 0 {
		_ = call.Hangup(ctx, media.Busy) // the caller may have given up
		return
	}
	p := phone.New(phone.Config{})
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = call.Run(ctx, p, p)
	}()
	defer func() { <-over }()
	_ = call.Ring(ctx)
	if random.IntN(6) == 0 { // nobody is there
		return
	}
	ringing, cancel := context.WithTimeout(ctx, upTo(random, 300*time.Millisecond))
	defer cancel()
	select {
	case <-over: // the caller has given up
		return
	case <-ringing.Done():
	}
	if err := call.Answer(ctx); err != nil {
		return // given up at this moment
	}
	w.talk(ctx, random, over, func() { _ = call.Hangup(ctx, media.CallerHungUp) }) // it may be over
}

// talk lasts until the call is over, which half of the phones make it.
func (w *world) talk(ctx context.Context, random *rand.Rand, over <-chan struct{}, hangUp func()) {
	if random.IntN(2) == 0 {
		talking, cancel := context.WithTimeout(ctx, upTo(random, 1500*time.Millisecond))
		defer cancel()
		select {
		case <-over:
		case <-talking.Done():
			hangUp()
		}
	}
}

// callOut calls a phone, and some of the calls are taken back.
func (w *world) callOut(t *testing.T, g *Gateway, to string, random *rand.Rand) {
	ringing := time.Second
	if to == calledNumber {
		ringing = 0 // Twilio says itself when nobody answers
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	id, err := g.Call(ctx, admin.Outbound{To: to, From: callerNumber, RingTimeout: ringing})
	if err != nil {
		t.Errorf("%s is not called: %v", to, err)
		return
	}
	taken := random.IntN(3) == 0
	if taken {
		wait(ctx, upTo(random, time.Second))
		if c := g.Registry().Call(id); c != nil {
			c.HangUp(media.OperatorHungUp)
		}
	}
	if !settles(2*patience, func() bool { _, ended := g.Registry().Past(id); return ended }) {
		t.Errorf("the call to %s does not end: %v", to, g.Calls.find(id))
	}
}

// numbered makes callers' numbers, so that their calls can be told apart.
var numbered atomic.Uint64

// handOver calls in and is handed over to a phone.
func (w *world) handOver(t *testing.T, g *Gateway, leg string, random *rand.Rand) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cfg := g.target(leg)
	cfg.From = fmt.Sprintf("+1415556%04d", numbered.Add(1))
	target := w.sip
	if leg == streamLeg {
		cfg.Carrier.API, cfg.Carrier.AccountSID, target = w.api, twilioAccount, "+14155550199"
	}
	call, err := caller.Dial(ctx, cfg)
	if err != nil {
		return // refused, as is right when the provider is
	}
	talking, over := call.During(ctx)
	defer over()
	wait(talking, upTo(random, 300*time.Millisecond))
	var handing sync.WaitGroup
	for _, c := range g.Registry().Calls() {
		if c.Facts().From != cfg.From {
			continue
		}
		handing.Go(func() { _ = c.Transfer(ctx, target) }) // it may be busy, or the caller gone
		if random.IntN(4) == 0 {
			wait(talking, upTo(random, time.Second))
			c.HangUp(fmt.Errorf("test: %w", media.OperatorHungUp))
		}
	}
	switch random.IntN(3) {
	case 0: // the caller hangs up, maybe while the target rings
		wait(talking, upTo(random, time.Second))
	case 1: // the target does
		wait(talking, 2*time.Second)
	case 2: // after it was decided
		handing.Wait()
		wait(talking, upTo(random, time.Second))
	}
	_ = call.Hangup(ctx) // it may be over
	<-call.Done()
	handing.Wait()
}

// upTo is a time at random, at least a millisecond.
func upTo(random *rand.Rand, most time.Duration) time.Duration {
	return time.Millisecond + time.Duration(random.Int64N(int64(most)))
}
