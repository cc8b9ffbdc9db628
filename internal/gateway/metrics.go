package gateway

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
)

// instrument registers the series that belong to the gateway as a whole.
func (g *Gateway) instrument() {
	g.callLog = bridge.NewMetrics(g.metrics)
	g.rejected = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "callgw_calls_rejected_total",
		Help: "Calls refused before they began, by why.",
	}, []string{"reason", "leg", "trunk"})
	g.reloadOK = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "callgw_config_last_reload_successful",
		Help: "Whether the latest configuration was taken over.",
	})
	g.reloadOK.Set(1)
	g.metrics.MustRegister(g.calls, g.rejected, g.reloadOK, leaks{g}, sessions{g}, g.watch)
}

// pacerLate returns the observer of the pacer's lateness.
func (g *Gateway) pacerLate() func(time.Duration) {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "callgw_pacer_late_seconds",
		Help:    "How late frames leave.",
		Buckets: []float64{.0005, .001, .002, .005, .01, .02, .04, .1},
	})
	g.metrics.MustRegister(h)
	return func(late time.Duration) { h.Observe(late.Seconds()) }
}

func (g *Gateway) countRejected(leg, trunk string, cause media.Cause) {
	g.rejected.WithLabelValues(cause.String(), leg, trunk).Inc()
}

var leakedDesc = prometheus.NewDesc("callgw_leaked",
	"What is left of calls that have ended; always 0.", []string{"kind"}, nil)

// leaks derives what is leaked from what exists.
type leaks struct{ g *Gateway }

func (l leaks) Describe(ch chan<- *prometheus.Desc) { ch <- leakedDesc }

func (l leaks) Collect(ch chan<- prometheus.Metric) {
	gauge := func(kind string, n int) {
		ch <- prometheus.MustNewConstMetric(leakedDesc, prometheus.GaugeValue, float64(max(0, n)), kind)
	}
	gauge("goroutines", l.g.calls.Leaked())
	gauge("sockets", l.g.calls.LeakedSockets())
	if l.g.ports != nil {
		gauge("ports", l.g.ports.InUse()-l.g.sip.Calls())
	}
}

var sessionsDesc = prometheus.NewDesc("callgw_realtime_sessions_active",
	"Sessions that are open at providers.", nil, nil)

// sessions counts the open sessions.
type sessions struct{ g *Gateway }

func (s sessions) Describe(ch chan<- *prometheus.Desc) { ch <- sessionsDesc }

func (s sessions) Collect(ch chan<- prometheus.Metric) {
	n := 0
	for _, c := range s.g.calls.Calls() {
		if c.HasSession() {
			n++
		}
	}
	ch <- prometheus.MustNewConstMetric(sessionsDesc, prometheus.GaugeValue, float64(n))
}
