package gateway_test

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/bridge/pacer"
	"github.com/callgw/callgw/internal/gateway"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/rtp"
	"github.com/callgw/callgw/sip/siptest"
)

// A phone may be lifted in the very moment in which its call is given up. Nobody
// would ever hang up.
func TestACallOutThatIsAnsweredAsItIsGivenUp(t *testing.T) {
	network := &siptest.Network{}
	ports, err := rtp.NewPorts(rtp.PortsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	server, err := sip.NewServer(sip.Config{
		Listen: []sip.Listen{{Network: "udp", Packets: network.Listen("10.0.0.1:5060")}},
		Pacer:  pacer.New(pacer.Config{Shards: 1}), Ports: ports, Handler: func(context.Context, *sip.Call) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	serving, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	running.Go(func() { _ = server.Run(serving) })

	given := make(chan struct{})
	lifted := make(chan struct{})
	leg := gateway.Dialled(func(context.Context) (*sip.Call, error) {
		c, err := server.Dial(serving, sip.Dial{To: "sip:bob@10.0.1.1"})
		close(lifted)
		<-given
		return c, err
	})
	ran, answered := make(chan error, 1), make(chan error, 1)
	go func() { ran <- leg.Run(serving, nil, nil) }()
	go func() { answered <- leg.Answer(serving) }()
	p := siptest.NewPeer(t, network.Listen("10.0.1.1:5060"), netip.MustParseAddrPort("10.0.0.1:5060"))
	p.Reply(p.Expect("INVITE"), 200, "OK", siptest.SDP("10.0.1.1", 40000))
	p.Expect("ACK")
	<-lifted
	if err := leg.Hangup(serving, media.OperatorHungUp); err != nil {
		t.Error(err)
	}
	if err := <-ran; !errors.Is(err, media.OperatorHungUp) {
		t.Errorf("Run() = %v", err)
	}
	close(given)
	p.Reply(p.ExpectWithin(time.Second, "BYE"), 200, "OK")
	if err := <-answered; !errors.Is(err, media.OperatorHungUp) {
		t.Errorf("Answer() = %v", err)
	}
	if n := server.Calls(); n != 0 {
		t.Errorf("%d calls are left", n)
	}
}
