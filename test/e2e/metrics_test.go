package e2e_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/callgw/callgw/internal/caller"
	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/callgw/callgw/test/fixtures"
)

// promised are the series that dashboards rely on.
var promised = []string{
	"callgw_calls_active", "callgw_calls_total", "callgw_calls_rejected_total",
	"callgw_call_duration_seconds", "callgw_call_setup_seconds", "callgw_call_teardown_seconds",
	"callgw_response_latency_seconds",
	"callgw_barge_in_total", "callgw_barge_in_stop_seconds",
	"callgw_truncations_total",
	"callgw_audio_frames_total", "callgw_audio_bytes_total",
	"callgw_playout_underruns_total", "callgw_pacer_late_seconds",
	"callgw_rtp_packets_total", "callgw_rtp_lost_total", "callgw_rtp_reordered_total",
	"callgw_rtp_jitter_seconds", "callgw_rtp_rejected_total",
	"callgw_realtime_sessions_active", "callgw_realtime_connect_seconds",
	"callgw_realtime_errors_total", "callgw_realtime_tokens_total",
	"callgw_leaked",
}

// digits are a number, not a name such as q850 or p99.
var digits = regexp.MustCompile(`[0-9]{4,}`)

// TestMetricsTellOfCalls has a whole call by each leg, with a reply and an
// interruption, and reads /metrics.
func TestMetricsTellOfCalls(t *testing.T) {
	t.Parallel()
	g := start(t, Setup{
		More: `dialplan: [{name: nobody, when: {to: "+1999*"}, reject: {}}, {name: all, agent: reception}]`,
		Provider: realtimetest.Config{
			Voice: singing(20 * time.Second),
			Fault: func(n int) realtimetest.Fault {
				if n != 2 {
					return realtimetest.Fault{}
				}
				return realtimetest.Fault{Refuse: http.StatusUnauthorized}
			},
		},
	})
	for n, leg := range legs {
		p := g.phone(leg, n)
		conversation(t, p)
		if n == 0 {
			// Another call lasts, so that there is one to count.
			continue
		}
		if err := p.Hangup(within(t)); err != nil {
			t.Error(err)
		}
		p.Ends(atOnce, "caller_hung_up")
	}
	if _, err := caller.Dial(within(t), g.target(sipLeg)); err == nil {
		t.Error("a call was answered without a provider")
	}
	cfg := g.target(streamLeg)
	cfg.To = "+19995550100"
	if _, err := caller.Dial(within(t), cfg); err == nil {
		t.Error("a call was answered that the dialplan rejects")
	}

	problems, err := testutil.GatherAndLint(g.Metrics())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("promlint: %s: %s", p.Metric, p.Text)
	}
	families, err := g.Metrics().Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "callgw_") {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if digits.MatchString(l.GetValue()) {
					t.Errorf("%s has a number in %s=%q", f.GetName(), l.GetName(), l.GetValue())
				}
			}
		}
	}
	status, body := fetch(t, http.MethodGet, g.URL("admin")+"/metrics")
	if status != http.StatusOK {
		t.Fatalf("/metrics answers %d", status)
	}
	for _, name := range promised {
		if !strings.Contains(body, "# TYPE "+name+" ") {
			t.Errorf("/metrics has no %s", name)
		}
	}
	for _, name := range []string{"callgw_barge_in_total", "callgw_truncations_total", "callgw_response_latency_seconds", "callgw_calls_active"} {
		if g.Metric(t, name, "agent", "reception", "provider", "model", "leg", sipLeg) == 0 {
			t.Errorf("%s counts nothing: %v", name, g.Series(t, name))
		}
	}
	if g.Metric(t, "callgw_audio_bytes_total", "direction", "in", "leg", streamLeg) < 8000 {
		t.Errorf("caller audio is not counted: %v", g.Series(t, "callgw_audio_bytes_total"))
	}
}

// conversation interrupts the greeting, hears the reply to that, and interrupts
// it as well.
func conversation(t *testing.T, p *Phoned) {
	t.Helper()
	for n := range 2 {
		if err := p.Phone.AwaitSpeech(within(t), 300*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if err := p.Phone.Say(within(t), fixtures.CallerInterrupt); err != nil {
			t.Fatal(err)
		}
		if err := p.Session.Wait(within(t), func() bool { return len(p.Session.Truncations()) > n }); err != nil {
			t.Fatal(err)
		}
	}
}
