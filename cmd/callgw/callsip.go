package main

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/sip"
)

// sipFlags are the flags of callgw call that say how a SIP call is placed.
type sipFlags struct {
	name, asserted string
	headers        []string
	ring           time.Duration
}

// sipFlagNames are what media streams have no use for.
var sipFlagNames = []string{"name", "asserted", "header", "ring"}

func (f *sipFlags) register(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.name, "name", "", "the caller's `name` for display; by SIP")
	fl.StringVar(&f.asserted, "asserted", "", "the `number` that P-Asserted-Identity vouches for; by SIP")
	fl.StringArrayVar(&f.headers, "header", nil, "add this `Name: value` to the INVITE; may be repeated; by SIP")
	fl.DurationVar(&f.ring, "ring", time.Minute, "how long it may ring; by SIP")
}

// dial returns what a SIP call to target is placed with.
func (f *sipFlags) dial(cmd *cobra.Command, target string) (sip.Dial, error) {
	out := sip.Dial{Name: f.name, Asserted: f.asserted, RingTimeout: f.ring, Headers: map[string]string{}}
	if !strings.HasPrefix(target, "sip:") {
		at := slices.IndexFunc(sipFlagNames, cmd.Flags().Changed)
		if at >= 0 {
			return out, usagef("--%s is for SIP calls", sipFlagNames[at])
		}
		return out, nil
	}
	if f.ring <= 0 {
		return out, usagef("--ring %v: a duration such as 30s is needed", f.ring)
	}
	for _, h := range f.headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			return out, usagef("--header %q: Name: value is needed", h)
		}
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if fault := config.HeaderFault(name, value); fault != "" {
			return out, usagef("--header %q: %s", h, fault)
		}
		out.Headers[name] = value
	}
	return out, nil
}
