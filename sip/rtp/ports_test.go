package rtp_test

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/sip/rtp"
)

var loopback = netip.MustParseAddr("127.0.0.1")

// span returns the bounds of four pairs that are free at the moment.
func span(t *testing.T) (low, high uint16) {
	t.Helper()
	p, err := rtp.NewPorts(rtp.PortsConfig{Address: loopback})
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		first, err := p.Open()
		if err != nil {
			t.Fatal(err)
		}
		low = first.Port()
		_ = first.Close()
		free := low < 65000
		for port := low; free && port < low+8; port++ {
			c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, port)))
			if free = err == nil; free {
				_ = c.Close()
			}
		}
		if free {
			return low, low + 7
		}
	}
	t.Fatal("no eight free ports in a row")
	return 0, 0
}

func TestPortsAreEvenAndBounded(t *testing.T) {
	low, high := span(t)
	p, err := rtp.NewPorts(rtp.PortsConfig{Address: loopback, Min: low - 1, Max: high})
	if err != nil {
		t.Fatal(err)
	}
	if p.Capacity() != 4 {
		t.Errorf("Capacity() = %d", p.Capacity())
	}
	var open []*rtp.Pair
	seen := map[uint16]bool{}
	for i := range 4 {
		pair, err := p.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer pair.Close()
		open = append(open, pair)
		port := pair.Port()
		if port%2 != 0 || port < low || port > high || seen[port] {
			t.Errorf("port %d of %d-%d", port, low, high)
		}
		seen[port] = true
		if rtcp := pair.RTCP().LocalAddr().(*net.UDPAddr).Port; rtcp != int(port)+1 {
			t.Errorf("RTCP on %d beside %d", rtcp, port)
		}
		if p.InUse() != i+1 {
			t.Errorf("InUse() = %d", p.InUse())
		}
	}
	_, err = p.Open()
	if !errors.Is(err, rtp.ErrNoPorts) || !strings.Contains(err.Error(), "4 open") {
		t.Errorf("Open() = %v", err)
	}
	for _, pair := range open {
		if err := pair.Close(); err != nil {
			t.Error(err)
		}
		if err := pair.Close(); err != nil {
			t.Errorf("closed again: %v", err)
		}
	}
	if p.InUse() != 0 {
		t.Errorf("InUse() = %d", p.InUse())
	}
	if _, err := p.Open(); !errors.Is(err, rtp.ErrNoPorts) || !strings.Contains(err.Error(), "4 resting") {
		t.Errorf("Open() = %v while all rest", err)
	}
}

func TestClosedPortRests(t *testing.T) {
	low, _ := span(t)
	synctest.Test(t, func(t *testing.T) {
		p, err := rtp.NewPorts(rtp.PortsConfig{Address: loopback, Min: low, Max: low + 1, Quarantine: 3 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			pair, err := p.Open()
			if err != nil {
				t.Fatal(err)
			}
			_ = pair.Close()
			time.Sleep(2999 * time.Millisecond)
			if _, err := p.Open(); !errors.Is(err, rtp.ErrNoPorts) {
				t.Errorf("Open() = %v before the rest was over", err)
			}
			time.Sleep(time.Millisecond)
		}
	})
}

func TestPortTakenByAnotherProgramIsPassedOver(t *testing.T) {
	low, high := span(t)
	other, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, low+1)))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	p, err := rtp.NewPorts(rtp.PortsConfig{Address: loopback, Min: low, Max: high})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		pair, err := p.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer pair.Close()
		if pair.Port() == low {
			t.Errorf("got %d, whose RTCP port is taken", low)
		}
	}
	if _, err := p.Open(); !errors.Is(err, rtp.ErrNoPorts) || !strings.Contains(err.Error(), "in use") {
		t.Errorf("Open() = %v", err)
	}
	if p.InUse() != 3 {
		t.Errorf("InUse() = %d", p.InUse())
	}
}

func TestPortRangesThatHoldNoPair(t *testing.T) {
	for _, r := range [][2]uint16{{20001, 20001}, {20001, 20002}, {20000, 20000}, {30000, 20000}, {65535, 65535}} {
		if _, err := rtp.NewPorts(rtp.PortsConfig{Min: r[0], Max: r[1]}); err == nil {
			t.Errorf("%v accepted", r)
		}
	}
}

func TestOpenSaysWhatTheSystemRefused(t *testing.T) {
	p, err := rtp.NewPorts(rtp.PortsConfig{Address: netip.MustParseAddr("192.0.2.1")}) // not this machine's
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Open(); err == nil || errors.Is(err, rtp.ErrNoPorts) {
		t.Errorf("Open() = %v", err)
	}
}
