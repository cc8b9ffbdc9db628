package sip

import "github.com/prometheus/client_golang/prometheus"

var (
	upDesc = prometheus.NewDesc("callgw_trunk_up",
		"Whether the trunk's server answers keep-alives.", []string{"trunk"}, nil)
	registeredDesc = prometheus.NewDesc("callgw_trunk_registered",
		"Whether the trunk's registrar has a binding of ours.", []string{"trunk"}, nil)
)

// trunkStates shows the trunks that there are now.
type trunkStates struct{ m *Metrics }

func (trunkStates) Describe(ch chan<- *prometheus.Desc) {
	ch <- upDesc
	ch <- registeredDesc
}

func (s trunkStates) Collect(ch chan<- prometheus.Metric) {
	shown := s.m.trunks.Load()
	if shown == nil {
		return
	}
	gauge := func(desc *prometheus.Desc, name string, is bool) {
		value := 0.0
		if is {
			value = 1
		}
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, name)
	}
	for _, t := range shown.all() {
		if t.binding != nil {
			gauge(registeredDesc, t.Name, t.binding.registered.Load())
		}
		if t.vigil != nil {
			if up := t.vigil.up.Load(); up != nil {
				gauge(upDesc, t.Name, *up)
			}
		}
	}
}

// show makes the trunks those whose state is shown.
func (m *Metrics) show(ts *trunks) {
	if m != nil {
		m.trunks.Store(ts)
	}
}
