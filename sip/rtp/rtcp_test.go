package rtp

import (
	"bytes"
	"testing"
	"time"

	pion "github.com/pion/rtcp"
)

func TestReportsAreReadAsWritten(t *testing.T) {
	for _, cname := range []string{"", "a", "ab", "abc", "abcd", "a name of some length"} {
		for _, bye := range []bool{false, true} {
			for _, want := range []report{
				{ssrc: 1},
				{ssrc: 1, about: true, block: block{2, 255, -5, 1<<16 + 7, 80, 3, 4}},
				{ssrc: 1, sender: true, ntp: 1<<63 + 5, timestamp: 6, packets: 7, octets: 8},
				{ssrc: 1, sender: true, about: true, block: block{ssrc: 2, lost: 1 << 22}},
			} {
				b := want.append(nil, cname, bye)
				got, ok := parseReport(b, 2)
				if !ok || got != want {
					t.Errorf("%+v became %+v, %v", want, got, ok)
				}
				if other, ok := parseReport(b, 3); !ok || other.about {
					t.Error("another stream's block was taken for ours")
				}
				all, err := pion.Unmarshal(b)
				if err != nil {
					t.Fatalf("pion refuses it: %v", err)
				}
				if name, err := pion.CompoundPacket(all).CNAME(); cname != "" && (err != nil || name != cname) {
					t.Errorf("name %q, %v", name, err)
				}
				if len(b)%4 != 0 || len(all) != 2 && !bye || len(all) != 3 && bye {
					t.Errorf("%d packets in %d bytes", len(all), len(b))
				}
			}
		}
	}
}

func TestCumulativeLossIsBounded(t *testing.T) {
	for lost, want := range map[int32]int32{1 << 30: 1<<23 - 1, -1 << 30: -1 << 23, -1: -1, 0: 0} {
		if got := parseBlock(block{lost: lost}.append(nil)).lost; got != want {
			t.Errorf("%d became %d", lost, got)
		}
	}
}

func TestMalformedReports(t *testing.T) {
	rr := []byte{0x80, 201, 0, 1, 0, 0, 0, 1}
	for _, test := range []struct {
		name string
		b    []byte
		ok   bool
	}{
		{"an empty RR", rr, true},
		{"nothing", nil, false},
		{"cut in the header", rr[:3], false},
		{"cut in the body", rr[:7], false},
		{"RTP", []byte{0x80, 0, 0, 1, 0, 0, 0, 1}, false},
		{"another version", []byte{0x40, 201, 0, 1, 0, 0, 0, 1}, false},
		{"padding first", []byte{0xA0, 201, 0, 1, 0, 0, 0, 1}, false},
		{"begins with SDES", []byte{0x80, 202, 0, 1, 0, 0, 0, 1}, false},
		{"a block that is not there", []byte{0x81, 201, 0, 1, 0, 0, 0, 1}, false},
		{"an SR without its times", []byte{0x80, 200, 0, 1, 0, 0, 0, 1}, false},
		{"a length beyond the end", append(bytes.Clone(rr), 0x80, 202, 0, 9), false},
		{"an unknown type behind", append(bytes.Clone(rr), 0x80, 207, 0, 1, 0, 0, 0, 1), true},
		{"rubbish behind", append(bytes.Clone(rr), 1), false},
	} {
		if _, ok := parseReport(test.b, 1); ok != test.ok {
			t.Errorf("%s: %v", test.name, ok)
		}
	}
}

func FuzzReport(f *testing.F) {
	sr := report{ssrc: 1, sender: true, ntp: 1 << 40, about: true, block: block{ssrc: 2, lsr: 9}}
	f.Add(sr.append(nil, "name", true))
	f.Add((&report{ssrc: 1}).append(nil, "", false))
	f.Add([]byte{0x81, 201, 0, 1, 0, 0, 0, 1})
	f.Add([]byte{0x80, 201, 0, 1, 0, 0, 0, 1, 0x80, 207, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		got, ok := parseReport(b, 2)
		if !bytes.Equal(before, b) {
			t.Fatal("parseReport wrote to the packet")
		}
		all, err := pion.Unmarshal(b)
		if err != nil || !ok {
			return // pion reads more of the packet, and takes what §A.2 refuses
		}
		var want report
		for _, p := range all {
			var blocks []pion.ReceptionReport
			switch p := p.(type) {
			case *pion.SenderReport:
				want.ssrc, want.sender = p.SSRC, true
				want.ntp, want.timestamp, want.packets, want.octets = p.NTPTime, p.RTPTime, p.PacketCount, p.OctetCount
				blocks = p.Reports
			case *pion.ReceiverReport:
				want.ssrc, blocks = p.SSRC, p.Reports
			}
			for _, r := range blocks {
				if r.SSRC == 2 {
					want.about = true
					want.block = block{2, r.FractionLost, int32(r.TotalLost<<8) >> 8, r.LastSequenceNumber, r.Jitter, r.LastSenderReport, r.Delay}
				}
			}
		}
		if got != want {
			t.Fatalf("%+v, pion says %+v", got, want)
		}
	})
}

