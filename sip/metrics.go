package sip

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/callgw/callgw/sip/rtp"
)

// Metrics are the series of this package. They are shared by all calls. Those of nil
// count nothing.
type Metrics struct {
	counters rtp.Metrics
	// Of calls at their end, by trunk.
	loss, jitter, round, mos *prometheus.HistogramVec
	dropped                  [drops]prometheus.Counter
	unresolved               [questions]prometheus.Counter
	converted                *prometheus.CounterVec
	expiry                   prometheus.Gauge
	renewals                 *prometheus.CounterVec
	trunks                   atomic.Pointer[trunks] // that are shown
}

// drop is why a message was dropped.
type drop uint8

const (
	dropNoise      drop = iota // no SIP
	dropSize                   // too long
	dropHeaders                // too many headers
	dropMalformed              // SIP that nobody can be told about
	dropRate                   // more than a stranger may send
	dropScanner                // from a program that looks for open gateways
	dropUnknown                // from a source that no trunk names
	dropAuth                   // from a source that guesses passwords
	dropHandshake              // a connection without a TLS handshake
	dropConnection             // a connection too many
	drops
)

var dropNames = [drops]string{
	"noise", "size", "headers", "malformed", "rate", "scanner", "unknown", "auth", "handshake", "connection",
}

// NewMetrics registers the callgw_rtp_, callgw_sip_ and callgw_trunk_ series at reg.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{counters: mediaMetrics(reg)}
	m.loss = qualityMetric(reg, "callgw_rtp_loss_ratio", "Part of the packets of each call that never came.",
		0, .001, .002, .005, .01, .02, .05, .1, .2, .5)
	m.jitter = qualityMetric(reg, "callgw_rtp_jitter_seconds", "Interarrival jitter of each call (RFC 3550) at its end.",
		.0005, .001, .002, .005, .01, .02, .05, .1, .2)
	m.round = qualityMetric(reg, "callgw_rtp_round_trip_seconds", "Round trip of each call that measured one (RFC 3550), at its end.",
		.005, .01, .02, .05, .1, .15, .2, .3, .5, 1)
	m.mos = qualityMetric(reg, "callgw_rtp_mos", "Quality of what came in each call, estimated by the E-model, at its end.",
		1, 2, 2.5, 3, 3.25, 3.5, 3.75, 4, 4.1, 4.2, 4.3, 4.4)
	dropped := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "callgw_sip_dropped_total", Help: "Messages and connections that were not served.",
	}, []string{"reason"})
	for why := range drops {
		m.dropped[why] = dropped.WithLabelValues(dropNames[why])
	}
	m.expiry = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "callgw_sip_certificate_expiry_timestamp_seconds", Help: "Until when the TLS certificate of SIP holds; 0 without one.",
	})
	m.renewals = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "callgw_sip_certificate_reloads_total", Help: "How often the TLS files of SIP were read again.",
	}, []string{"result"})
	for _, result := range []string{"ok", "failed"} {
		m.renewals.WithLabelValues(result)
	}
	m.converted = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "callgw_sip_calls_converted_total", Help: "Calls whose audio was converted between the two laws of G.711.",
	}, []string{"trunk"})
	unresolved := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "callgw_sip_dns_failures_total", Help: "Questions about servers that DNS did not answer.",
	}, []string{"type"})
	for what, name := range questionNames {
		m.unresolved[what] = unresolved.WithLabelValues(name)
	}
	reg.MustRegister(dropped, unresolved, m.converted, trunkStates{m}, m.expiry, m.renewals)
	return m
}

// qualityMetric registers what is observed of each call at its end.
func qualityMetric(reg prometheus.Registerer, name, help string, buckets ...float64) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160,
	}, []string{"trunk"})
	reg.MustRegister(v)
	return v
}

// mediaMetrics registers what is counted of all RTP.
func mediaMetrics(reg prometheus.Registerer) rtp.Metrics {
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
	reg.MustRegister(packets, lost, reordered, rejected)
	m := rtp.Metrics{
		Received: packets.WithLabelValues("in"), Sent: packets.WithLabelValues("out"),
		Lost: lost, Reordered: reordered,
	}
	for why := range rtp.Reasons {
		m.Rejected[why] = rejected.WithLabelValues(why.String())
	}
	return m
}

// rtp returns the series for a session of a trunk's.
func (m *Metrics) rtp(trunk string) rtp.Metrics {
	if m == nil {
		return rtp.Metrics{}
	}
	r := m.counters
	r.Loss, r.Jitter = m.loss.WithLabelValues(trunk), m.jitter.WithLabelValues(trunk)
	r.RoundTrip, r.MOS = m.round.WithLabelValues(trunk), m.mos.WithLabelValues(trunk)
	return r
}

func (m *Metrics) drop(why drop) {
	if m != nil {
		m.dropped[why].Inc()
	}
}

// dnsFailed counts a question that DNS did not answer.
func (m *Metrics) dnsFailed(what question) {
	if m != nil {
		m.unresolved[what].Inc()
	}
}

// recoded counts a call of a trunk's that is converted between the two laws.
func (m *Metrics) recoded(trunk string) {
	if m != nil {
		m.converted.WithLabelValues(trunk).Inc()
	}
}

// reloaded counts a reading of the TLS files.
func (m *Metrics) reloaded(ok bool) {
	if m == nil {
		return
	}
	result := "ok"
	if !ok {
		result = "failed"
	}
	m.renewals.WithLabelValues(result).Inc()
}

// expires sets until when the certificate holds.
func (m *Metrics) expires(at time.Time) {
	if m != nil && !at.IsZero() {
		m.expiry.Set(float64(at.Unix()))
	}
}
