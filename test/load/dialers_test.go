package load_test

import (
	"context"
	"net/netip"
	"sync"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/bridge/pacer"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/rtp"
)

// newSIPDialer places calls from one user agent.
func newSIPDialer(target string) (dialer, func(), error) {
	ports, err := rtp.NewPorts(rtp.PortsConfig{})
	if err != nil {
		return nil, nil, err
	}
	clock := pacer.New(pacer.Config{})
	agent, err := sip.NewServer(sip.Config{
		Listen: []sip.Listen{{Network: "udp", Addr: "127.0.0.1:0"}},
		Codecs: []media.Codec{media.PCMU},
		Ports:  ports, Pacer: clock,
		// What comes from the gateway is not that of a stranger, who may not say much.
		Trunks: []sip.Trunk{{Name: "gateway", From: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}},
		Handler: func(ctx context.Context, c *sip.Call) {
			_ = c.Hangup(ctx, media.Rejected) // nobody calls these phones
		},
	})
	if err != nil {
		return nil, nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = clock.Run(ctx) })
	running.Go(func() { _ = agent.Run(ctx) }) // calls that fail say why
	dial := func(ctx context.Context, _ int) (leg, error) {
		return agent.Dial(ctx, sip.Dial{To: target, From: "+14155550123"})
	}
	return dial, func() { stop(); running.Wait() }, nil
}

// newStreamDialer places calls as a media-stream carrier does.
func newStreamDialer(webhook string) dialer {
	return func(ctx context.Context, _ int) (leg, error) {
		return mediastreamtest.Dial(ctx, mediastreamtest.Config{
			WebhookURL: webhook, PublicURL: publicURL, AuthToken: authToken,
			From: "+14155550123", To: "+14155550100",
		})
	}
}
