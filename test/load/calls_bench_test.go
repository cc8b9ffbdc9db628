package load_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/internal/gateway"
)

// BenchmarkCalls carries calls in parallel and reports, for the gateway's process
// alone: CPU-ms/call-s, milliseconds of processor time per second of call;
// KiB/call, live heap and stacks, and KiB/call-min, what came to them per minute of
// the window; underruns, of all calls together; and, for SIP, late-p99-ms, how late
// packets left.
func BenchmarkCalls(b *testing.B) {
	for _, leg := range []string{streamLeg, sipLeg} {
		for _, calls := range []int{50, 100, 200, 300} {
			b.Run(fmt.Sprintf("%s-%d", leg, calls), func(b *testing.B) {
				for b.Loop() {
					measure(b, leg, calls)
				}
				b.ReportMetric(0, "ns/op") // says nothing: it is how long was measured
			})
		}
	}
}

// measure has one herd of calls.
func measure(b *testing.B, leg string, calls int) {
	peers := startPeers(b)
	g, stop := startGateway(b, peers.read(b).Provider)
	defer stop()
	idle := memory()

	target := g.URL("http") + "/twilio/voice"
	if leg == sipLeg {
		target = "sip:+14155550100@" + g.SIPAddr("udp").String()
	}
	peers.write(b, order{Leg: leg, Target: target, Calls: calls})
	if r := peers.read(b); r.Answered != calls {
		b.Fatalf("%d of %d calls were answered: %s", r.Answered, calls, r.Error)
	}
	early := memory()
	before := usage(b, g)
	<-time.After(*window)
	after := usage(b, g)
	busy := memory()
	peers.write(b, order{})
	if r := peers.read(b); r.Lasted != calls {
		b.Errorf("%d of %d calls lasted until they were ended; all ended so: %v", r.Lasted, calls, outcomes(b, g))
	}
	after.since(before).report(b, calls)
	b.ReportMetric((busy-idle)/1024/float64(calls), "KiB/call")
	b.ReportMetric((busy-early)/1024/float64(calls)/window.Minutes(), "KiB/call-min")
}

// peers is the second process.
type peers struct {
	in  *json.Encoder
	out *json.Decoder
}

// startPeers starts it; it ends with the benchmark.
func startPeers(b *testing.B) *peers {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), self)
	cmd.Env = append(os.Environ(), peersVariable+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close() // the process ends with its orders
		_ = cmd.Wait() // what it had to say it has said
	})
	return &peers{json.NewEncoder(in), json.NewDecoder(out)}
}

func (p *peers) write(b *testing.B, o order) {
	b.Helper()
	if err := p.in.Encode(o); err != nil {
		b.Fatalf("peers: %v", err)
	}
}

func (p *peers) read(b *testing.B) (r report) {
	b.Helper()
	if err := p.out.Decode(&r); err != nil {
		b.Fatalf("peers: %v", err)
	}
	return r
}

// startGateway runs a gateway in this process.
func startGateway(b *testing.B, provider string, tweak ...func(*config.Config)) (g *gateway.Gateway, stop func()) {
	b.Helper()
	cfg, _, err := config.Default(func(string) (string, bool) { return "", false })
	if err != nil {
		b.Fatal(err)
	}
	for _, p := range cfg.Providers {
		p.BaseURL, p.APIKey = config.URL(provider), "none"
	}
	cfg.HTTP.Listen, cfg.HTTP.PublicURL = "127.0.0.1:0", publicURL
	cfg.Admin.Listen = "127.0.0.1:0"
	cfg.SIP.Listen = []config.Listen{{Network: "udp", Addr: "127.0.0.1:0"}}
	cfg.SIP.RTP.Ports = config.PortRange{} // whatever is free
	cfg.SIP.Trunks = map[string]*config.Trunk{"load": {From: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}
	twilio := &config.Twilio{}
	twilio.SetDefaults()
	twilio.AuthToken = authToken
	cfg.MediaStreams.Twilio = twilio
	for _, f := range tweak {
		f(cfg)
	}
	g, err = gateway.New(cfg, gateway.Options{Log: zerolog.Nop()})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	return g, func() {
		g.DrainNow()
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
}
