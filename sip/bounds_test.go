package sip_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/callgw/callgw/sip"
)

func address(n int) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(n))
	return netip.AddrFrom4(b)
}

// Forged sources cost no more memory than is meant for them.
func TestSourcesRememberedAreBounded(t *testing.T) {
	s := sip.NewSources(2)
	now := time.Unix(0, 0)
	for n := range 10 * sip.MaxSources {
		if !s.Take(address(n), now) {
			t.Fatal("a new source is limited")
		}
		if n%1000 == 0 {
			now = now.Add(time.Second)
		}
		if s.Len() > sip.MaxSources {
			t.Fatalf("%d sources are remembered", s.Len())
		}
	}
	busy := address(1 << 24)
	for range 100 {
		s.Take(busy, now)
	}
	if s.Take(busy, now) {
		t.Error("a source that was seen a moment ago is forgotten")
	}
}

// Nonces are forgotten when their time is over, and when there are too many that is
// not, a caller is asked again rather than taken for new.
func TestNoncesRememberedAreBounded(t *testing.T) {
	g := sip.NewGuard("callgw")
	now := time.Unix(0, 0)
	for n := range sip.MaxNonces {
		if !g.Spend(fmt.Sprint(n), now.Add(time.Minute), now) {
			t.Fatal("a new nonce is refused")
		}
	}
	if g.Spend("one more", now.Add(time.Minute), now) || g.Used() != sip.MaxNonces {
		t.Errorf("%d are remembered", g.Used())
	}
	if g.Spend("0", now.Add(time.Minute), now) {
		t.Error("a replay is let in")
	}
	now = now.Add(2 * time.Minute)
	if !g.Spend("later", now.Add(time.Minute), now) || g.Used() != 1 {
		t.Errorf("%d are remembered after their time", g.Used())
	}
}
