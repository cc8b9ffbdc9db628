package load_test

import (
	"math"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/callgw/callgw/internal/gateway"
)

// figures are what a gateway has used and counted up to a moment.
type figures struct {
	at        time.Time
	cpu       time.Duration
	underruns float64
	late      map[float64]uint64 // observations up to each bound, in seconds
}

// usage returns the figures of now.
func usage(b *testing.B, g *gateway.Gateway) figures {
	b.Helper()
	families, err := g.Metrics().Gather()
	if err != nil {
		b.Fatal(err)
	}
	f := figures{late: map[float64]uint64{}}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			switch family.GetName() {
			case "callgw_playout_underruns_total":
				f.underruns += m.GetCounter().GetValue()
			case "callgw_pacer_late_seconds":
				f.lateness(m.GetHistogram())
			}
		}
	}
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	f.at, f.cpu = time.Now(), time.Duration(r.Utime.Nano()+r.Stime.Nano())
	return f
}

// outcomes counts the calls by how they ended.
func outcomes(b *testing.B, g *gateway.Gateway) map[string]int {
	b.Helper()
	families, err := g.Metrics().Gather()
	if err != nil {
		b.Fatal(err)
	}
	n := map[string]int{}
	for _, family := range families {
		if family.GetName() != "callgw_calls_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			for _, label := range m.GetLabel() {
				if label.GetName() == "outcome" {
					n[label.GetValue()] += int(m.GetCounter().GetValue())
				}
			}
		}
	}
	return n
}

func (f *figures) lateness(h *dto.Histogram) {
	for _, bucket := range h.GetBucket() {
		f.late[bucket.GetUpperBound()] += bucket.GetCumulativeCount()
	}
	f.late[math.Inf(1)] += h.GetSampleCount()
}

// since returns what has come to f's figures from those before.
func (f figures) since(before figures) spent {
	s := spent{lasted: f.at.Sub(before.at), cpu: f.cpu - before.cpu, underruns: f.underruns - before.underruns, late: map[float64]uint64{}}
	for bound, n := range f.late {
		s.late[bound] = n - before.late[bound]
	}
	return s
}

// spent is what a span of time has cost.
type spent struct {
	lasted    time.Duration
	cpu       time.Duration
	underruns float64
	late      map[float64]uint64
}

func (s spent) report(b *testing.B, calls int) {
	b.ReportMetric(s.cpu.Seconds()*1000/s.lasted.Seconds()/float64(calls), "CPU-ms/call-s")
	b.ReportMetric(s.underruns, "underruns")
	if late, ok := s.quantile(0.99); ok {
		b.ReportMetric(late*1000, "late-p99-ms")
	}
}

// quantile interpolates within the bucket that holds it, as Prometheus does; beyond
// the last bound it is that bound. It knows none if nothing was observed.
func (s spent) quantile(q float64) (seconds float64, ok bool) {
	var bounds []float64
	var all uint64
	for bound, n := range s.late {
		bounds = append(bounds, bound)
		all = max(all, n)
	}
	if all == 0 {
		return 0, false
	}
	slices.Sort(bounds)
	rank, lower, below := q*float64(all), 0.0, 0.0
	for _, bound := range bounds {
		n := float64(s.late[bound])
		if n >= rank && n > below && !math.IsInf(bound, 1) {
			return lower + (bound-lower)*(rank-below)/(n-below), true
		}
		if !math.IsInf(bound, 1) {
			lower, below = bound, n
		}
	}
	return lower, true
}

// memory returns the live heap and all stacks, in bytes, after a collection.
func memory() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}
