package sip_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/callgw/callgw/sip"
)

func TestSeriesHaveTheirPromisedNames(t *testing.T) {
	reg := prometheus.NewRegistry()
	sip.ObserveCall(sip.NewMetrics(reg), "carrier")
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range families {
		labels := map[string]bool{}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = true
			}
		}
		name := f.GetName()
		for l := range labels {
			name += "{" + l + "}"
		}
		names = append(names, name)
	}
	want := []string{
		"callgw_rtp_jitter_seconds{trunk}", "callgw_rtp_loss_ratio{trunk}", "callgw_rtp_lost_total", "callgw_rtp_mos{trunk}",
		"callgw_rtp_packets_total{direction}", "callgw_rtp_rejected_total{reason}", "callgw_rtp_reordered_total",
		"callgw_rtp_round_trip_seconds{trunk}",
		"callgw_sip_calls_converted_total{trunk}", "callgw_sip_certificate_expiry_timestamp_seconds", "callgw_sip_certificate_reloads_total{result}", "callgw_sip_dns_failures_total{type}",
		"callgw_sip_dropped_total{reason}",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}
