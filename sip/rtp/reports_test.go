package rtp_test

import (
	"context"
	"encoding/binary"
	"net/netip"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	pionrtcp "github.com/pion/rtcp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip/rtp"
	"github.com/callgw/callgw/sip/sdp"
)

var signalledRTCP = netip.MustParseAddrPort("198.51.100.7:4001")

// control is a ReportConn whose other end is the test.
type control struct {
	*wire
}

func (c *control) Poll(b []byte) (int, netip.AddrPort, time.Time, error) {
	select {
	case d := <-c.in:
		if d.at.IsZero() {
			d.at = time.Now()
		}
		return copy(b, d.b), d.addr, d.at, nil
	default:
		return 0, netip.AddrPort{}, time.Time{}, os.ErrDeadlineExceeded
	}
}

// reporting is a call with reports.
type reporting struct {
	*call
	reporter *rtp.Reporter
	control  *control
}

// inReports runs test in a bubble with a started call that reports.
func inReports(t *testing.T, own bool, change func(*rtp.Config), test func(t *testing.T, c *reporting, p *peer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := &reporting{reporter: rtp.NewReporter(), control: &control{newWire()}}
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { _ = c.reporter.Run(ctx) })
		t.Cleanup(func() {
			cancel()
			running.Wait()
			if n := c.reporter.Sessions(); n != 0 {
				t.Errorf("%d sessions left in the reporter", n)
			}
		})
		c.call = dial(t, func(cfg *rtp.Config) {
			cfg.Stream.RTCP = signalledRTCP
			cfg.Reporter = c.reporter
			if own {
				cfg.RTCP = c.control
			}
			if change != nil {
				change(cfg)
			}
		})
		c.Start()
		synctest.Wait()
		test(t, c, c.peer())
	})
}

