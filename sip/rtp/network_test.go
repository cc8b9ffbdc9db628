package rtp_test

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/bridge/pacer"
	"github.com/callgw/callgw/sip/rtp"
	"github.com/callgw/callgw/sip/sdp"
)

// cable carries what a call sends to another one, as a network would.
type cable struct {
	*wire
	from   netip.AddrPort
	to     *wire
	random uint32
	loss   uint32        // per cent
	delay  time.Duration // and up to half as much again
}

func (c *cable) next(n uint32) uint32 { // xorshift: the same every time
	c.random ^= c.random << 13
	c.random ^= c.random >> 17
	c.random ^= c.random << 5
	return c.random % n
}

func (c *cable) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next(100) < c.loss {
		return len(b), nil
	}
	copies := 1
	if c.next(100) < 2 {
		copies = 2
	}
	for range copies {
		d := datagram{addr: c.from, b: append([]byte(nil), b...)}
		time.AfterFunc(c.delay+time.Duration(c.next(uint32(c.delay/time.Microsecond)/2+1))*time.Microsecond, func() {
			d.at = time.Now()
			c.to.in <- d
		})
	}
	return len(b), nil
}

func (c *cable) Poll(b []byte) (int, netip.AddrPort, time.Time, error) {
	return (&control{c.wire}).Poll(b)
}

// negotiated returns what two sides settle, each seen from its own.
func negotiated(t *testing.T, policy sdp.SRTP, addresses [2]netip.AddrPort) [2]sdp.Stream {
	t.Helper()
	side := func(i int) sdp.Local {
		return sdp.Local{
			Address: addresses[i].Addr(), Port: addresses[i].Port(), SRTP: policy, Secret: sdp.NewSecret(),
		}
	}
	caller := side(0)
	offer, err := sdp.Parse(sdp.Offer(caller, nil))
	if err != nil {
		t.Fatal(err)
	}
	body, theirs, err := sdp.Answer(offer, side(1))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := sdp.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := sdp.Accept(caller, answer)
	if err != nil {
		t.Fatal(err)
	}
	return [2]sdp.Stream{ours, theirs}
}

// TestTwoSecuredSessionsOverABadNetwork: five minutes, 5 % lost, doubled, out of
// order, 100 ms away.
func TestTwoSecuredSessionsOverABadNetwork(t *testing.T) {
	for _, mux := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			var running sync.WaitGroup
			pace, reporter := pacer.New(pacer.Config{Shards: 1}), rtp.NewReporter()
			running.Go(func() { _ = pace.Run(ctx) })
			running.Go(func() { _ = reporter.Run(ctx) })

			addresses := [2]netip.AddrPort{signalled, elsewhere}
			streams := negotiated(t, sdp.SRTPRequired, addresses)
			var wires, controls [2]*cable
			for i := range wires {
				wires[i] = &cable{wire: newWire(), from: addresses[i], random: uint32(77 + i), loss: 5, delay: ms(50)}
				controls[i] = &cable{wire: newWire(), from: netip.AddrPortFrom(addresses[i].Addr(), addresses[i].Port()+1), random: uint32(99 + i), delay: ms(50)}
			}
			var phones [2]*phone
			var sessions [2]*rtp.Session
			for i := range sessions {
				wires[i].to, controls[i].to = wires[1-i].wire, controls[1-i].wire
				streams[i].RTCPMux = mux
				phones[i] = &phone{}
				cfg := rtp.Config{
					Conn: wires[i], RTCP: controls[i], Stream: streams[i], Uplink: phones[i], Downlink: phones[i],
					Pacer: pace, Reporter: reporter,
				}
				if mux {
					cfg.RTCP = nil
				}
				sessions[i] = rtp.NewSession(cfg)
				running.Go(func() {
					if err := sessions[i].Run(ctx); err != nil {
						t.Errorf("Run() = %v", err)
					}
				})
				sessions[i].Start()
				for n := range 50 * 300 {
					phones[i].say(voice(uint16(n)))
				}
			}
			time.Sleep(299 * time.Second)
			for i, s := range sessions {
				stats := s.Stats()
				t.Logf("mux %v: %+v", mux, stats)
				if stats.Received < 14000 || stats.Rejected[rtp.Auth] != 0 || stats.Rejected[rtp.Malformed] != 0 {
					t.Errorf("side %d: %+v", i, stats)
				}
				if off := time.Duration(len(phones[i].heard()))*125*time.Microsecond - 299*time.Second; off.Abs() > ms(200) {
					t.Errorf("side %d: the clock is off by %v", i, off)
				}
				if !stats.Timed || stats.RoundTrip < ms(100) || stats.RoundTrip > ms(155) {
					t.Errorf("side %d: round trip %v", i, stats.RoundTrip)
				}
				if stats.RemoteLoss == 0 || stats.RemoteLost < 300 || stats.RemoteLost > 900 || stats.RemoteJitter == 0 {
					t.Errorf("side %d: the peer lost %v, %d, jitter %v", i, stats.RemoteLoss, stats.RemoteLost, stats.RemoteJitter)
				}
				if stats.MOS > 3 || stats.MOS < 1.2 {
					t.Errorf("side %d: MOS %v", i, stats.MOS)
				}
			}
			cancel()
			running.Wait()
			time.Sleep(time.Second) // what is still on its way
			if reporter.Sessions() != 0 || pace.Tasks() != 0 {
				t.Error("sessions left")
			}
		})
	}
}

// TestReportsOverSockets has the kernel stamp a report that waits to be read.
func TestReportsOverSockets(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the arrival is known on Linux only")
	}
	ports, err := rtp.NewPorts(rtp.PortsConfig{Address: loopback})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ports.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer pair.Close()
	reports := pair.Reports()
	var b [64]byte
	if _, _, _, err := reports.Poll(b[:]); err == nil {
		t.Error("a packet that nobody sent")
	}
	sender, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, pair.Port()+1)))
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	// The kernel turns stamping on in the background, for the first socket that asks.
	var from netip.AddrPort
	for stamped, tries := false, 0; !stamped; tries++ {
		before := time.Now()
		if _, err := sender.Write([]byte("report")); err != nil {
			t.Fatal(err)
		}
		after := time.Now()
		<-time.NewTimer(50 * time.Millisecond).C // it lies there
		n, source, at, err := reports.Poll(b[:])
		from = source
		if err != nil || string(b[:n]) != "report" || from != sender.LocalAddr().(*net.UDPAddr).AddrPort() {
			t.Fatalf("Poll() = %q, %v, %v", b[:n], from, err)
		}
		stamped = !at.Before(before.Add(-ms(5))) && !at.After(after.Add(ms(5)))
		if tries == 100 {
			t.Fatalf("came %v after it was sent", at.Sub(before))
		}
	}
	if _, err := reports.WriteToUDPAddrPort([]byte("answer"), from); err != nil {
		t.Fatal(err)
	}
	if err := sender.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := sender.Read(b[:]); err != nil || string(b[:n]) != "answer" {
		t.Errorf("Read() = %q, %v", b[:n], err)
	}
	_ = pair.Close()
	if _, _, _, err := reports.Poll(b[:]); err == nil {
		t.Error("a closed socket was polled")
	}
}
