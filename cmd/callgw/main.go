// Callgw gives an OpenAI Realtime agent a phone number: it answers calls that
// come by SIP trunk or as Twilio Media Streams and joins each with a Realtime
// session. Run callgw --help.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // hours of the dialplan name time zones; a container may have none

	"github.com/spf13/cobra"

	"github.com/callgw/callgw/internal/config"
)

// version is set by the build.
var version = "dev"

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2 // wrong usage or configuration
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run runs one command and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(stderr, "callgw: %v\n", err)
	var usage *usageError
	var faulty *config.Error
	if errors.As(err, &usage) || errors.As(err, &faulty) {
		return exitUsage
	}
	return exitFailed
}

// usageError is a fault in how a command was called.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// usagef returns a usageError.
func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "callgw",
		Short: "A phone number for an OpenAI Realtime agent",
		Long: `callgw answers phone calls that come by SIP trunk or as Twilio Media Streams and
joins each with an OpenAI Realtime session, G.711 passed through untouched.`,
		Example: `  callgw demo --once           two calls over loopback, without any key
  callgw check -c callgw.yaml  is the configuration right?
  callgw serve -c callgw.yaml  run the gateway`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q: see callgw --help", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w: see %s --help", err, cmd.CommandPath())
	})
	root.AddCommand(
		newServe(), newDemo(), newCheck(), newRoute(), newCall(), newSimulate(), newVersion(),
	)
	return root
}

// noArgs refuses positional arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("unexpected argument %q: see %s --help", args[0], cmd.CommandPath())
	}
	return nil
}

// loadConfig loads the file of -c, or the defaults, and prints the warnings.
func loadConfig(cmd *cobra.Command, path string) (*config.Config, error) {
	cfg, warnings, err := config.Load(path, os.LookupEnv)
	for _, w := range warnings {
		fmt.Fprintln(cmd.ErrOrStderr(), "warning:", w)
	}
	return cfg, err
}
