package e2e_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/internal/gateway"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// What a gateway under test believes of the world.
const (
	publicURL = "https://voice.example.com"
	authToken = "8d3c19f04c2b4bd0a1c7e65f"
	apiKey    = "sk-e2e-5b1f3c77a9"
)

// Setup of a gateway under test. The zero value takes every call for an agent
// that greets with the embedded clip and repeats what the caller says.
type Setup struct {
	Provider realtimetest.Config
	Dialect  string // default ga
	Agent    string // lines of the agent's section
	More     string // further sections of the file, dialplan and calls among them
	Trunk    string // its networks; default loopback
	Trunks   string // more of them, as in a mapping's braces
	Twilio   string // more keys of Twilio's account, likewise
	SIP      string // more lines of the section sip
	Level    zerolog.Level
}

// Gateway is a gateway under test with its provider.
type Gateway struct {
	*gateway.Gateway
	Provider *realtimetest.Running
	Log      *Log
	Calls    *Calls

	t       *testing.T
	setup   Setup
	next    *Setup // what a reload reads
	stop    context.CancelFunc
	stopped chan struct{}
	err     error // of Run, once stopped
}

// start runs a gateway until the test ends.
func start(t *testing.T, s Setup) *Gateway {
	t.Helper()
	if s.Provider.Pace == nil {
		s.Provider.Pace = &realtimetest.Pace{} // as fast as can be
	}
	s.Provider.Key = apiKey
	provider, err := realtimetest.Listen(s.Provider)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(provider.Close)
	g := &Gateway{
		Provider: provider, Log: &Log{}, Calls: newCalls(),
		t: t, setup: s, next: &s, stopped: make(chan struct{}),
	}
	cfg, err := g.Config(s)
	if err != nil {
		t.Fatal(err)
	}
	g.Gateway, err = gateway.New(cfg, gateway.Options{
		Log:     zerolog.New(g.Log).Level(s.Level).With().Timestamp().Logger(),
		Observe: g.Calls.observe,
		Reload:  func() (*config.Config, error) { return g.Config(*g.next) },
	})
	if err != nil {
		t.Fatal(err)
	}
	var ctx context.Context
	ctx, g.stop = context.WithCancel(context.Background())
	go func() {
		defer close(g.stopped)
		g.err = g.Run(ctx)
	}()
	t.Cleanup(g.Stop)
	return g
}

// Stop hangs up all calls and ends the gateway.
func (g *Gateway) Stop() {
	g.DrainNow()
	g.stop()
	await(g.t, g.stopped, "the gateway to end")
	if g.err != nil {
		g.t.Errorf("the gateway ended with: %v", g.err)
	}
}

// Config returns the configuration that s describes, as read from a file.
func (g *Gateway) Config(s Setup) (*config.Config, error) {
	path := filepath.Join(g.t.TempDir(), "callgw.yaml")
	if err := os.WriteFile(path, []byte(g.yaml(s)), 0o600); err != nil {
		return nil, err
	}
	cfg, _, err := config.Load(path, func(string) (string, bool) { return "", false })
	if err != nil {
		return nil, err
	}
	cfg.SIP.RTP.Ports = config.PortRange{} // whatever is free: other tests run
	return cfg, nil
}

// yaml returns the configuration file.
func (g *Gateway) yaml(s Setup) string {
	if s.Dialect == "" {
		s.Dialect = "ga"
	}
	if s.Trunk == "" {
		s.Trunk = "127.0.0.0/8"
	}
	var agent strings.Builder
	for line := range strings.Lines(strings.TrimSpace(s.Agent)) {
		agent.WriteString("    " + strings.TrimRight(line, "\n") + "\n")
	}
	return fmt.Sprintf(`
http: {listen: "127.0.0.1:0", public_url: %q}
admin: {listen: "127.0.0.1:0"}
sip:
  listen: ["udp://127.0.0.1:0", "tcp://127.0.0.1:0"]
  trunks: {lab: {from: [%s]}, %s}
%s
media_streams: {twilio: {auth_token: %q, %s}}
providers: {model: {dialect: %s, base_url: %q, api_key: %q, model: any}}
agents:
  reception:
    provider: model
%s
%s`, publicURL, s.Trunk, s.Trunks, s.SIP, authToken, s.Twilio, s.Dialect, g.Provider.URL, apiKey, agent.String(), s.More)
}

// SIP returns the address of the gateway's UDP socket.
func (g *Gateway) SIP() netip.AddrPort {
	return netip.MustParseAddrPort(g.SIPAddr("udp").String())
}

// Session returns the provider's session of a number, counted from 0.
func (g *Gateway) Session(n int) *realtimetest.Session {
	g.t.Helper()
	s, err := g.Provider.WaitSession(within(g.t), n)
	if err != nil {
		g.t.Fatalf("session %d: %v", n, err)
	}
	return s
}
