package main

import (
	"cmp"
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/internal/gateway"
	"github.com/callgw/callgw/internal/telemetry"
)

func newServe() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the gateway",
		Long: `Runs the gateway until it is told to end. SIGTERM or Ctrl-C drains it: no new
calls, running ones may go on for calls.drain, then they are hung up; a second
signal hangs them up at once. SIGHUP reloads the configuration: calls in progress
keep what they started with, and a faulty file changes nothing.

Without a file the built-in defaults hold: SIP calls from this machine on port
5060, a phone for its browsers at http://127.0.0.1:8080/phone, operators on
127.0.0.1:9090. The environment says more: OPENAI_API_KEY,
TWILIO_AUTH_TOKEN (with CALLGW_PUBLIC_URL), CALLGW_MODEL, CALLGW_BASE_URL,
CALLGW_INSTRUCTIONS, CALLGW_VOICE, CALLGW_HTTP_LISTEN, CALLGW_ADMIN_LISTEN,
CALLGW_ADMIN_TOKEN, CALLGW_EXTERNAL_IP, CALLGW_LOG_LEVEL.

A provider without a key is stood in for by the embedded Realtime server, which
is no model: it greets and repeats what the caller says.

The log goes to standard error.`,
		Example: `  callgw serve -c /etc/callgw/callgw.yaml
  OPENAI_API_KEY=sk-... callgw serve`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, warnings, err := config.Load(path, os.LookupEnv)
			if err != nil {
				printWarnings(cmd, path, warnings) // there is no log yet
				return err
			}
			log, err := telemetry.NewLogger(telemetry.LogConfig{
				Level: cfg.Log.Level, Format: cfg.Log.Format, Out: cmd.ErrOrStderr(),
			})
			if err != nil {
				return err
			}
			log.Info().Str("version", version).Str("config", cmp.Or(path, "environment")).
				Int("agents", len(cfg.Agents)).Int("routes", len(cfg.Routes)).Int("providers", len(cfg.Providers)).
				Msg("starting")
			logWarnings(log, path, warnings)
			g, err := gateway.New(cfg, gateway.Options{Log: log, Reload: reader(path, log)})
			if err != nil {
				return err
			}
			stop := onSignals(g, log)
			defer stop()
			return g.Run(cmd.Context())
		},
	}
	cmd.Flags().StringVarP(&path, "config", "c", "", "configuration `file`; none: built-in defaults")
	return cmd
}

// onSignals reloads on SIGHUP, and cuts the drain short on the second signal
// to end.
func onSignals(g *gateway.Gateway, log zerolog.Logger) (stop func()) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGHUP, os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		ends := 0
		for {
			select {
			case <-ctx.Done():
				return
			case s := <-signals:
				if s == syscall.SIGHUP {
					// The gateway has logged what is wrong, and changed nothing.
					_, _ = g.Reload()
				} else if ends++; ends == 2 {
					log.Warn().Msg("second signal: hanging up all calls")
					g.DrainNow()
				}
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		cancel()
		<-done
	}
}

// reader returns what reads the configuration file again. Its warnings are
// logged; what becomes of it the gateway logs itself.
func reader(path string, log zerolog.Logger) func() (*config.Config, error) {
	return func() (*config.Config, error) {
		cfg, warnings, err := config.Load(path, os.LookupEnv)
		logWarnings(log, path, warnings)
		return cfg, err
	}
}

func logWarnings(log zerolog.Logger, path string, warnings []config.Warning) {
	for _, w := range warnings {
		log.Warn().Msg(config.Line(path, w))
	}
}
