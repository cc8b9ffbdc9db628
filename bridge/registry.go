package bridge

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/callgw/callgw/bridge/media"
)

// Registry holds the calls that exist. Every count of calls is derived from it.
type Registry struct {
	mu       sync.Mutex
	limit    int
	calls    map[string]*Call
	past     memory
	left     []*sockets // of calls that have ended without closing them all
	draining bool
	empty    chan struct{} // closed when draining and no call is left
}

// NewRegistry returns a registry that holds at most limit calls; zero is no
// limit.
func NewRegistry(limit int) *Registry {
	return &Registry{limit: limit, calls: map[string]*Call{}, empty: make(chan struct{})}
}

// SetLimit changes the limit. Calls beyond a lower one go on.
func (r *Registry) SetLimit(limit int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.limit = limit
}

// Admits returns nil if one more call may begin now, else an error that wraps
// [media.Busy] or [media.Shutdown].
func (r *Registry) Admits() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.admits()
}

func (r *Registry) admits() error {
	if r.draining {
		return fmt.Errorf("bridge: draining: %w", media.Shutdown)
	}
	if r.limit > 0 && len(r.calls) >= r.limit {
		return fmt.Errorf("bridge: %w: calls.max of %d reached", media.Busy, r.limit)
	}
	return nil
}

// Run carries a call, as [Call.Run] does, and holds it while it lives. A call
// that cannot be admitted is refused: its leg is hung up and the error is that of
// Admits.
func (r *Registry) Run(ctx context.Context, c *Call) error {
	if err := r.add(c); err != nil {
		if hangup := c.cfg.Leg.Hangup(ctx, err); hangup != nil {
			c.log.Debug().Err(hangup).Msg("leg not rejected politely")
		}
		return err
	}
	defer r.remove(c)
	return c.Run(ctx)
}

func (r *Registry) add(c *Call) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.admits(); err != nil {
		return err
	}
	if r.calls[c.cfg.Facts.ID] != nil {
		return fmt.Errorf("bridge: call %s exists: %w", c.cfg.Facts.ID, media.Internal)
	}
	r.calls[c.cfg.Facts.ID] = c
	return nil
}

func (r *Registry) remove(c *Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.calls, c.cfg.Facts.ID)
	r.past.add(c.past())
	r.forgetClosed() // nobody may ask for LeakedSockets
	if c.sockets.open.Load() > 0 {
		r.left = append(r.left, c.sockets)
	}
	r.checkEmpty()
}

// checkEmpty tells a waiting Drain; the caller holds the lock.
func (r *Registry) checkEmpty() {
	if !r.draining || len(r.calls) > 0 {
		return
	}
	select {
	case <-r.empty:
	default:
		close(r.empty)
	}
}

// Calls returns the calls that exist, oldest first.
func (r *Registry) Calls() []*Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := make([]*Call, 0, len(r.calls))
	for _, c := range r.calls {
		calls = append(calls, c)
	}
	slices.SortFunc(calls, func(a, b *Call) int {
		if d := a.timeline.start.Compare(b.timeline.start); d != 0 {
			return d
		}
		return strings.Compare(a.cfg.Facts.ID, b.cfg.Facts.ID)
	})
	return calls
}

// Call returns the call named id, nil if there is none.
func (r *Registry) Call(id string) *Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls[id]
}

// Draining reports that no new calls are admitted.
func (r *Registry) Draining() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.draining
}

// Shut admits no more calls.
func (r *Registry) Shut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.draining = true
	r.checkEmpty()
}

// Drain admits no more calls and waits until those that run have ended. When
// ctx ends first it ends them with [media.Shutdown] and waits for that.
func (r *Registry) Drain(ctx context.Context) {
	r.Shut()
	select {
	case <-r.empty:
		return
	case <-ctx.Done():
	}
	for _, c := range r.Calls() {
		c.HangUp(fmt.Errorf("bridge: drained: %w", media.Shutdown))
	}
	<-r.empty
}

// overdue is how long a call may be ending before it counts as leaked: both
// sides are cut long before.
const overdue = 10 * time.Second

// Leaked returns how many calls should have ended and have not.
func (r *Registry) Leaked() int {
	n := 0
	for _, c := range r.Calls() {
		if since := c.endingSince.Load(); since != 0 && time.Since(time.Unix(0, since)) > overdue {
			n++
		}
	}
	return n
}

var (
	activeDesc  = prometheus.NewDesc("callgw_calls_active", "Calls that exist.", callLabels, nil)
	relayedDesc = prometheus.NewDesc("callgw_calls_relayed",
		"Calls that exist whose callers were passed on to a second call.", callLabels, nil)
)

// Describe implements prometheus.Collector.
func (r *Registry) Describe(ch chan<- *prometheus.Desc) {
	ch <- activeDesc
	ch <- relayedDesc
}

// Collect implements prometheus.Collector.
func (r *Registry) Collect(ch chan<- prometheus.Metric) {
	active, relayed := map[[4]string]int{}, map[[4]string]int{}
	for _, c := range r.Calls() {
		labels := [4]string(c.meters.labels)
		active[labels]++
		if c.State() == Transferred {
			relayed[labels]++
		}
	}
	for labels, n := range active {
		ch <- prometheus.MustNewConstMetric(activeDesc, prometheus.GaugeValue, float64(n), labels[:]...)
		ch <- prometheus.MustNewConstMetric(relayedDesc, prometheus.GaugeValue, float64(relayed[labels]), labels[:]...)
	}
}
