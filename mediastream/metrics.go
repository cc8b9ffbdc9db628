package mediastream

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts what goes wrong between carriers and this package, and
// measures the way to them. Calls, frames and bytes are counted by the bridge.
type Metrics struct {
	rejected  map[string]prometheus.Counter
	faults    map[string]prometheus.Counter
	roundTrip *prometheus.HistogramVec // by carrier
	silence   prometheus.Counter
}

// Reasons for refusing a request before it becomes a stream.
const (
	rejectSignature = "signature"
	rejectAccount   = "account"
	rejectRequest   = "bad_request"
	rejectDraining  = "draining"
	rejectDuplicate = "duplicate"
	rejectUpgrade   = "upgrade"
	rejectOrigin    = "origin"  // another site's page
	rejectTickets   = "tickets" // too many of them
	rejectLate      = "late"    // a status callback that another has overtaken
)

// NewMetrics returns the package's metrics, registered with reg. A nil reg
// leaves them unregistered.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	rejected := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "callgw_mediastream_rejected_total",
		Help: "Requests of media-stream carriers refused before they became a stream.",
	}, []string{"reason"})
	faults := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "callgw_mediastream_faults_total",
		Help: "Breaches of the media-stream protocol and lost sockets.",
	}, []string{"reason"})
	m := &Metrics{
		rejected: make(map[string]prometheus.Counter),
		faults:   make(map[string]prometheus.Counter),
		roundTrip: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:                           "callgw_mediastream_round_trip_seconds",
			Help:                           "From a mark sent while nothing is buffered at the carrier to its echo.",
			Buckets:                        []float64{.01, .02, .04, .08, .12, .16, .24, .32, .5, 1, 2},
			NativeHistogramBucketFactor:    1.1,
			NativeHistogramMaxBucketNumber: 160,
		}, []string{"leg"}),
		silence: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "callgw_mediastream_silence_bytes_total",
			Help: "Silence put in the place of caller audio that the carrier left out.",
		}),
	}
	for _, reason := range []string{
		rejectSignature, rejectAccount, rejectRequest, rejectDraining, rejectDuplicate, rejectUpgrade, rejectOrigin, rejectTickets, rejectLate,
	} {
		m.rejected[reason] = rejected.WithLabelValues(reason)
	}
	for _, reason := range faultReasons() {
		m.faults[reason] = faults.WithLabelValues(reason)
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{rejected, faults, m.roundTrip, m.silence} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("mediastream: metrics: %w", err)
		}
	}
	return m, nil
}