func parsed(t *testing.T, b []byte) []pionrtcp.Packet {
	t.Helper()
	p, err := pionrtcp.Unmarshal(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := pionrtcp.CompoundPacket(p).Validate(); err != nil {
		t.Fatal(err)
	}
	return p
}

func mustMarshal(t *testing.T, p ...pionrtcp.Packet) []byte {
	t.Helper()
	b, err := pionrtcp.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReportsComeAboutEveryFiveSeconds(t *testing.T) {
	inReports(t, true, nil, func(t *testing.T, c *reporting, p *peer) {
		began := time.Now()
		p.speak(50 * 600)
		sent := c.control.packets()
		last := began
		least, most := time.Hour, time.Duration(0)
		for i, d := range sent {
			gap := d.at.Sub(last)
			last = d.at
			if d.addr != signalledRTCP {
				t.Errorf("report to %v", d.addr)
			}
			if i == 0 {
				if gap > 4100*time.Millisecond {
					t.Errorf("the first report after %v", gap)
				}
				continue
			}
			least, most = min(least, gap), max(most, gap)
		}
		// RFC 3550 §6.3.1: 0.5 to 1.5 times 5 s / 1.21828, and up to a sweep more.
		if least < 2*time.Second || most > 7200*time.Millisecond || most-least < 2*time.Second {
			t.Errorf("%v to %v between reports", least, most)
		}
		if n := len(sent); n < 110 || n > 150 {
			t.Errorf("%d reports in ten minutes", n)
		}
	})
}

func TestReportsSayWhatWasSentAndWhatCame(t *testing.T) {
	inReports(t, true, nil, func(t *testing.T, c *reporting, p *peer) {
		for i := range 50 * 30 { // a tenth lost, across the wrap
			d := p.make(voice(p.sequence))
			if i%10 != 5 {
				p.deliver(d)
			}
			time.Sleep(ms(20))
		}
		rtps := c.wire.packets()
		var names []string
		var last *pionrtcp.SenderReport
		for _, d := range c.control.packets() {
			all := parsed(t, d.b)
			sr, ok := all[0].(*pionrtcp.SenderReport)
			if !ok || len(all) != 2 {
				t.Fatalf("%v", all)
			}
			names = append(names, all[1].(*pionrtcp.SourceDescription).Chunks[0].Items[0].Text)
			last = sr
			if sr.SSRC != binary.BigEndian.Uint32(rtps[0].b[8:]) {
				t.Errorf("SSRC %x", sr.SSRC)
			}
			// The report's time, in RTP's clock.
			first := rtps[0]
			want := first.timestamp() + 160 + uint32(d.at.Sub(first.at)/(125*time.Microsecond))
			if off := int32(sr.RTPTime - want); off < -1 || off > 1 {
				t.Errorf("RTP time is off by %d", off)
			}
			if s := time.Unix(int64(sr.NTPTime>>32)-2208988800, int64(sr.NTPTime&0xFFFFFFFF*1e9>>32)); d.at.Sub(s).Abs() > time.Microsecond {
				t.Errorf("NTP time %v, want %v", s, d.at)
			}
			if n := int(d.at.Sub(first.at)/ms(20)) + 1; int(sr.PacketCount) < n-1 || int(sr.PacketCount) > n || sr.OctetCount != 160*sr.PacketCount {
				t.Errorf("%d packets, %d octets, want about %d", sr.PacketCount, sr.OctetCount, n)
			}
			if len(sr.Reports) != 1 || sr.Reports[0].SSRC != 0xCAFE {
				t.Fatalf("%+v", sr)
			}
			if f := float64(sr.Reports[0].FractionLost) / 256; f < 0.08 || f > 0.12 {
				t.Errorf("fraction lost %v", f)
			}
		}
		b := last.Reports[0]
		if b.LastSequenceNumber>>16 != 1 || b.TotalLost < 110 || b.TotalLost > 150 || b.Jitter != 0 || b.LastSenderReport != 0 {
			t.Errorf("%+v", b)
		}
		for _, name := range names {
			if name != names[0] || len(name) < 16 {
				t.Errorf("names %v", names)
			}
		}
	})
}

func TestReceiverReportWhileNothingIsSent(t *testing.T) {
	held := func(cfg *rtp.Config) { cfg.Stream.Direction = sdp.RecvOnly }
	inReports(t, true, held, func(t *testing.T, c *reporting, p *peer) {
		p.speak(500)
		for _, d := range c.control.packets() {
			if rr, ok := parsed(t, d.b)[0].(*pionrtcp.ReceiverReport); !ok || len(rr.Reports) != 1 {
				t.Errorf("%v", rr)
			}
		}
	})
}

func TestGoodbye(t *testing.T) {
	inReports(t, true, nil, func(t *testing.T, c *reporting, p *peer) {
		p.speak(500)
		c.control.packets()
		c.cancel()
		<-c.done
		synctest.Wait()
		sent := c.control.packets()
		if len(sent) != 1 {
			t.Fatalf("%d packets at the end", len(sent))
		}
		all := parsed(t, sent[0].b)
		if bye, ok := all[len(all)-1].(*pionrtcp.Goodbye); !ok || len(all) != 3 || bye.Sources[0] != all[0].(*pionrtcp.SenderReport).SSRC {
			t.Errorf("%v", all)
		}
		time.Sleep(time.Minute)
		if n := len(c.control.packets()); n != 0 {
			t.Errorf("%d packets after the farewell", n)
		}
	})
}

func TestNoGoodbyeWithoutAReport(t *testing.T) {
	inReports(t, true, nil, func(t *testing.T, c *reporting, _ *peer) {
		c.cancel()
		<-c.done
		if n := len(c.control.packets()); n != 0 {
			t.Errorf("%d packets", n)
		}
	})
}

// TestRoundTrip has reports cross a network of 70 ms each way and lie in a socket
// until they are looked for.
func TestRoundTrip(t *testing.T) {
	for _, mux := range []bool{false, true} {
		inReports(t, !mux, func(cfg *rtp.Config) { cfg.Stream.RTCPMux = mux }, func(t *testing.T, c *reporting, p *peer) {
			p.speak(500)
			sent, back := c.wire, signalled
			if !mux {
				sent, back = c.control.wire, signalledRTCP
			}
			var sr *pionrtcp.SenderReport
			var at time.Time
			for _, d := range sent.packets() {
				if d.b[1] == 200 {
					sr, at = parsed(t, d.b)[0].(*pionrtcp.SenderReport), d.at
				}
			}
			if sr == nil {
				t.Fatal("no report")
			}
			arrives := time.Now().Add(1234 * time.Millisecond)
			held := uint32((arrives.Sub(at) - 2*70*time.Millisecond) * 65536 / time.Second)
			theirs := mustMarshal(t, &pionrtcp.SenderReport{SSRC: p.ssrc, NTPTime: 0x1122334455667788, Reports: []pionrtcp.ReceptionReport{{
				SSRC: sr.SSRC, FractionLost: 128, TotalLost: 77, Jitter: 80, LastSenderReport: uint32(sr.NTPTime >> 16), Delay: held,
			}}})
			p.speak(int(time.Until(arrives) / ms(20)))
			time.Sleep(time.Until(arrives))
			sent.in <- datagram{addr: back, b: theirs, at: arrives}
			p.speak(500)
			s := c.Stats()
			if off := s.RoundTrip - 140*time.Millisecond; !s.Timed || off.Abs() > time.Millisecond {
				t.Errorf("mux %v: round trip %v, timed %v", mux, s.RoundTrip, s.Timed)
			}
			if !s.Reported || s.RemoteLoss != 0.5 || s.RemoteLost != 77 || s.RemoteJitter != ms(10) || s.RTCP != 1 {
				t.Errorf("%+v", s)
			}
			if s.MOS < 4.3 || s.MOS > 4.42 || s.RemoteMOS > 2 {
				t.Errorf("MOS %v, at the peer %v", s.MOS, s.RemoteMOS)
			}
			// What this side answers: the middle of their time, and since when it has it.
			var b pionrtcp.ReceptionReport
			for _, d := range sent.packets() {
				if d.b[1] == 200 {
					b, at = parsed(t, d.b)[0].(*pionrtcp.SenderReport).Reports[0], d.at
				}
			}
			delay := time.Duration(b.Delay) * time.Second / 65536
			if b.LastSenderReport != 0x33445566 || (delay-at.Sub(arrives)).Abs() > time.Millisecond {
				t.Errorf("LSR %x, DLSR %v, want %v", b.LastSenderReport, delay, at.Sub(arrives))
			}
		})
	}
}

func TestReportsOfStrangersAreDropped(t *testing.T) {
	inReports(t, true, nil, func(t *testing.T, c *reporting, p *peer) {
		report := func(kind string) []byte {
			if kind == "short" {
				return []byte{0x81, 201, 0, 1, 0, 0, 0, 1}
			}
			return mustMarshal(t, &pionrtcp.ReceiverReport{SSRC: p.ssrc, Reports: []pionrtcp.ReceptionReport{{SSRC: 1, FractionLost: 200}}})
		}
		c.control.in <- datagram{addr: stranger, b: report("")} // before RTP told who the peer is
		time.Sleep(2 * time.Second)
		p.speak(1)
		c.control.in <- datagram{addr: stranger, b: report("")}
		c.wire.in <- datagram{addr: signalledRTCP, b: report("")} // RTP's port takes RTP's source only
		c.wire.in <- datagram{addr: stranger, b: report("")}
		c.control.in <- datagram{addr: signalledRTCP, b: report("short")}
		p.speak(100)
		s := c.Stats()
		if s.Rejected[rtp.Source] != 4 || s.Rejected[rtp.Malformed] != 1 || s.RTCP != 0 || s.Reported {
			t.Errorf("%+v", s)
		}
		c.control.in <- datagram{addr: signalledRTCP, b: report("")} // about a stream that is not ours
		p.speak(100)
		if s := c.Stats(); s.RTCP != 1 || s.Reported || s.RemoteMOS != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestListenersReportsAreTaken(t *testing.T) {
	listener := func(cfg *rtp.Config) { cfg.Stream.Direction = sdp.SendOnly }
	inReports(t, true, listener, func(t *testing.T, c *reporting, p *peer) {
		c.control.in <- datagram{addr: signalledRTCP, b: mustMarshal(t, &pionrtcp.ReceiverReport{SSRC: p.ssrc})}
		time.Sleep(2 * time.Second)
		if s := c.Stats(); s.RTCP != 1 || s.Source.IsValid() {
			t.Errorf("%+v", s)
		}
	})
}

func TestReportsGoWhereThePeersComeFrom(t *testing.T) {
	inReports(t, true, nil, func(t *testing.T, c *reporting, p *peer) {
		p.from = elsewhere // NAT
		p.speak(500)
		natted := netip.AddrPortFrom(elsewhere.Addr(), 5555)
		for _, d := range c.control.packets() {
			if d.addr != signalledRTCP {
				t.Errorf("to %v", d.addr)
			}
		}
		c.control.in <- datagram{addr: natted, b: mustMarshal(t, &pionrtcp.ReceiverReport{SSRC: p.ssrc})}
		p.speak(500)
		sent := c.control.packets()
		if len(sent) == 0 || sent[len(sent)-1].addr != natted {
			t.Errorf("sent %v", sent)
		}
	})
}

func TestMuxedReportsShareThePort(t *testing.T) {
	mux := func(cfg *rtp.Config) { cfg.Stream.RTCPMux = true }
	inReports(t, true, mux, func(t *testing.T, c *reporting, p *peer) {
		p.from = elsewhere
		want := p.speak(1000) // 20 s: an interval is at most 7.5
		sameAudio(t, c.heard(), want)
		if n := len(c.control.packets()); n != 0 {
			t.Errorf("%d packets on RTCP's port", n)
		}
		reports := 0
		for _, d := range c.wire.packets() {
			if d.b[1] >= 200 && d.b[1] <= 204 {
				reports++
				if d.addr != elsewhere {
					t.Errorf("report to %v", d.addr)
				}
			}
		}
		if s := c.Stats(); reports < 2 || s.Reports != uint64(reports) {
			t.Errorf("%d reports, %+v", reports, s)
		}
	})
}

func TestNoReportsWithoutASocketForThem(t *testing.T) {
	inReports(t, false, nil, func(t *testing.T, c *reporting, p *peer) {
		p.speak(1000)
		if s := c.Stats(); s.Reports != 0 || s.SendErrors != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestDuplicatesAreNoLoss(t *testing.T) {
	inReports(t, true, nil, func(t *testing.T, c *reporting, p *peer) {
		for range 500 {
			d := p.make(voice(p.sequence))
			p.deliver(d)
			p.deliver(d)
			time.Sleep(ms(20))
		}
		sent := c.control.packets()
		b := parsed(t, sent[len(sent)-1].b)[0].(*pionrtcp.SenderReport).Reports[0]
		// pion reads the 24 bits without their sign. Between two reports are up to
		// 7.5 s of these 10.
		if lost := int32(b.TotalLost<<8) >> 8; b.FractionLost != 0 || lost > -100 {
			t.Errorf("%d lost, fraction %d", lost, b.FractionLost)
		}
	})
}

// TestManySessionsShareAReporter spreads over the sweep and leaves nothing.
func TestManySessionsShareAReporter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reporter := rtp.NewReporter()
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { _ = reporter.Run(ctx) })
		var calls []*call
		var controls []*control
		for range 100 {
			w := &control{newWire()}
			c := dial(t, func(cfg *rtp.Config) { cfg.Reporter, cfg.RTCP, cfg.Stream.RTCP = reporter, w, signalledRTCP })
			c.Start()
			calls, controls = append(calls, c), append(controls, w)
		}
		if n := reporter.Sessions(); n != 100 {
			t.Errorf("%d sessions", n)
		}
		time.Sleep(15 * time.Second)
		for i, c := range calls {
			if n := len(controls[i].packets()); n < 2 || n > 6 {
				t.Errorf("%d reports in 15 s", n)
			}
			c.cancel()
			<-c.done
		}
		if n := reporter.Sessions(); n != 0 {
			t.Errorf("%d sessions left", n)
		}
		cancel()
		running.Wait()
	})
}

// A phone that is muted, or leaves silence out, goes on reporting.
func TestReportsAreSignsOfLife(t *testing.T) {
	for name, mux := range map[string]bool{"of RTCP's port": false, "of RTP's port": true} {
		t.Run(name, func(t *testing.T) {
			inReports(t, !mux, nil, func(t *testing.T, c *reporting, p *peer) {
				p.speak(1)
				report := mustMarshal(t, &pionrtcp.ReceiverReport{SSRC: p.ssrc})
				for range 60 { // five minutes
					if mux {
						c.wire.in <- datagram{addr: signalled, b: report}
					} else {
						c.control.in <- datagram{addr: signalledRTCP, b: report}
					}
					time.Sleep(5 * time.Second)
				}
				select {
				case err := <-c.done:
					t.Fatalf("Run() = %v", err)
				default:
				}
				began := time.Now()
				if err := <-c.done; media.CauseOf(err) != media.MediaTimeout {
					t.Errorf("Run() = %v", err)
				}
				if d := time.Since(began); d < 15*time.Second || d > 16*time.Second {
					t.Errorf("timed out %v after the last report", d+5*time.Second)
				}
			})
		})
	}
}

func TestReportsOfStrangersAreNoSignsOfLife(t *testing.T) {
	inReports(t, true, nil, func(t *testing.T, c *reporting, p *peer) {
		p.speak(1)
		for range 3 {
			c.control.in <- datagram{addr: stranger, b: mustMarshal(t, &pionrtcp.ReceiverReport{SSRC: p.ssrc})}
			time.Sleep(5 * time.Second)
		}
		began := time.Now()
		if err := <-c.done; media.CauseOf(err) != media.MediaTimeout {
			t.Errorf("Run() = %v", err)
		}
		if d := time.Since(began); d > 5*time.Second {
			t.Errorf("timed out %v later", d)
		}
	})
}
