package bridge

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/callgw/callgw/bridge/media"
)

// Metrics are the series that calls feed.
type Metrics struct {
	total       *prometheus.CounterVec
	relays      *prometheus.CounterVec
	refusals    *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	setup       *prometheus.HistogramVec
	teardown    *prometheus.HistogramVec
	latency     *prometheus.HistogramVec
	bargeIns    *prometheus.CounterVec
	bargeStop   *prometheus.HistogramVec
	truncations *prometheus.CounterVec
	frames      *prometheus.CounterVec
	bytes       *prometheus.CounterVec
	underruns   *prometheus.CounterVec
	connects    *prometheus.HistogramVec
	reconnects  *prometheus.CounterVec
	errors      *prometheus.CounterVec
	tokens      *prometheus.CounterVec
	transcribed *prometheus.CounterVec
	responses   *prometheus.CounterVec
	costs       *prometheus.CounterVec
	calls       *prometheus.CounterVec
	callTimes   *prometheus.HistogramVec
	answeredBy  *prometheus.CounterVec
	detection   *prometheus.HistogramVec
}

// callLabels are on every series of a call.
var callLabels = []string{"leg", "trunk", "agent", "provider"}

// NewMetrics registers the series of calls with reg, which may be nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, append(labels, callLabels...))
		return registered(reg, v)
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		v := prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: name, Help: help, Buckets: buckets,
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160,
		}, append(labels, callLabels...))
		return registered(reg, v)
	}
	short := prometheus.ExponentialBuckets(0.0001, 2.5, 12)
	waits := []float64{.02, .05, .1, .2, .3, .5, .75, 1, 1.5, 2, 3, 5, 10}
	return &Metrics{
		total:       counter("callgw_calls_total", "Calls that ended, by why.", "outcome"),
		relays:      counter("callgw_relays_total", "Callers who were passed on to a second call, by why that ended.", "cause"),
		refusals:    counter("callgw_calls_refused_total", "Calls out that their far ends refused, by SIP status.", "sip_status"),
		duration:    histogram("callgw_call_duration_seconds", "Answer to end.", []float64{5, 15, 30, 60, 120, 300, 600, 1800, 3600}),
		setup:       histogram("callgw_call_setup_seconds", "Arrival to answer.", waits),
		teardown:    histogram("callgw_call_teardown_seconds", "Decision to end a call until nothing of it is left.", waits),
		latency:     histogram("callgw_response_latency_seconds", "Caller's last speech sample on the wire to the first reply sample on the wire (total) and its parts.", waits, "stage"),
		bargeIns:    counter("callgw_barge_in_total", "Times that the caller interrupted the agent."),
		bargeStop:   histogram("callgw_barge_in_stop_seconds", "speech_started received to the playout stopped.", short),
		truncations: counter("callgw_truncations_total", "Items whose unheard audio the model was told to forget.", "result"),
		frames:      counter("callgw_audio_frames_total", "Frames of caller audio (in) and of agent audio (out).", "direction"),
		bytes:       counter("callgw_audio_bytes_total", "Bytes of caller audio (in) and of agent audio (out).", "direction"),
		underruns:   counter("callgw_playout_underruns_total", "Times that agent audio ran out in the middle of an item."),
		reconnects:  counter("callgw_realtime_reconnects_total", "Sessions replaced in the middle of a call, by how: restored, recycled, lost.", "result"),
		connects:    histogram("callgw_realtime_connect_seconds", "Dialling a provider to a configured session.", waits),
		errors:      counter("callgw_realtime_errors_total", "Errors that providers reported, and lost sessions.", "code"),
		tokens:      counter("callgw_realtime_tokens_total", "Tokens used.", "direction", "kind"),
		transcribed: counter("callgw_realtime_transcription_seconds_total", "Caller audio transcribed by models that are billed by the second."),
		responses:   counter("callgw_responses_total", "Responses that ended, by how.", "status"),
		calls:       counter("callgw_function_calls_total", "Calls of the agents' tools, by how they ended.", "name", "outcome"),
		callTimes:   histogram("callgw_function_call_seconds", "How long the agents' tools took.", waits, "name"),
		answeredBy:  counter("callgw_answered_by_total", "Calls out by who has answered them, and who found that out.", "by", "source"),
		detection:   histogram("callgw_answer_detection_seconds", "Answer to the decision who has answered.", waits, "source"),
		costs:       counter("callgw_realtime_cost_usd_total", "What the tokens cost by the configured prices, in US dollars."),
	}
}

func registered[C prometheus.Collector](reg prometheus.Registerer, c C) C {
	if reg != nil {
		reg.MustRegister(c)
	}
	return c
}

