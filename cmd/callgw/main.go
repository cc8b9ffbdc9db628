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
	"strings"
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
	var usage *usageError
	var faulty *config.Error
	switch {
	case errors.As(err, &faulty):
		// Each fault begins with its place, as editors and people look for it.
		fmt.Fprintln(stderr, faulty)
		fmt.Fprintf(stderr, "callgw: %s in the configuration\n", count(len(faulty.Faults), "fault"))
		return exitUsage
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "callgw: %v\n", err)
		return exitUsage
	}
	fmt.Fprintf(stderr, "callgw: %v\n", err)
	return exitFailed
}

// count says how many there are of what.
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
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
joins each with an OpenAI Realtime session, G.711 passed through untouched.

The exit status is 0 when done, 1 when it failed, 2 when the usage or the
configuration is wrong.`,
		Example: `  callgw demo --once           two calls over loopback, without any key
  callgw check -c callgw.yaml  is the configuration right?
  callgw serve -c callgw.yaml  run the gateway`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w: see %s --help", err, cmd.CommandPath())
	})
	root.SetHelpCommand(newHelp())
	root.AddCommand(
		newServe(), newDemo(), newCheck(), newRoute(), newCall(), newSimulate(), newVersion(),
	)
	return root
}

// newHelp is cobra's help command, but for a topic that there is not.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [command]",
		Short:   "Help about any command",
		Example: "  callgw help serve",
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usagef("unknown command %q: see callgw --help", strings.Join(args, " "))
			}
			return topic.Help()
		},
	}
}

// knownCommand refuses what a command with subcommands does not know.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("unknown command %q: see %s --help", args[0], cmd.CommandPath())
	}
	return nil
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
	printWarnings(cmd, path, warnings)
	return cfg, err
}

func printWarnings(cmd *cobra.Command, path string, warnings []config.Warning) {
	for _, w := range warnings {
		fmt.Fprintln(cmd.ErrOrStderr(), "warning:", config.Line(path, w))
	}
}
