package e2e_test

import (
	"slices"
	"testing"

	dto "github.com/prometheus/client_model/go"
)

// Metric returns the sum of the series of a name that have these labels, given
// as names and values in turn.
func (g *Gateway) Metric(t *testing.T, name string, labels ...string) float64 {
	t.Helper()
	var sum float64
	for _, m := range g.Series(t, name) {
		if matches(m, labels) {
			sum += value(m)
		}
	}
	return sum
}

// Series returns all series of a name.
func (g *Gateway) Series(t *testing.T, name string) []*dto.Metric {
	t.Helper()
	families, err := g.Metrics().Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()
		}
	}
	return nil
}

func matches(m *dto.Metric, labels []string) bool {
	for i := 0; i+1 < len(labels); i += 2 {
		if !slices.ContainsFunc(m.GetLabel(), func(l *dto.LabelPair) bool {
			return l.GetName() == labels[i] && l.GetValue() == labels[i+1]
		}) {
			return false
		}
	}
	return true
}

// value is that of a counter or gauge, or the count of a histogram.
func value(m *dto.Metric) float64 {
	if h := m.GetHistogram(); h != nil {
		return float64(h.GetSampleCount())
	}
	return m.GetCounter().GetValue() + m.GetGauge().GetValue()
}