// meters are the series of one call, resolved.
type meters struct {
	*Metrics
	labels      []string
	setup       prometheus.Observer
	underruns   prometheus.Counter
	truncations struct{ sent, deleted, refused prometheus.Counter }
	framesIn    delta
	bytesIn     delta
	framesOut   delta
	bytesOut    delta
}

// delta feeds a counter from a running total.
type delta struct {
	counter prometheus.Counter
	fed     int64
}

// A total that a rewound playout has lowered is fed when it has grown again.
func (d *delta) feed(total int64) {
	if total <= d.fed {
		return
	}
	d.counter.Add(float64(total - d.fed))
	d.fed = total
}

// resolve looks the series of one call up.
func (m *Metrics) resolve(f Facts, a Agent) *meters {
	if m == nil {
		m = NewMetrics(nil)
	}
	provider := ""
	if len(a.Providers) > 0 {
		provider = a.Providers[0].Name
	}
	r := &meters{Metrics: m, labels: []string{f.Leg, f.Trunk, a.Name, provider}}
	r.setup = m.setup.WithLabelValues(r.labels...)
	r.underruns = m.underruns.WithLabelValues(r.labels...)
	r.truncations.sent = m.truncations.WithLabelValues(r.with("sent")...)
	r.truncations.deleted = m.truncations.WithLabelValues(r.with("deleted")...)
	r.truncations.refused = m.truncations.WithLabelValues(r.with("refused")...)
	r.framesIn.counter = m.frames.WithLabelValues(r.with("in")...)
	r.framesOut.counter = m.frames.WithLabelValues(r.with("out")...)
	r.bytesIn.counter = m.bytes.WithLabelValues(r.with("in")...)
	r.bytesOut.counter = m.bytes.WithLabelValues(r.with("out")...)
	return r
}

// with returns the values of labels that stand before those of the call.
func (r *meters) with(values ...string) []string { return append(values, r.labels...) }

// flush feeds the counters of the frame path, which keeps its own.
func (r *meters) flush(c *Call) {
	r.framesIn.feed(c.uplink.frames.Load())
	r.bytesIn.feed(c.uplink.bytes.Load())
	sent := c.queue.State().Sent
	r.framesOut.feed((sent + media.FrameBytes - 1) / media.FrameBytes)
	r.bytesOut.feed(sent)
}

func (r *meters) connect(provider string, took time.Duration) {
	r.connects.WithLabelValues(r.labels[0], r.labels[1], r.labels[2], provider).Observe(took.Seconds())
}

// reconnect counts what became of a connection: restored, recycled or lost.
func (r *meters) reconnect(result string) {
	r.reconnects.WithLabelValues(r.with(result)...).Inc()
}

func (r *meters) sessionError(code string) {
	r.errors.WithLabelValues(r.with(code)...).Inc()
}

func (r *meters) bargeIn(stopped time.Duration) {
	r.bargeIns.WithLabelValues(r.labels...).Inc()
	r.bargeStop.WithLabelValues(r.labels...).Observe(stopped.Seconds())
}

func (r *meters) reply(l Latency) {
	for stage, d := range map[string]time.Duration{"total": l.Total, "vad": l.VAD, "model": l.Model, "queue": l.Queue} {
		r.latency.WithLabelValues(r.with(stage)...).Observe(d.Seconds())
	}
}

func (r *meters) function(name, outcome string, took time.Duration) {
	r.calls.WithLabelValues(r.with(name, outcome)...).Inc()
	r.callTimes.WithLabelValues(r.with(name)...).Observe(took.Seconds())
}

// answered counts who has answered a call out, known so long after the answer.
func (r *meters) answered(by, source string, took time.Duration) {
	r.answeredBy.WithLabelValues(r.with(by, source)...).Inc()
	r.detection.WithLabelValues(r.with(source)...).Observe(took.Seconds())
}

func (r *meters) spent(usd float64) { r.costs.WithLabelValues(r.labels...).Add(usd) }

func (r *meters) relayed(cause media.Cause) {
	r.relays.WithLabelValues(r.with(cause.String())...).Inc()
}

func (r *meters) refused(by Refusal) {
	if by.Status != 0 {
		r.refusals.WithLabelValues(r.with(strconv.Itoa(by.Status))...).Inc()
	}
}

func (r *meters) ended(cause media.Cause, answered time.Time, teardown time.Duration) {
	r.total.WithLabelValues(r.with(cause.String())...).Inc()
	r.teardown.WithLabelValues(r.labels...).Observe(teardown.Seconds())
	if !answered.IsZero() {
		r.duration.WithLabelValues(r.labels...).Observe(time.Since(answered).Seconds())
	}
}
