package sip

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/callgw/callgw/sip/rtp"
)

// Metrics are the series of this package. They are shared by all calls.
type Metrics struct{ counters rtp.Metrics }

// NewMetrics registers the callgw_rtp_ series at reg.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	packets := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "callgw_rtp_packets_total", Help: "RTP packets accepted and sent.",
	}, []string{"direction"})
	lost := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "callgw_rtp_lost_total", Help: "RTP packets of peers that never came.",
	})
	reordered := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "callgw_rtp_reordered_total", Help: "RTP packets that came out of order, but in time.",
	})
	rejected := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "callgw_rtp_rejected_total", Help: "Packets on RTP ports that were dropped.",
	}, []string{"reason"})
	jitter := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "callgw_rtp_jitter_seconds", Help: "Interarrival jitter of each call (RFC 3550) at its end.",
		Buckets:                     []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .2},
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160,
	})
	reg.MustRegister(packets, lost, reordered, rejected, jitter)
	m := &Metrics{counters: rtp.Metrics{
		Received: packets.WithLabelValues("in"), Sent: packets.WithLabelValues("out"),
		Lost: lost, Reordered: reordered, Jitter: jitter,
	}}
	for why := range rtp.Reasons {
		m.counters.Rejected[why] = rejected.WithLabelValues(why.String())
	}
	return m
}

// rtp returns the counters for a session; those of nil count nothing.
func (m *Metrics) rtp() rtp.Metrics {
	if m == nil {
		return rtp.Metrics{}
	}
	return m.counters
}
