package sip_test

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/siptest"
)

// within is a request of the dialog that invite has opened, from the side that was
// called.
func within(invite siptest.Message, method string, cseq int, more string) string {
	req := invite.Request()
	return fmt.Sprintf("%s %s SIP/2.0\nVia: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bK-%s-%d;rport\nMax-Forwards: 70\n"+
		"From: %s;tag=peer\nTo: %s\nCall-ID: %s\nCSeq: %d %s\n%sContent-Length: 0\n\n",
		method, req.Contact().Address.String(), method, cseq, req.To().Value(), req.From().Value(), req.CallID().Value(), cseq, method, more)
}

// strict is a server that takes nothing from strangers, and counts what it drops.
func strict(reg *prometheus.Registry) func(*sip.Config) {
	return func(cfg *sip.Config) {
		cfg.AcceptUnknown, cfg.Silent, cfg.Metrics = false, true, sip.NewMetrics(reg)
	}
}

// A host that no trunk names is called: what it answers and what it asks within the
// call is taken, however much, and nothing else.
func TestWhoIsCalledIsHeard(t *testing.T) {
	reg := prometheus.NewRegistry()
	bubble(t, nil, func(r *rig) {
		p, other := r.peer(), r.peer()
		var rang atomic.Int32
		done := r.dial(context.Background(), sip.Dial{To: "sip:bob@10.0.1.1", OnState: func(int) { rang.Add(1) }})
		invite := p.Expect("INVITE")
		for range 200 {
			p.ReplyAs("peer", invite, 180, "Ringing")
			time.Sleep(time.Millisecond)
		}
		if n := rang.Load(); n != 200 {
			t.Errorf("%d of 200 responses were taken", n)
		}
		p.Send(within(invite, "UPDATE", 1, "Contact: <sip:bob@10.0.1.1>\n")) // before the answer
		p.Expect("200 UPDATE")
		p.ReplyAs("peer", invite, 200, "OK", offer())
		p.Expect("ACK")
		d := <-done
		if d.err != nil {
			t.Fatal(d.err)
		}
		time.Sleep(time.Minute) // the INVITE is forgotten, the call is not
		for i := range 200 {
			p.Send(within(invite, "OPTIONS", 2+i, "User-Agent: sipvicious\n"))
		}
		if n := count(p); n != 200 {
			t.Errorf("%d of 200 requests within the call were answered", n)
		}
		if got := dropped(t, reg); got != "" {
			t.Errorf("counted %q", got)
		}

		// What belongs to nothing is a stranger's, also from there.
		for range 100 {
			p.Call().Request("OPTIONS")
			p.SendRaw([]byte("INVITE sip:a SIP/2.0\r\nX: y\r\n\r\n"))
			other.Call().Request("OPTIONS")
		}
		p.ExpectNothing(time.Second)
		if got := dropped(t, reg); got != "malformed=20 rate=220 unknown=60" {
			t.Errorf("counted %q", got)
		}
		time.Sleep(time.Minute)
		p.Call().Request("OPTIONS", "User-Agent: sipvicious")
		p.ExpectNothing(time.Second)
		if got := dropped(t, reg); got != "malformed=20 rate=220 scanner=1 unknown=60" {
			t.Errorf("counted %q", got)
		}

		go func() { _ = d.call.Hangup(context.Background(), media.AgentHungUp) }()
		p.Reply(p.Expect("BYE"), 200, "OK")
		time.Sleep(time.Minute)
		if n := r.server.Acquaintances(); n != 0 {
			t.Errorf("%d sources are still known", n)
		}
		for i := range 100 {
			p.Send(within(invite, "OPTIONS", 1000+i, ""))
		}
		p.ExpectNothing(time.Second)
		if got := dropped(t, reg); got != "malformed=20 rate=280 scanner=1 unknown=100" {
			t.Errorf("counted %q", got)
		}
	}, strict(reg))
}

