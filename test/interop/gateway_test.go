package interop_test

import (
	"context"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/bridge/pacer"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/rtp"
)

// The users that a gateway under test knows, in the request's URI.
const (
	userEcho = "echo" // answers and gives back what it hears
	userTone = "tone" // answers and plays 800 Hz
	userRing = "ring" // rings for ever
	userBye  = "bye"  // answers, and hangs up half a second later
	userNone = "none" // has no route: 404
	userFull = "full" // finds all lines busy: 503
	userAway = "away" // is to be called elsewhere: 302
	userMove = "move" // answers, and transfers the caller a moment later
)

// gateway is a sip.Server on loopback that serves the users above.
type gateway struct {
	udp, tcp string
	server   *sip.Server
	begun    chan *echo // the calls that were taken
	over     chan *echo // the calls that have ended
}

// echo is what a call heard, given back.
type echo struct {
	mu     sync.Mutex
	heard  []byte
	queue  []byte
	tone   []byte // played over and over instead of the queue; nil for none
	at     int    // in the tone
	digits string
	holds  []bool
	codec  media.Codec
	stats  rtp.Stats
	cause  media.Cause

	recorded    []string // the Record-Route entries of the INVITE
	transferred error    // what Transfer returned
}

func (e *echo) Frame(p []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, p...)
	e.queue = append(e.queue, p...)
}

func (e *echo) Digit(d media.Digit) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.digits += d.String()
}

func (e *echo) Hold(on bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.holds = append(e.holds, on)
}

func (e *echo) Next(p []byte) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.tone) > 0 {
		for i := range p {
			p[i] = e.tone[(e.at+i)%len(e.tone)]
		}
		e.at += len(p)
		return len(p)
	}
	n := copy(p, e.queue)
	e.queue = e.queue[n:]
	return n
}

func (e *echo) Ready() <-chan struct{} { return nil }
func (e *echo) Heard(int64)            {}

// start runs a gateway until the test ends. It returns nil when the tests are
// pointed at another one.
func start(t *testing.T, tweak ...func(*sip.Config)) *gateway {
	t.Helper()
	if target := os.Getenv("CALLGW_SIP_TARGET"); target != "" {
		return &gateway{udp: target, tcp: target}
	}
	ports, err := rtp.NewPorts(rtp.PortsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{begun: make(chan *echo, 1000), over: make(chan *echo, 1000)}
	p := pacer.New(pacer.Config{})
	cfg := sip.Config{
		Listen: []sip.Listen{
			{Network: "udp", Addr: "127.0.0.1:0"}, {Network: "tcp", Addr: "127.0.0.1:0"},
		},
		AcceptUnknown: true, Ports: ports, Pacer: p, MediaTimeout: -1, Handler: g.serve,
	}
	for _, f := range tweak {
		f(&cfg)
	}
	g.server, err = sip.NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	addrs := g.server.Addrs()
	g.udp, g.tcp = addrs[0].String(), addrs[len(addrs)-1].String()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = p.Run(ctx) })
	running.Go(func() {
		if err := g.server.Run(ctx); err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
		if n := ports.InUse(); n != 0 {
			t.Errorf("%d RTP ports are still open", n)
		}
	})
	return g
}

// serve is what the gateway does with a call, by the user it is for.
func (g *gateway) serve(ctx context.Context, c *sip.Call) {
	switch c.To() {
	case userNone:
		_ = c.Hangup(ctx, media.NoRoute)
		return
	case userAway:
		_ = c.Hangup(ctx, media.Redirection{To: "+14155550100"})
		return
	case userFull:
		_ = c.Hangup(ctx, media.Busy)
		return
	}
	e := &echo{recorded: c.Header("Record-Route")}
	if c.To() == userTone {
		e.tone = tone(800, time.Second)
	}
	g.begun <- e
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	running.Go(func() {
		err := c.Run(ctx, e, e)
		e.codec, e.stats, e.cause = c.Codec(), c.Stats(), media.CauseOf(err)
	})
	_ = c.Ring(ctx)
	if c.To() != userRing {
		_ = c.Answer(ctx)
	}
	if c.To() == userBye {
		timer := time.AfterFunc(500*time.Millisecond, func() { cancel(media.AgentHungUp) })
		defer timer.Stop()
	}
	if c.To() == userMove {
		pause := time.NewTimer(300 * time.Millisecond)
		<-pause.C
		e.transferred = c.Transfer(ctx, "+14155550100")
	}
	running.Wait()
	g.over <- e
}

// call returns what the gateway's only call heard, once it has ended. It is nil
// when the gateway is another one.
func (g *gateway) call(t *testing.T) *echo {
	t.Helper()
	if g.server == nil {
		return nil
	}
	return g.ended(t, 1)[0]
}

// talking returns the gateway's next call, as soon as it was taken.
func (g *gateway) talking(t *testing.T) *echo {
	t.Helper()
	select {
	case e := <-g.begun:
		return e
	case <-time.After(20 * time.Second):
		t.Fatal("nobody calls")
		return nil
	}
}

// ended returns the gateway's n calls when they have ended.
func (g *gateway) ended(t *testing.T, n int) []*echo {
	t.Helper()
	timeout := time.After(5 * time.Second)
	var calls []*echo
	for len(calls) < n {
		select {
		case e := <-g.over:
			calls = append(calls, e)
		case <-timeout:
			t.Fatalf("%d calls have ended on the gateway's side, want %d", len(calls), n)
		}
	}
	return calls
}

// given are the ports that freePort has returned: who has asked for one may not
// listen yet when the next asks.
var given sync.Map

// freePort returns a port for UDP and TCP that is free now, even, with a free one
// above it. It is below those that the system gives to sockets without one (RFC
// 6335 §6), lest one of them take it before the peer does.
func freePort(t *testing.T) int {
	t.Helper()
	for range 200 {
		port := 20000 + 2*rand.IntN(6000)
		if free(port) && free(port+1) {
			if _, taken := given.LoadOrStore(port, true); taken {
				continue
			}
			return port
		}
	}
	t.Fatal("no free ports")
	return 0
}

// free reports that nobody listens on a port of this machine.
func free(port int) bool {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	udp, err := net.ListenPacket("udp4", address)
	if err != nil {
		return false
	}
	defer udp.Close()
	tcp, err := net.Listen("tcp4", address)
	if err != nil {
		return false
	}
	return tcp.Close() == nil
}
