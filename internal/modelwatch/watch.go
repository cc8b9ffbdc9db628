package modelwatch

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// interval between two looks: models are retired with months of notice.
const interval = 24 * time.Hour

// Config of a watch.
type Config struct {
	// Targets returns what to ask about now. Required.
	Targets func() []Target
	Log     zerolog.Logger
	Client  *http.Client // nil: one of its own, over the environment's proxy
}

// Watch knows when the models in use are shut down. It is a
// [prometheus.Collector].
type Watch struct {
	cfg    Config
	client *http.Client
	again  chan struct{}

	warned map[model]time.Time // owned by Run

	mu    sync.Mutex
	dates map[model]time.Time // replaced, never changed
}

// model is one of a provider's.
type model struct{ provider, name string }

// New returns a watch that Run carries.
func New(cfg Config) *Watch {
	return &Watch{
		cfg: cfg, client: client(cfg.Client), again: make(chan struct{}, 1),
		warned: map[model]time.Time{},
	}
}

// Run looks at once, daily, and when the targets have changed, until ctx ends.
// What it does not learn is logged at debug, and kept from the last look.
func (w *Watch) Run(ctx context.Context) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		w.look(ctx)
		select {
		case <-tick.C:
		case <-w.again:
		case <-ctx.Done():
			return nil
		}
	}
}

// Changed says that there may be other targets now. It does not wait.
func (w *Watch) Changed() {
	select {
	case w.again <- struct{}{}:
	default: // it is going to look anyway
	}
}

// look asks every provider once.
func (w *Watch) look(ctx context.Context) {
	w.mu.Lock()
	before := w.dates
	w.mu.Unlock()
	now := map[model]time.Time{}
	for _, t := range w.cfg.Targets() {
		url, ok := t.endpoint()
		if !ok {
			continue
		}
		dates, err := w.ask(ctx, t.Provider, url)
		if err != nil {
			w.cfg.Log.Debug().Err(err).Str("provider", t.Provider.Name).Msg("models not listed")
		}
		for _, name := range t.Models {
			m := model{t.Provider.Name, name}
			date := dates[name]
			if err != nil {
				date = before[m]
			}
			if !date.IsZero() {
				now[m] = date
				w.warn(m, date)
			}
		}
	}
	w.mu.Lock()
	w.dates = now
	w.mu.Unlock()
}

// warn tells of a model's end, once for each date that is given for it.
func (w *Watch) warn(m model, date time.Time) {
	if w.warned[m].Equal(date) {
		return
	}
	w.warned[m] = date
	w.cfg.Log.Warn().Str("provider", m.provider).Str("model", m.name).
		Str("shutdown_date", date.Format(time.DateOnly)).Msg("the provider shuts this model down: choose another")
}

// Describe describes the series of shutdown dates.
func (w *Watch) Describe(ch chan<- *prometheus.Desc) { ch <- shutdownDesc() }

// Collect gives one for each model that has a date.
func (w *Watch) Collect(ch chan<- prometheus.Metric) {
	w.mu.Lock()
	dates := w.dates
	w.mu.Unlock()
	for m, date := range dates {
		ch <- prometheus.MustNewConstMetric(shutdownDesc(), prometheus.GaugeValue, float64(date.Unix()), m.provider, m.name)
	}
}

func shutdownDesc() *prometheus.Desc {
	return prometheus.NewDesc("callgw_model_shutdown_timestamp_seconds",
		"When a model in use is shut down, as its provider announces.", []string{"provider", "model"}, nil)
}
