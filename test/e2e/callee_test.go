package e2e_test

import (
	"context"
	"net"
	"net/http/httptest"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/pacer"
	"github.com/callgw/callgw/internal/phone"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/rtp"
)

// script is what somebody does who is called: it ends when ctx does.
type script func(ctx context.Context, p *phone.Phone)

// callee is a phone that a gateway calls.
type callee struct {
	*phone.Phone
	number string
	done   chan struct{} // closed when the call is over
}

func newCallee() *callee {
	return &callee{Phone: phone.New(phone.Config{}), done: make(chan struct{})}
}

// begin follows the script until the returned function is called.
func (c *callee) begin(ctx context.Context, do script) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var acting sync.WaitGroup
	acting.Go(func() { do(ctx, c.Phone) })
	return func() {
		cancel()
		acting.Wait()
		close(c.done)
	}
}

// sipCallee is a phone that answers by SIP at once.
func sipCallee(t *testing.T, do script) *callee {
	t.Helper()
	c := newCallee()
	ports, err := rtp.NewPorts(rtp.PortsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	clock := pacer.New(pacer.Config{Shards: 1})
	agent, err := sip.NewServer(sip.Config{
		Listen: []sip.Listen{{Network: "udp", Addr: "127.0.0.1:0"}}, Ports: ports, Pacer: clock,
		Trunks: []sip.Trunk{{Name: "gateway", From: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}},
		Handler: func(ctx context.Context, call *sip.Call) {
			var carrying sync.WaitGroup
			carrying.Go(func() { _ = call.Run(ctx, c, c) })
			if err := call.Answer(ctx); err != nil {
				t.Errorf("not answered: %v", err)
			}
			end := c.begin(ctx, do)
			carrying.Wait()
			end()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.number = "sip:" + calledNumber + "@" + agent.Addrs()[0].String()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = clock.Run(ctx) })
	running.Go(func() { _ = agent.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return c
}

// What a gateway needs to place calls by Twilio.
const (
	twilioAccount = "AC00000000000000000000000000000000"
	twilioKey     = "SK0123456789abcdef0123456789abcdef"
	twilioSecret  = "b5e2a9c07d314f68"
)

// carried is Twilio with one phone, and a gateway that calls by it.
type carried struct {
	*callee
	api     *mediastreamtest.API
	gateway atomic.Pointer[string] // its address
	url     string
}

// streamCallee is a phone that Twilio calls; told is what its own detection finds
// out after a second, if it is asked.
func streamCallee(t *testing.T, told string, do script) *carried {
	t.Helper()
	c := &carried{callee: newCallee()}
	c.number = calledNumber
	c.api = mediastreamtest.NewAPI(mediastreamtest.APIConfig{
		Key: twilioKey, Secret: twilioSecret,
		Calls: mediastreamtest.Config{
			WebhookURL: "http://gateway.test/twilio/voice", PublicURL: publicURL,
			AuthToken: authToken, AccountSID: twilioAccount,
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, *c.gateway.Load())
			},
		},
		Callee: func(mediastreamtest.Placed) mediastreamtest.Callee {
			return mediastreamtest.Callee{AnsweredBy: told, AnsweredAfter: time.Second}
		},
		Carry: func(ctx context.Context, call *mediastreamtest.Call) {
			end := c.begin(ctx, do)
			_ = call.Run(ctx, c, c)
			end()
			for _, v := range call.Violations() {
				t.Errorf("breach of the carrier's protocol: %s", v)
			}
		},
	})
	server := httptest.NewServer(c.api)
	c.url = server.URL
	t.Cleanup(func() {
		c.api.Close()
		server.Close()
		for _, v := range c.api.Violations() {
			t.Errorf("breach of the carrier's API: %s", v)
		}
	})
	return c
}
