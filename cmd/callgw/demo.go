package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/callgw/callgw/internal/caller"
	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/internal/gateway"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
	"github.com/callgw/callgw/test/fixtures"
)

func newDemo() *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See two calls happen, without any key",
		Long: `Runs a gateway with the embedded Realtime server on loopback, has a built-in caller
place one SIP call and one media-stream call, and prints what happens in each: the
caller hears the greeting, speaks, hears the reply, interrupts it, and hangs up.
Then the gateway goes on serving until Ctrl-C, unless --once is given.`,
		Example: "  callgw demo --once",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo(cmd.Context(), cmd.OutOrStdout(), once)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "exit after the calls, with status 1 if anything went wrong")
	return cmd
}

// demoURL is what the demonstration's carrier believes the gateway's address to
// be: signatures are checked as they are in production.
const demoURL = "https://voice.example.com"

// demo runs the gateway and the calls.
func demo(ctx context.Context, out io.Writer, once bool) error {
	story := newStory(out)
	cfg, err := demoConfig(rand.Text())
	if err != nil {
		return err
	}
	g, err := gateway.New(cfg, gateway.Options{Log: zerolog.Nop(), Observe: story.observe})
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- g.Run(serving) }()

	var failures []error
	for _, call := range demoCalls(g, cfg) {
		story.begin(call.title)
		if err := demoCall(ctx, call.cfg); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", call.title, err))
		}
		story.awaitEnd(ctx)
	}
	failures = append(failures, story.summary())
	if !once && ctx.Err() == nil {
		fmt.Fprintf(out, "\nServing until Ctrl-C: call sip:anything@%s, or from a browser at %s,\nor see %s/metrics\n",
			g.SIPAddr("udp"), g.PhoneURL(), g.URL("admin"))
		<-ctx.Done()
	}
	stop()
	return errors.Join(append(failures, <-served)...)
}

// demoConfig is the configuration of a gateway on loopback, with a trunk and an
// account for the built-in caller.
func demoConfig(token string) (*config.Config, error) {
	noKeys := func(string) (string, bool) { return "", false }
	cfg, _, err := config.Default(noKeys)
	if err != nil {
		return nil, err
	}
	cfg.HTTP.Listen, cfg.HTTP.PublicURL = "127.0.0.1:0", demoURL
	cfg.Admin.Listen = "127.0.0.1:0"
	cfg.SIP.Listen = []config.Listen{{Network: "udp", Addr: "127.0.0.1:0"}, {Network: "tcp", Addr: "127.0.0.1:0"}}
	cfg.SIP.RTP.Ports = config.PortRange{} // whatever is free
	cfg.SIP.Trunks = map[string]*config.Trunk{"loopback": {From: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}
	twilio := &config.Twilio{}
	twilio.SetDefaults()
	twilio.AuthToken = config.Secret(token)
	cfg.MediaStreams.Twilio = twilio
	cfg.Calls.Drain = time.Second
	return cfg, nil
}

type plannedCall struct {
	title string
	cfg   caller.Config
}

func demoCalls(g *gateway.Gateway, cfg *config.Config) []plannedCall {
	const from, to = "+14155550123", "+14155550100"
	return []plannedCall{
		{"SIP call", caller.Config{
			Target: "sip:" + to + "@" + g.SIPAddr("udp").String(), From: from,
		}},
		{"media-stream call", caller.Config{
			Target: g.URL("http"), From: from, To: to,
			Carrier: mediastreamtest.Config{
				AuthToken: cfg.MediaStreams.Twilio.AuthToken.Reveal(), PublicURL: demoURL,
				Delay: 40 * time.Millisecond, // one way, as over the Internet
			},
		}},
	}
}

// demoCall is one call's script.
func demoCall(ctx context.Context, cfg caller.Config) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("the call took more than a minute"))
	defer cancel()
	call, err := caller.Dial(ctx, cfg)
	if err != nil {
		return err
	}
	talking, hungUp := call.During(ctx)
	defer hungUp()
	scriptErr := demoScript(talking, call)
	if stream := call.Stream(); stream != nil {
		for _, v := range stream.Violations() {
			scriptErr = errors.Join(scriptErr, fmt.Errorf("breach of the carrier's protocol: %s", v))
		}
	}
	ending, cancelEnding := context.WithTimeout(ctx, 2*time.Second)
	defer cancelEnding()
	return errors.Join(scriptErr, call.Hangup(ending))
}

// demoScript is what the caller does.
func demoScript(ctx context.Context, call *caller.Call) error {
	if err := hearOut(ctx, call, 10*time.Second); err != nil {
		return fmt.Errorf("greeting: %w", err)
	}
	if err := call.Phone.Say(ctx, fixtures.CallerHello); err != nil {
		return err
	}
	if err := call.Phone.AwaitSpeech(ctx, 500*time.Millisecond); err != nil {
		return fmt.Errorf("reply: %w", err)
	}
	if err := call.Phone.Say(ctx, fixtures.CallerInterrupt); err != nil { // while the reply sounds
		return err
	}
	if err := hearOut(ctx, call, 10*time.Second); err != nil {
		return fmt.Errorf("reply to the interruption: %w", err)
	}
	return nil
}
