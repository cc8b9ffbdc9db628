package sip_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/bridge/pacer"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/naptr"
	"github.com/callgw/callgw/sip/rtp"
	"github.com/callgw/callgw/sip/siptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const gateway = "10.0.0.1:5060"

// rig is a server on a network in memory and who speaks with it.
type rig struct {
	t      *testing.T
	net    *siptest.Network
	server *sip.Server
	pacer  *pacer.Pacer
	ended  chan error // what Run of the calls returned
	cfg    sip.Config
	stop   func()         // ends the server
	calls  chan *sip.Call // those that were answered
	peers  int
	rtp    atomic.Int32
}

// openRTP gives each call the next even port of the gateway.
func (r *rig) openRTP() (sip.Socket, error) {
	return r.net.Listen(fmt.Sprintf("10.0.0.1:%d", 40000+r.rtp.Add(2))), nil
}

// bubble runs a test with a server in virtual time.
func bubble(t *testing.T, handler func(context.Context, *sip.Call, *rig), test func(r *rig), tweak ...func(*sip.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, net: &siptest.Network{}, ended: make(chan error, 64), calls: make(chan *sip.Call, 64)}
		r.pacer = pacer.New(pacer.Config{Shards: 1})
		ports, err := rtp.NewPorts(rtp.PortsConfig{})
		if err != nil {
			t.Fatal(err)
		}
		cfg := sip.Config{
			Listen:        []sip.Listen{{Network: "udp", Packets: r.net.Listen(gateway)}},
			AcceptUnknown: true, Pacer: r.pacer, Ports: ports,
			MediaTimeout: -1, Resolver: nowhere{},
		}
		if handler == nil {
			handler = serve
		}
		cfg.Handler = func(ctx context.Context, c *sip.Call) { handler(ctx, c, r) }
		for _, f := range tweak {
			f(&cfg)
		}
		clock, stop := context.WithCancel(context.Background())
		var ticking sync.WaitGroup
		ticking.Go(func() { _ = r.pacer.Run(clock) })
		defer func() { // also after a script that failed
			stop()
			ticking.Wait()
		}()
		r.cfg = cfg
		var wait func()
		r.server, r.stop, wait = r.start(cfg)
		defer wait()
		test(r)
	})
}

// start runs a server. wait stops it and returns when it is gone.
func (r *rig) start(cfg sip.Config) (server *sip.Server, stop, wait func()) {
	r.t.Helper()
	server, err := sip.NewServer(cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	server.OpenRTP(r.openRTP)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := server.Run(ctx); err != nil {
			r.t.Errorf("Run() = %v", err)
		}
	})
	return server, cancel, func() {
		cancel()
		running.Wait()
		if n := server.Calls(); n != 0 {
			r.t.Errorf("%d calls are left", n)
		}
	}
}

// second starts another server, at addr, that ends with the test.
func (r *rig) second(addr string) *sip.Server {
	r.t.Helper()
	cfg := r.cfg
	cfg.Listen = []sip.Listen{{Network: "udp", Packets: r.net.Listen(addr)}}
	server, _, wait := r.start(cfg)
	r.t.Cleanup(wait)
	return server
}

// peer joins a phone to the network.
func (r *rig) peer() *siptest.Peer {
	r.peers++
	addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 1, byte(r.peers)}), 5060)
	return siptest.NewPeer(r.t, r.net.Listen(addr.String()), netip.MustParseAddrPort(gateway))
}

// result returns what the Run of the call that ended returned.
func (r *rig) result() error {
	r.t.Helper()
	select {
	case err := <-r.ended:
		return err
	case <-time.After(2 * time.Minute):
		r.t.Fatal("the call does not end")
		return nil
	}
}

func (r *rig) wantCause(want media.Cause) {
	r.t.Helper()
	if err := r.result(); media.CauseOf(err) != want {
		r.t.Errorf("Run() = %v, want %v", err, want)
	}
}

// serve rings, answers and lets the call run until it ends.
func serve(ctx context.Context, c *sip.Call, r *rig) {
	var running sync.WaitGroup
	running.Go(func() { r.ended <- c.Run(ctx, silence{}, silence{}) })
	if err := c.Ring(ctx); err == nil {
		_ = c.Answer(ctx)
	}
	running.Wait()
}

// silence is a bridge that hears and says nothing.
type silence struct{}

func (silence) Frame([]byte)           {}
func (silence) Digit(media.Digit)      {}
func (silence) Hold(bool)              {}
func (silence) Next([]byte) int        { return 0 }
func (silence) Ready() <-chan struct{} { return nil }
func (silence) Heard(int64)            {}

func TestCallerHangsUp(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Establish()
		time.Sleep(time.Minute)
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
	})
}

// nowhere is a resolver that knows no host.
type nowhere struct{}

func (nowhere) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	return nil, noSuch(host)
}

func (nowhere) LookupNAPTR(context.Context, string) ([]naptr.Record, error) { return nil, nil }

func (nowhere) LookupSRV(_ context.Context, _, _, name string) (string, []*net.SRV, error) {
	return "", nil, noSuch(name)
}
