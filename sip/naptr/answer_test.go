package naptr_test

import (
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/callgw/callgw/sip/naptr"
)

func FuzzAnswer(f *testing.F) {
	seed := func(tweak func(m *dns.Msg)) {
		m := new(dns.Msg).SetQuestion("example.com.", dns.TypeNAPTR)
		m.Id = 7
		m.Response = true
		for _, text := range []string{
			`example.com. 60 IN CNAME example.net.`,
			`example.net. 60 IN NAPTR 10 20 "s" "SIP+D2U" "" _sip._udp.example.net.`,
			`example.net. 60 IN NAPTR 10 10 "u" "E2U+sip" "!^.*$!sip:a@b!" .`,
		} {
			rr, err := dns.NewRR(text)
			if err != nil {
				f.Fatal(err)
			}
			m.Answer = append(m.Answer, rr)
		}
		tweak(m)
		packed, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed)
	}
	seed(func(*dns.Msg) {})
	seed(func(m *dns.Msg) { m.Truncated = true })
	seed(func(m *dns.Msg) { m.Rcode, m.Answer = dns.RcodeNameError, nil })
	seed(func(m *dns.Msg) { m.Compress = true })
	f.Add([]byte{0, 7, 0x80, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0xc0, 12})
	f.Fuzz(func(t *testing.T, data []byte) {
		records, ttl, stray, err := naptr.Parse(data, 7, "example.com")
		switch {
		case err != nil && records != nil, stray && err == nil:
			t.Errorf("%v, %v", records, err)
		case err == nil && (len(data) < 12 || data[0] != 0 || data[1] != 7 || data[2]&0x80 == 0):
			t.Error("it answers another question")
		case ttl < 0 || ttl > time.Hour || len(records) > 32:
			t.Errorf("%d records for %v", len(records), ttl)
		case !slices.IsSortedFunc(records, func(a, b naptr.Record) int {
			return int(a.Order) - int(b.Order)
		}):
			t.Errorf("out of order: %v", records)
		}
	})
}
