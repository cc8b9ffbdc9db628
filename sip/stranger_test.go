package sip_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/siptest"
)

// door is a listener in virtual time: who connects says from where.
type door struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (d *door) Accept() (net.Conn, error) {
	select {
	case conn := <-d.conns:
		return conn, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

func (d *door) Close() error {
	select {
	case <-d.closed:
	default:
		close(d.closed)
	}
	return nil
}

func (d *door) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 5060} }

// visitor is a connection as the server sees it.
type visitor struct {
	net.Conn
	remote net.Addr
	local  net.Addr
}

func (v visitor) RemoteAddr() net.Addr { return v.remote }
func (v visitor) LocalAddr() net.Addr  { return v.local }

// visit is the other end of it.
type visit struct {
	net.Conn
	t       *testing.T
	answers chan string   // the start lines of what the server sends
	ended   chan struct{} // closed with the connection
}

// enter connects from an address.
func (d *door) enter(t *testing.T, from string) *visit {
	theirs, ours := net.Pipe()
	d.conns <- visitor{theirs, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(from)), d.Addr()}
	v := &visit{ours, t, make(chan string, 100), make(chan struct{})}
	go func() {
		defer close(v.ended)
		lines := bufio.NewScanner(ours)
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "SIP/2.0 ") {
				v.answers <- lines.Text()
			}
		}
		ours.Close()
	}()
	synctest.Wait()
	return v
}

// options asks whether the server is there, and returns the status that it says.
func (v *visit) options(cseq int) string {
	v.t.Helper()
	_, err := io.WriteString(v, siptest.CRLF(fmt.Sprintf("OPTIONS sip:a@b SIP/2.0\nVia: SIP/2.0/TCP c;branch=z9hG4bK%p%d\n"+
		"From: <sip:a@b>;tag=1\nTo: <sip:a@b>\nCall-ID: %p\nCSeq: %d OPTIONS\nMax-Forwards: 70\nContent-Length: 0\n\n", v, cseq, v, cseq)))
	if err != nil {
		v.t.Errorf("OPTIONS cannot be sent: %v", err)
		return ""
	}
	select {
	case line := <-v.answers:
		return strings.Fields(line)[1]
	case <-time.After(time.Second):
		return ""
	}
}

func (v *visit) open() bool {
	synctest.Wait()
	select {
	case <-v.ended:
		return false
	default:
		return true
	}
}

// house is a bubble with a door and one trunk, at 192.0.2.1.
func house(t *testing.T, test func(d *door), tweak ...func(*sip.Config)) {
	d := &door{}
	bubble(t, nil, func(*rig) { test(d) }, append([]func(*sip.Config){func(cfg *sip.Config) {
		d.conns, d.closed = make(chan net.Conn), make(chan struct{})
		cfg.Listen = []sip.Listen{{Network: "tcp", Streams: d}}
		cfg.AcceptUnknown = false
		cfg.Trunks = []sip.Trunk{{Name: "a", From: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}}}
	}}, tweak...)...)
}

const (
	carrier     = "192.0.2.1:4000"
	somebody    = "203.0.113.66:4000"
	firstTime   = 32 * time.Second
	halfAnHour  = 30 * time.Minute
	mostUnknown = 1024
)

func TestRefusedStrangersDoNotStay(t *testing.T) {
	house(t, func(d *door) {
		began := time.Now()
		talker, pinger := d.enter(t, somebody), d.enter(t, somebody[:len(somebody)-1]+"1")
		for i := range 3 {
			if status := talker.options(i + 1); status != "403" {
				t.Errorf("a stranger is told %q", status)
			}
			if _, err := io.WriteString(pinger, "\r\n\r\n"); err != nil {
				t.Error(err)
			}
			time.Sleep(10 * time.Second)
		}
		<-talker.ended
		<-pinger.ended
		if stayed := time.Since(began); stayed != firstTime {
			t.Errorf("strangers stayed for %v", stayed)
		}
	})
}

func TestWhoIsHeededStays(t *testing.T) {
	for _, c := range []struct{ name, from string }{{"a trunk's peer", carrier}, {"a stranger who is welcome", somebody}} {
		t.Run(c.name, func(t *testing.T) {
			house(t, func(d *door) {
				v := d.enter(t, c.from)
				if status := v.options(1); status != "200" {
					t.Errorf("is told %q", status)
				}
				time.Sleep(halfAnHour - time.Minute)
				if status := v.options(2); status != "200" {
					t.Errorf("is told %q after half an hour", status)
				}
				v.Close()
			}, func(cfg *sip.Config) { cfg.AcceptUnknown = c.from == somebody })
		})
	}
}

func TestStrangersLeaveRoomForTrunks(t *testing.T) {
	reg := prometheus.NewRegistry()
	house(t, func(d *door) {
		var strangers []*visit
		for i := range mostUnknown + 76 {
			strangers = append(strangers, d.enter(t, fmt.Sprintf("203.0.%d.%d:4000", i/250, i%250+1)))
		}
		stay := 0
		for _, v := range strangers {
			if v.open() {
				stay++
			}
		}
		if stay != mostUnknown {
			t.Errorf("%d strangers are in", stay)
		}
		if got := dropped(t, reg); got != "connection=76" {
			t.Errorf("counted %q", got)
		}
		peer := d.enter(t, carrier)
		if status := peer.options(1); status != "200" {
			t.Errorf("the trunk's peer is told %q", status)
		}
		time.Sleep(firstTime)
		if v := d.enter(t, somebody); v.options(1) != "403" {
			t.Error("nobody has left")
		}
		if status := peer.options(2); status != "200" {
			t.Errorf("the trunk's peer is told %q later", status)
		}
	}, func(cfg *sip.Config) { cfg.Metrics = sip.NewMetrics(reg) })
}
