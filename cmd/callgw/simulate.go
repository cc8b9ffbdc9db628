package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/callgw/callgw/realtime/realtimetest"
)

func newSimulate() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Run a stand-in for a part of the world",
		Example: `  callgw simulate realtime --listen 127.0.0.1:9000
  callgw simulate twilio --dial +14155550100`,
		Args: knownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSimulateRealtime(), newSimulateTwilio())
	return cmd
}

func newSimulateRealtime() *cobra.Command {
	var listen, dialect, voice, key string
	var tone, latency, life time.Duration
	cmd := &cobra.Command{
		Use:   "realtime",
		Short: "Run the embedded Realtime server alone",
		Long: `Serves the Realtime API over WebSocket until Ctrl-C, for tests of anything that
speaks it: strict, with voice activity detection on the caller's audio, answering
in bursts faster than real time as the service does. There is no model behind it:
the voice greets, then repeats what the caller says, or sounds a tone.

It prints its URL, to which a provider's base_url is set. Events that are wrong
get the service's own error event.`,
		Example: `  callgw simulate realtime --listen 127.0.0.1:9000
  callgw simulate realtime --listen 127.0.0.1:9000 --dialect beta --voice tone --tone 5s`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg := realtimetest.Config{Key: key, Life: life, Forget: true}
			switch dialect {
			case "ga":
				cfg.Dialects = realtimetest.GAOnly
			case "beta":
				cfg.Dialects = realtimetest.BetaOnly
			case "both":
				cfg.Dialects = realtimetest.Both
			default:
				return usagef("--dialect %q: ga, beta or both is needed", dialect)
			}
			switch voice {
			case "parrot":
				cfg.Voice = realtimetest.Parrot
			case "tone":
				cfg.Voice = realtimetest.Tone(tone)
			default:
				return usagef("--voice %q: parrot or tone is needed", voice)
			}
			pace := realtimetest.DefaultPace()
			pace.Latency = latency
			cfg.Pace = &pace
			return simulateRealtime(cmd, listen, cfg)
		},
	}
	f := cmd.Flags()
	f.StringVar(&listen, "listen", "127.0.0.1:9000", "`address` to listen on; port 0: any that is free")
	f.StringVar(&dialect, "dialect", "both", "`dialect` that is spoken: ga, beta, or both as the OpenAI-Beta header says")
	f.StringVar(&voice, "voice", "parrot", "`voice`: parrot repeats the caller, tone sounds")
	f.DurationVar(&tone, "tone", 5*time.Second, "how long --voice tone sounds")
	f.StringVar(&key, "key", "", "the only `key` that is accepted; none: any")
	f.DurationVar(&latency, "latency", realtimetest.DefaultPace().Latency, "from a request to the first audio of its response")
	f.DurationVar(&life, "life", time.Hour, "after which a session expires")
	return cmd
}

// simulateRealtime serves until the command's context ends.
func simulateRealtime(cmd *cobra.Command, listen string, cfg realtimetest.Config) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("--listen %q: %w: choose an address of this machine with a free port", listen, err)
	}
	server := realtimetest.New(cfg)
	web := &http.Server{Handler: server, ReadHeaderTimeout: 5 * time.Second}
	fmt.Fprintf(cmd.OutOrStdout(), "Realtime server at ws://%s/v1/realtime\n", listener.Addr())
	stop := context.AfterFunc(cmd.Context(), func() {
		ending, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		server.Shutdown(ending)
		// What it returns concerns the listener, which is gone either way.
		_ = web.Close()
	})
	defer stop()
	if err := web.Serve(listener); err != http.ErrServerClosed {
		return err
	}
	server.Close()
	return nil
}