// A call that fails, or is given up, leaves nobody known.
func TestAcquaintancesEnd(t *testing.T) {
	for name, end := range map[string]func(p *siptest.Peer, cancel context.CancelFunc){
		"busy": func(p *siptest.Peer, _ context.CancelFunc) {
			p.Reply(p.Expect("INVITE"), 486, "Busy")
			p.Expect("ACK")
		},
		"silence": func(*siptest.Peer, context.CancelFunc) {},
		"given up": func(p *siptest.Peer, cancel context.CancelFunc) {
			invite := p.Expect("INVITE")
			p.Reply(invite, 180, "Ringing")
			cancel()
			p.Reply(p.Expect("CANCEL"), 200, "OK")
			p.Reply(invite, 487, "Request Terminated")
			p.Expect("ACK")
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				p := r.peer()
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				done := r.dial(ctx, sip.Dial{To: "sip:bob@10.0.1.1"})
				end(p, cancel)
				<-done
				time.Sleep(2 * time.Minute)
				if n := r.server.Acquaintances(); n != 0 {
					t.Errorf("%d sources are still known", n)
				}
			}, strict(prometheus.NewRegistry()))
		})
	}
}

// Who merely calls is a stranger still; who knew a password is none for as long as the
// call lasts.
func TestCallersAreNoAcquaintances(t *testing.T) {
	bubble(t, into(&record{}), func(r *rig) {
		p := r.peer()
		p.Call().Establish(offer())
		if n := r.server.Acquaintances(); n != 0 {
			t.Errorf("%d sources are known", n)
		}
	})
	bubble(t, into(&record{}), func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite(offer())
		d.Invite(offer(), answer(t, p.Expect("401 INVITE"), "MD5"))
		d.Learn(p.Skip("200 INVITE"))
		d.Ack()
		time.Sleep(20 * time.Minute) // longer than who knew a password is a friend
		for range 200 {
			d.Request("OPTIONS")
		}
		if n := count(p); n != 200 {
			t.Errorf("%d of 200 messages were answered", n)
		}
		d.Request("BYE")
		p.Expect("200 BYE")
		time.Sleep(time.Minute)
		if n := r.server.Acquaintances(); n != 0 {
			t.Errorf("%d sources are known", n)
		}
	}, withPassword)
}

// The connection that we have opened to a stranger brings all its answers.
func TestWhoIsCalledIsHeardOverAConnection(t *testing.T) {
	ended := make(chan error, 1)
	far := loopback(t, answerAll(ended), func(cfg *sip.Config) { cfg.UserAgent = "sipsak" })
	near := loopback(t, answerAll(nil), func(cfg *sip.Config) { cfg.AcceptUnknown, cfg.SourceRate = false, 1 })
	for range 20 {
		c, err := near.Dial(t.Context(), sip.Dial{To: "sip:bob@127.0.0.1:" + port(far.Addrs()[1]) + ";transport=tcp"})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Hangup(t.Context(), media.AgentHungUp); err != nil {
			t.Fatal(err)
		}
		<-ended
	}
}

// Strangers cost no memory, whether or not there are acquaintances.
func TestScannersCostNoMemory(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		probe := []byte(siptest.CRLF("OPTIONS sip:100@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 203.0.113.9;branch=z9hG4bK1\nUser-Agent: friendly-scanner\nFrom: <sip:a@b>;tag=1\n" +
			"To: <sip:a@b>\nCall-ID: 1\nCSeq: 1 OPTIONS\nMax-Forwards: 70\nContent-Length: 0\n\n"))
		flood := net.ParseIP("203.0.113.9")
		cost := func() float64 { return testing.AllocsPerRun(1000, func() { r.server.Datagram(probe, flood) }) }
		if n := cost(); n > 0 {
			t.Errorf("%v allocations for a scanner's message", n)
		}
		done := r.dial(context.Background(), sip.Dial{To: "sip:bob@10.0.1.1"})
		invite := p.Expect("INVITE")
		if n := r.server.Acquaintances(); n != 1 {
			t.Errorf("%d sources are known", n)
		}
		if n := cost(); n > 0 {
			t.Errorf("%v allocations for a scanner's message during a call", n)
		}
		p.Reply(invite, 486, "Busy")
		p.Expect("ACK")
		<-done
	}, strict(prometheus.NewRegistry()), func(cfg *sip.Config) { cfg.SourceRate = 1 << 30 })
}
