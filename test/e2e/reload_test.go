package e2e_test

import (
	"strings"
	"testing"

	"github.com/callgw/callgw/internal/caller"
)

// TestAReloadIsForNewCalls exchanges the dialplan and the agent while a call
// lasts.
func TestAReloadIsForNewCalls(t *testing.T) {
	t.Parallel()
	g := start(t, Setup{Agent: "session: {instructions: Old.}"})
	p := g.phone(sipLeg, 0)

	*g.next = Setup{
		Agent: "session: {instructions: New.}",
		More:  `dialplan: [{name: streams, when: {leg: twilio}, reject: {}}, {name: all, agent: reception}]`,
	}
	if restart, err := g.Reload(); err != nil || len(restart) != 0 {
		t.Errorf("the reload needs a restart for %v, %v", restart, err)
	}
	q := g.phone(sipLeg, 1)
	if got := q.Session.Settings().Instructions; got != "New." {
		t.Errorf("a new call is told %q", got)
	}
	if _, err := caller.Dial(within(t), g.target(streamLeg)); err == nil {
		t.Error("a call was answered that the new dialplan rejects")
	}
	before := p.Session.InputBytes()
	if err := p.Session.Wait(within(t), func() bool { return p.Session.InputBytes() > before+1600 }); err != nil {
		t.Errorf("the call that lasted: %v", err)
	}
	if got := p.Session.Settings().Instructions; got != "Old." {
		t.Errorf("the call that lasted is told %q now", got)
	}

	// A faulty file changes nothing.
	*g.next = Setup{Agent: "sesion: {}", More: "calls: {max: 0}"}
	_, err := g.Reload()
	if err == nil {
		t.Fatal("a faulty file was read")
	}
	for _, want := range []string{"sesion", "session", "calls.max"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the fault does not name %s: %v", want, err)
		}
	}
	if n := g.Metric(t, "callgw_config_last_reload_successful"); n != 0 {
		t.Errorf("the failure shows as %v", n)
	}
	r := g.phone(sipLeg, 2)
	if got := r.Session.Settings().Instructions; got != "New." {
		t.Errorf("a call after the faulty file is told %q", got)
	}
}

// TestAReloadSaysWhatNeedsARestart changes what a running gateway cannot take
// over.
func TestAReloadSaysWhatNeedsARestart(t *testing.T) {
	t.Parallel()
	g := start(t, Setup{})
	*g.next = Setup{Trunk: "192.0.2.0/24"}
	if restart, err := g.Reload(); err != nil || len(restart) != 1 || restart[0] != "sip" {
		t.Errorf("the reload needs a restart for %v, %v", restart, err)
	}
	g.phone(sipLeg, 0) // the old trunk holds
}