func TestNTP(t *testing.T) {
	// 2036-02-07 06:28:16 is where the seconds wrap.
	for at, want := range map[time.Time]uint64{
		time.Date(1970, 1, 1, 0, 0, 0, 5e8, time.UTC):  2208988800<<32 | 1<<31,
		time.Date(2036, 2, 7, 6, 28, 16, 0, time.UTC):  0,
		time.Date(2036, 2, 7, 6, 28, 15, 0, time.UTC):  0xFFFFFFFF << 32,
		time.Date(1970, 1, 1, 0, 0, 0, 25e7, time.UTC): 2208988800<<32 | 1<<30,
	} {
		if got := ntp(at); got != want {
			t.Errorf("%v: %x, want %x", at, got, want)
		}
	}
	if d := fromFixed(fixed(1500 * time.Millisecond)); d != 1500*time.Millisecond {
		t.Errorf("1.5 s became %v", d)
	}
}

func TestReception(t *testing.T) {
	var r reception
	if _, ok := r.block(); ok {
		t.Error("a report of nothing")
	}
	take := func(sequence ...uint16) {
		for _, n := range sequence {
			r.take(1, n, 80)
		}
	}
	check := func(what string, want block) {
		t.Helper()
		want.ssrc, want.jitter = 1, 80
		if got, ok := r.block(); !ok || got != want {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
	}
	take(65534, 65535, 0, 1)
	check("across the wrap", block{highest: 1<<16 + 1})
	take(3, 4, 5)
	check("one of four lost", block{fraction: 64, lost: 1, highest: 1<<16 + 5})
	take(2)
	check("it came late", block{highest: 1<<16 + 5})
	take(6, 30000, 7)
	check("a stray one", block{highest: 1<<16 + 7})
	take(7, 7)
	check("duplicates", block{lost: -2, highest: 1<<16 + 7})
	r.begin(1, 500)
	take(501, 502, 504)
	check("begun anew", block{fraction: 51, lost: 1, highest: 504})
	r.take(2, 9, 0)
	if b, _ := r.block(); b != (block{ssrc: 2, highest: 9}) {
		t.Errorf("another stream: %+v", b)
	}
}

func TestQuality(t *testing.T) {
	for _, test := range []struct {
		name       string
		loss       float64
		robustness float64
		delay      time.Duration
		low, high  float64
	}{
		{"G.107's default", 0, silenced, 0, 4.40, 4.42}, // R = 93.2: 4.41
		{"a good network", 0, silenced, 60 * time.Millisecond, 4.36, 4.40},
		{"G.114's limit", 0, silenced, 400 * time.Millisecond, 2.9, 3.4},
		{"a satellite", 0, silenced, 600 * time.Millisecond, 1.5, 2.4},
		{"one per cent, silenced", .01, silenced, 60 * time.Millisecond, 3.7, 3.95},
		{"one per cent, concealed", .01, concealed, 60 * time.Millisecond, 4.2, 4.36},
		{"five per cent, silenced", .05, silenced, 60 * time.Millisecond, 1.8, 2.3},
		{"five per cent, concealed", .05, concealed, 60 * time.Millisecond, 3.7, 4.1},
		{"all lost", 1, silenced, 0, 1, 1.05},
		{"nonsense", 7, silenced, time.Hour, 1, 1},
	} {
		if got := mos(test.loss, test.robustness, test.delay); got < test.low || got > test.high {
			t.Errorf("%s: %.3f, want %v to %v", test.name, got, test.low, test.high)
		}
	}
	last := 5.0
	for loss := 0.0; loss <= 1; loss += 0.001 {
		got := mos(loss, silenced, 50*time.Millisecond)
		if got > last || got < 1 || got > 4.5 {
			t.Fatalf("%.3f at a loss of %v after %.3f", got, loss, last)
		}
		last = got
	}
}
