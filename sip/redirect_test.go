package sip_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
)

func TestCallerIsRedirected(t *testing.T) {
	for target, want := range map[string][]string{
		"+14155550100":         {"302 INVITE", "<sip:+14155550100@peer.example>"},
		"sip:desk@example.com": {"302 INVITE", "<sip:desk@example.com>"},
		"not a number":         {"603 INVITE", ""},
	} {
		redirect := func(ctx context.Context, c *sip.Call, _ *rig) {
			_ = c.Hangup(ctx, fmt.Errorf("route x: %w", media.Redirection{To: target}))
		}
		bubble(t, redirect, func(r *rig) {
			p := r.peer()
			d := p.Call()
			d.Invite(offer())
			res, _ := p.Next(1e9)
			if res.Short() == "100 INVITE" {
				res, _ = p.Next(1e9)
			}
			if diff := cmp.Diff(want, []string{res.Short(), one(res, "Contact")}); diff != "" {
				t.Errorf("%s: %s", target, diff)
			}
			d.AckFailure(res)
		})
	}
}
