package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/callgw/callgw/dialplan"
	"github.com/callgw/callgw/internal/config"
)

func newRoute() *cobra.Command {
	var path, at string
	var headers []string
	var call dialplan.Call
	cmd := &cobra.Command{
		Use:   "route",
		Short: "Say what the dialplan does with a call",
		Long: `Runs the dialplan on a call that is not made: which route takes it, which do not,
and why. The last line says what becomes of it.

A call that is rejected is no failure of this command: its exit status is 0.`,
		Example: `  callgw route -c callgw.yaml --to +14155550100 --from +14155550123 --trunk carrier
  callgw route -c callgw.yaml --to +14155550100 --at 2026-12-24T18:00:00+01:00 --header X-Customer=42`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if call.To == "" {
				return usagef("--to is missing: the number called, such as --to +14155550100")
			}
			if !slices.Contains(config.Legs(), call.Leg) {
				return usagef("--leg %q: one of %s is needed", call.Leg, strings.Join(config.Legs(), ", "))
			}
			call.At = time.Now()
			if at != "" {
				t, err := time.Parse(time.RFC3339, at)
				if err != nil {
					return usagef("--at %q: a time such as 2026-12-24T18:00:00+01:00 is needed", at)
				}
				call.At = t
			}
			call.Header = map[string][]string{}
			for _, h := range headers {
				name, value, ok := strings.Cut(h, "=")
				if !ok || name == "" {
					return usagef("--header %q: NAME=VALUE is needed", h)
				}
				call.Header[name] = append(call.Header[name], value)
			}
			cfg, err := loadConfig(cmd, path)
			if err != nil {
				return err
			}
			if call.Trunk != "" && cfg.SIP.Trunks[call.Trunk] == nil {
				known := append(slices.Sorted(maps.Keys(cfg.SIP.Trunks)), "no other")
				return usagef("--trunk %q: there is none of that name: there is %s", call.Trunk, strings.Join(known, ", "))
			}
			explain(cmd, cfg.Dialplan, call)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&path, "config", "c", "", "configuration `file`; none: built-in defaults")
	f.StringVar(&call.To, "to", "", "the `number` called")
	f.StringVar(&call.From, "from", "", "the caller's `number`; none: it is withheld")
	f.StringVar(&call.Trunk, "trunk", "", "`name` of the trunk that it comes by")
	f.StringVar(&call.Leg, "leg", "sip", "`leg` by which it comes: "+strings.Join(config.Legs(), ", "))
	f.StringVar(&at, "at", "", "`time` of the call, RFC 3339; none: now")
	f.StringArrayVar(&headers, "header", nil, "a SIP header, `NAME=VALUE`; may be repeated")
	return cmd
}

// explain prints what each route says of a call, and what becomes of it.
func explain(cmd *cobra.Command, plan *dialplan.Plan, call dialplan.Call) {
	out := cmd.OutOrStdout()
	for _, v := range plan.Explain(call) {
		mark := " "
		if v.Chosen {
			mark = "*"
		}
		fmt.Fprintf(out, "%s %s: %s\n", mark, v.Route.Name, v.Why)
	}
	d := plan.Decide(call)
	switch {
	case d.Redirect != nil:
		fmt.Fprintf(out, "redirected to %s by route %s\n", d.Redirect.To, d.Route.Name)
	case d.Reject == nil:
		fmt.Fprintf(out, "taken by agent %s\n", d.Agent)
	case d.Route == nil:
		fmt.Fprintf(out, "rejected with %d: no route takes it\n", d.Reject.Code)
	default:
		fmt.Fprintf(out, "rejected with %d by route %s\n", d.Reject.Code, d.Route.Name)
	}
}
