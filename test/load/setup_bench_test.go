package load_test

import (
	"slices"
	"testing"
	"time"

	"github.com/callgw/callgw/internal/config"
)

// BenchmarkSetUp places -load.rate calls per second for -load.storm, each of which
// talks for stormLasts, and reports lost, the calls that were refused, ended by
// themselves or heard nothing; setup, from INVITE or webhook to the answer; and
// heard, from INVITE or webhook to when the greeting was surely heard, which takes
// the callers two frames. Both are without the provider's latency.
func BenchmarkSetUp(b *testing.B) {
	for _, leg := range []string{streamLeg, sipLeg} {
		b.Run(leg, func(b *testing.B) {
			for b.Loop() {
				setUp(b, leg)
			}
			b.ReportMetric(0, "ns/op") // says nothing: it is how long was measured
		})
	}
}

// stormLasts is how long a call of a storm talks.
const stormLasts = 3 * time.Second

func setUp(b *testing.B, leg string) {
	peers := startPeers(b)
	g, stop := startGateway(b, peers.read(b).Provider)
	defer stop()
	target := g.URL("http") + "/twilio/voice"
	if leg == sipLeg {
		target = "sip:+14155550100@" + g.SIPAddr("udp").String()
	}
	calls := int(stormTime.Seconds() * float64(*stormRate))
	before := usage(b, g)
	peers.write(b, order{Leg: leg, Target: target, Calls: calls, Rate: *stormRate, Lasts: stormLasts})
	r := peers.read(b)
	after := usage(b, g)
	if lost := calls - r.Lasted; lost > 0 {
		b.Errorf("%d of %d calls were lost: %s", lost, calls, r.Error)
	}
	b.ReportMetric(float64(calls), "calls")
	b.ReportMetric(float64(calls-r.Lasted), "lost")
	b.ReportMetric(after.since(before).underruns, "underruns")
	for i := range r.Heard {
		// Calls are answered when there is something to hear.
		r.SetUp[i] -= providerLatency
		r.Heard[i] -= providerLatency
	}
	quantiles(b, r.SetUp, "setup")
	quantiles(b, r.Heard, "heard")
}

// quantiles reports the median and the 99th percentile.
func quantiles(b *testing.B, times []time.Duration, name string) {
	if len(times) == 0 {
		return
	}
	slices.Sort(times)
	for _, q := range []struct {
		name string
		at   int // in thousandths
	}{{"p50", 500}, {"p99", 990}} {
		t := times[min(len(times)*q.at/1000, len(times)-1)]
		b.ReportMetric(float64(t)/float64(time.Millisecond), name+"-"+q.name+"-ms")
	}
}

// BenchmarkFull has as many calls as calls.max allows and INVITEs more at -load.rate
// per second; each must be refused with 503 and Retry-After. It reports how soon.
func BenchmarkFull(b *testing.B) {
	const limit = 50
	for b.Loop() {
		peers := startPeers(b)
		g, stop := startGateway(b, peers.read(b).Provider, func(cfg *config.Config) { cfg.Calls.Max = limit })
		peers.write(b, order{Leg: sipLeg, Target: "sip:+14155550100@" + g.SIPAddr("udp").String(), Calls: limit})
		if r := peers.read(b); r.Answered != limit {
			b.Fatalf("%d of %d calls were answered: %s", r.Answered, limit, r.Error)
		}
		tick := time.NewTicker(time.Second / time.Duration(*stormRate))
		times := make([]time.Duration, int(stormTime.Seconds()*float64(*stormRate)))
		for i := range times {
			<-tick.C
			status, retry, took, err := invite(b.Context(), g.SIPAddr("udp").String(), i)
			if err != nil || status != 503 || retry == "" {
				b.Fatalf("INVITE %d: %d, Retry-After %q: %v", i, status, retry, err)
			}
			times[i] = took
		}
		tick.Stop()
		peers.write(b, order{})
		if r := peers.read(b); r.Lasted != limit {
			b.Errorf("%d of %d calls lasted until they were ended", r.Lasted, limit)
		}
		b.ReportMetric(float64(len(times)), "refused")
		quantiles(b, times, "503")
		stop()
	}
	b.ReportMetric(0, "ns/op")
}
