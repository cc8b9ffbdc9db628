package interop_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/rtp"
)

// badNetwork is in the way of a call's RTP: it loses 5 % of it, delivers 2 % twice,
// and holds each packet for up to 60 ms, so that many overtake others.
type badNetwork struct {
	conn    *net.UDPConn
	gateway netip.AddrPort

	mu     sync.Mutex
	random *rand.Rand
	peer   netip.AddrPort // where the peer was heard last
	up     int            // packets that the gateway should have heard
	lost   int            // those of them that were lost
	began  time.Time      // when the first one came
	first  uint32         // its timestamp
	last   uint32         // that of the newest
}

// inTheWay starts one at 127.0.0.2 in front of a gateway's RTP port at 127.0.0.1.
func inTheWay(t *testing.T, port int) *badNetwork {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2), Port: port})
	if err != nil {
		t.Skipf("this machine has no second address on loopback: %v", err)
	}
	n := &badNetwork{
		conn: conn, gateway: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port)), random: rand.New(rand.NewPCG(5, 60)),
	}
	var running sync.WaitGroup
	running.Go(n.run)
	t.Cleanup(func() {
		conn.Close()
		running.Wait()
	})
	return n
}

func (n *badNetwork) run() {
	buffer := make([]byte, 2048)
	for {
		size, from, err := n.conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		packet := append([]byte(nil), buffer[:size]...)
		to, delays := n.route(packet, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
		for _, delay := range delays {
			time.AfterFunc(delay, func() { _, _ = n.conn.WriteToUDPAddrPort(packet, to) }) // the call may be over
		}
	}
}

// route returns where a packet goes, and when each of its copies does.
func (n *badNetwork) route(packet []byte, from netip.AddrPort) (to netip.AddrPort, delays []time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	to = n.peer
	if from != n.gateway {
		n.peer, to = from, n.gateway
		if len(packet) >= 12 { // RFC 3550 §5.1
			n.last = binary.BigEndian.Uint32(packet[4:])
		}
		if n.up == 0 {
			n.began, n.first = time.Now(), n.last
		}
		n.up++
	}
	copies := 1
	switch p := n.random.Float64(); {
	case p < 0.05:
		copies = 0
		if to == n.gateway {
			n.lost++
		}
	case p < 0.07:
		copies = 2
	}
	if !to.IsValid() {
		return to, nil // the peer has not been heard yet
	}
	for range copies {
		delays = append(delays, time.Duration(n.random.Int64N(int64(60*time.Millisecond))))
	}
	return to, delays
}

// counts returns how many packets the gateway should have heard, how many of them
// were lost, how long they last by the peer's clock, and how long ago they began.
func (n *badNetwork) counts() (up, lost int, said, since time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.up, n.lost, media.Duration(int64(n.last-n.first)) + media.FrameDuration, time.Since(n.began)
}

// The kernel's netem is not everywhere, so the bad network is a relay of the test's.
// What the gateway hears is as long as what was said, and the loss is counted.
func TestBaresipOverABadNetwork(t *testing.T) {
	t.Parallel()
	own(t)
	port := freePort(t)
	between := inTheWay(t, port)
	ports, err := rtp.NewPorts(rtp.PortsConfig{Address: between.gateway.Addr(), Min: uint16(port), Max: uint16(port + 1)})
	if err != nil {
		t.Fatal(err)
	}
	reg := prometheus.NewRegistry()
	g := start(t, func(cfg *sip.Config) {
		cfg.Listen = []sip.Listen{{Network: "udp", Addr: "127.0.0.2:0"}}
		cfg.ExternalIP = netip.AddrFrom4([4]byte{127, 0, 0, 2})
		cfg.Ports, cfg.Metrics = ports, sip.NewMetrics(reg)
	})
	phone := startBaresip(t, baresipConfig{})
	phone.do("dial", fmt.Sprintf("sip:%s@%s", userTone, g.udp))
	phone.await("CALL_ESTABLISHED")
	phone.talks(8 * time.Second)
	phone.do("hangup", "")
	phone.await("CALL_CLOSED")
	e := wantCall(t, g, media.PCMU, media.CallerHungUp)

	up, lost, said, since := between.counts()
	heard := e.lasted()
	// No shorter than what was said, without what is under way when the call ends; no
	// longer than the call.
	if heard < said-200*time.Millisecond || heard > since+200*time.Millisecond {
		t.Errorf("%v were said, %v heard, within %v: %+v", said, heard, since, e.stats)
	}
	counted := int(counted(t, reg, "callgw_rtp_lost_total")[""])
	if counted < lost-3 || e.stats.Reordered == 0 || e.stats.Duplicates == 0 { // the last ones may not be missed
		t.Errorf("%d of %d packets were lost, %d counted: %+v", lost, up, counted, e.stats)
	}
	saw(t, baresipPeer, "loss, reordering, jitter", "of %d packets %d were lost, 60 ms of jitter put %d out of order, 2 %% came twice: %d are counted as lost, and of %v that it said the gateway heard %v",
		up, lost, e.stats.Reordered, counted, said, heard)
}
