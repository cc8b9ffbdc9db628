package e2e_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/callgw/callgw/internal/caller"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/callgw/callgw/sip/siptest"
)

// rejecting is a dialplan that takes none of the test's calls by default.
func rejecting(how string) string {
	return fmt.Sprintf("dialplan: [{name: nobody, when: {from: %q}, %s}, {name: other, when: {to: \"+999*\"}, agent: reception}]", callerAny, how)
}

// callerAny matches the callers of all phones in these tests.
const callerAny = "+141555501*"

// refusing is a provider that opens no session.
func refusing(int) realtimetest.Fault {
	return realtimetest.Fault{Refuse: http.StatusServiceUnavailable}
}

func TestASIPCallIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		setup      Setup
		offer      string // default: the phone's
		status     int
		phrase     string // default: any
		retryAfter bool
		reason     string // of callgw_calls_rejected_total; else it is
		outcome    string // of callgw_calls_total
	}{
		{name: "from a source that no trunk names", setup: Setup{Trunk: "192.0.2.0/24"}, status: 403, reason: "unknown_trunk"},
		{name: "without a route", setup: Setup{More: `dialplan: [{name: other, when: {to: "+999*"}, agent: reception}]`}, status: 404, reason: "no_route"},
		{name: "by the dialplan as busy", setup: Setup{More: rejecting("reject: {code: 486, reason: Engaged}")}, status: 486, phrase: "Engaged", reason: "rejected"},
		{name: "by the dialplan", setup: Setup{More: rejecting("reject: {}")}, status: 603, reason: "rejected"},
		{name: "without a common codec", offer: siptest.SDPWith("127.0.0.1", 40000, "18 101", "rtpmap:18 G729/8000", "rtpmap:101 telephone-event/8000"), status: 488, reason: "not_acceptable"},
		{name: "when no provider opens", setup: Setup{Provider: realtimetest.Config{Fault: refusing}}, status: 503, retryAfter: true, outcome: "provider_refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := start(t, c.setup)
			l := dialLine(t, g, lineConfig{})
			if c.offer == "" {
				c.offer = l.offer()
			}
			refused(t, l, c.offer, c.status, c.phrase, c.retryAfter)
			name, label, want := "callgw_calls_rejected_total", "reason", c.reason
			if c.outcome != "" {
				name, label, want = "callgw_calls_total", "outcome", c.outcome
			}
			if !settles(patience, func() bool { return g.Metric(t, name, label, want, "leg", sipLeg) == 1 }) {
				t.Errorf("%s{%s=%q} is not 1: %v", name, label, want, g.Series(t, name))
			}
			if n := g.Metric(t, "callgw_leaked"); n != 0 {
				t.Errorf("%v leaked", n)
			}
		})
	}
}

// refused places a call and expects a final failure.
func refused(t *testing.T, l *line, offer string, status int, phrase string, retryAfter bool) {
	t.Helper()
	l.dialog.Invite(offer)
	var res siptest.Message
	for {
		var ok bool
		if res, ok = l.sip.Next(patience); !ok {
			t.Fatal("the call is not answered at all")
		}
		if res.Response().StatusCode >= 200 {
			break
		}
	}
	l.dialog.AckFailure(res)
	r := res.Response()
	if r.StatusCode != status || phrase != "" && r.Reason != phrase {
		t.Errorf("answered with %d %s, expected %d %s", r.StatusCode, r.Reason, status, phrase)
	}
	if got := r.GetHeader("Retry-After") != nil; got != retryAfter {
		t.Errorf("Retry-After is there: %v\n%s", got, res.Raw)
	}
}

func TestASIPCallIsRefusedWhenAllLinesAreTaken(t *testing.T) {
	t.Parallel()
	full := Setup{More: "calls: {max: 1}"}
	g := start(t, full)
	p := g.phone(sipLeg, 0)
	l := dialLine(t, g, lineConfig{})
	refused(t, l, l.offer(), 503, "", true)
	if n := g.Metric(t, "callgw_calls_rejected_total", "reason", "busy", "trunk", "lab"); n != 1 {
		t.Errorf("%v calls counted as refused", n)
	}
	var rejected *mediastreamtest.RejectedError
	if _, err := caller.Dial(within(t), g.target(streamLeg)); !errors.As(err, &rejected) || rejected.Reason != "busy" {
		t.Errorf("a media stream was refused with: %v", err)
	}
	full.More = "calls: {max: 1, say: {full: All lines are taken.}}"
	g.next = &full
	if _, err := g.Reload(); err != nil {
		t.Fatal(err)
	}
	if _, err := caller.Dial(within(t), g.target(streamLeg)); !errors.As(err, &rejected) || rejected.Said != "All lines are taken." {
		t.Errorf("a media stream was refused with: %v", err)
	}
	if err := p.Hangup(within(t)); err != nil {
		t.Error(err)
	}
	p.Ends(atOnce, "caller_hung_up")
	g.phone(sipLeg, 1) // there is room again
}

func TestAMediaStreamIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		setup   Setup
		reject  string // the reason that the carrier is told,
		said    string // or what the caller hears instead
		reason  string
		outcome string
	}{
		{name: "without a route", setup: Setup{More: `dialplan: [{name: other, when: {to: "+999*"}, agent: reception}]`}, reject: "rejected", reason: "no_route"},
		{name: "by the dialplan", setup: Setup{More: rejecting("reject: {}")}, reject: "rejected", reason: "rejected"},
		{name: "when no provider opens", setup: Setup{Provider: realtimetest.Config{Fault: refusing}}, said: "We cannot take your call at the moment. Please call again later.", outcome: "provider_refused"},
		{name: "in the operator's words", setup: Setup{Provider: realtimetest.Config{Fault: refusing}, More: "calls: {say: {unavailable: Closed.}}"}, said: "Closed.", outcome: "provider_refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := start(t, c.setup)
			call, err := caller.Dial(within(t), g.target(streamLeg))
			if err == nil {
				_ = call.Hangup(within(t))
			}
			var rejected *mediastreamtest.RejectedError
			if !errors.As(err, &rejected) || rejected.Reason != c.reject || rejected.Said != c.said {
				t.Errorf("refused with: %v", err)
			}
			name, label, want := "callgw_calls_rejected_total", "reason", c.reason
			if c.outcome != "" {
				name, label, want = "callgw_calls_total", "outcome", c.outcome
			}
			if !settles(patience, func() bool { return g.Metric(t, name, label, want, "leg", streamLeg) == 1 }) {
				t.Errorf("%s{%s=%q} is not 1: %v", name, label, want, g.Series(t, name))
			}
		})
	}
}

func TestARequestThatTheCarrierDidNotSignIsForbidden(t *testing.T) {
	t.Parallel()
	g := start(t, Setup{})
	cfg := g.target(streamLeg)
	cfg.Carrier.AuthToken = "another"
	_, err := caller.Dial(within(t), cfg)
	if err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("the webhook answers: %v", err)
	}
	if n := g.Metric(t, "callgw_mediastream_rejected_total", "reason", "signature"); n != 1 {
		t.Errorf("%v requests counted as refused", n)
	}
	if len(g.Calls.All()) != 0 || g.Provider.Handshakes() != 0 {
		t.Error("it became a call")
	}
}
