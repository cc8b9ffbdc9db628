package e2e_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/internal/admin"
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
	*g.next = Setup{SIP: "  realm: example\n  early_media: true"}
	restart, err := g.Reload()
	if diff := cmp.Diff([]string{"sip.realm", "sip.early_media"}, restart); err != nil || diff != "" {
		t.Errorf("the reload needs a restart for %v, %v", diff, err)
	}
	g.phone(sipLeg, 0)
}

// TestTrunksAreReloaded takes the trunk of a call away and gives it back, which the
// call does not notice.
func TestTrunksAreReloaded(t *testing.T) {
	t.Parallel()
	g := start(t, Setup{})
	p := g.phone(sipLeg, 0)
	reload := func(s Setup) {
		t.Helper()
		*g.next = s
		if restart, err := g.Reload(); err != nil || len(restart) != 0 {
			t.Fatalf("the reload needs a restart for %v, %v", restart, err)
		}
	}
	goesOn := func() {
		t.Helper()
		before := p.Session.InputBytes()
		if err := p.Session.Wait(within(t), func() bool { return p.Session.InputBytes() > before+1600 }); err != nil {
			t.Errorf("the call that lasts: %v", err)
		}
	}

	reload(Setup{
		Trunk:  "192.0.2.0/24",
		Trunks: `pbx: {register: {server: "sip:127.0.0.2:9", username: "100", password: x, required: true}}`,
	})
	goesOn()
	if _, err := caller.Dial(within(t), g.target(sipLeg)); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("a call from nowhere: %v", err)
	}
	if status, body := fetch(t, http.MethodGet, g.URL("admin")+"/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "pbx") {
		t.Errorf("/readyz: %d %s", status, body)
	}
	if n := g.Metric(t, "callgw_trunk_registered", "trunk", "pbx"); n != 0 {
		t.Errorf("callgw_trunk_registered is %v", n)
	}

	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	// What cannot be, changes nothing: a route names a trunk that is gone, and a file
	// that is no certificate.
	for _, faulty := range []struct {
		Setup
		fault string
	}{
		{Setup{More: `dialplan: [{name: x, when: {trunk: pbx}, agent: reception}]`}, "there is no trunk"},
		{Setup{Trunks: fmt.Sprintf("secure: {from: [192.0.2.1], tls: {ca: %q}}", empty)}, "no certificate in it"},
	} {
		*g.next = faulty.Setup
		if _, err := g.Reload(); err == nil || !strings.Contains(err.Error(), faulty.fault) {
			t.Errorf("the reload says %v, not %q", err, faulty.fault)
		}
	}
	if _, err := caller.Dial(within(t), g.target(sipLeg)); err == nil {
		t.Error("a faulty file has changed the trunks")
	}

	reload(Setup{Trunks: `spare: {server: "sip:127.0.0.1:9"}`})
	if status, body := fetch(t, http.MethodGet, g.URL("admin")+"/readyz"); status != http.StatusOK {
		t.Errorf("/readyz: %d %s", status, body)
	}
	g.phone(sipLeg, 1)
	goesOn()
	if _, err := g.Call(within(t), admin.Outbound{To: "1", Trunk: "pbx"}); !errors.Is(err, admin.ErrRequest) {
		t.Errorf("a call over a trunk that is gone: %v", err)
	}
}
