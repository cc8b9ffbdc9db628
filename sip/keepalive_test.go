package sip_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/callgw/callgw/sip"
)

func wantUp(t *testing.T, reg *prometheus.Registry, want int) {
	t.Helper()
	text := fmt.Sprintf("# HELP callgw_trunk_up Whether the trunk's server answers keep-alives.\n"+
		"# TYPE callgw_trunk_up gauge\ncallgw_trunk_up{trunk=\"carrier\"} %d\n", want)
	if err := testutil.GatherAndCompare(reg, strings.NewReader(text), "callgw_trunk_up"); err != nil {
		t.Error(err)
	}
}

func TestTrunkThatIsAskedWhetherItLives(t *testing.T) {
	reg := prometheus.NewRegistry()
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		first := p.Expect("OPTIONS")
		p.Reply(first, 404, "Who?") // an answer is an answer
		time.Sleep(time.Millisecond)
		wantUp(t, reg, 1)
		second := p.Expect("OPTIONS")
		if d := second.At.Sub(first.At); d < 27*time.Second || d > 30*time.Second {
			t.Errorf("asked every %v", d)
		}
		time.Sleep(9 * time.Second)
		wantUp(t, reg, 0)
		count(p)
		time.Sleep(20 * time.Second)
		p.Reply(p.Expect("OPTIONS"), 503, "Not now")
		time.Sleep(time.Millisecond)
		wantUp(t, reg, 0)
		p.Reply(p.Expect("OPTIONS"), 200, "OK")
		time.Sleep(time.Millisecond)
		wantUp(t, reg, 1)
	}, oneTrunk(func(t *sip.Trunk) { t.Server, t.Keepalive = "sip:10.0.1.1", 30*time.Second }),
		func(cfg *sip.Config) { cfg.Metrics = sip.NewMetrics(reg) })
}

// A registrar over TCP that drops the connection: the binding is made anew, for nothing
// would come over the old one.
func TestRegistrationOverAConnectionThatEnds(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	loopback(t, answerAll(nil), func(cfg *sip.Config) {
		cfg.Trunks = []sip.Trunk{{Name: "pbx", Register: &sip.Register{
			Server: "sip:" + ln.Addr().String() + ";transport=tcp", Login: sip.Credentials{Username: "100", Password: "x"},
		}}}
	})
	for range 2 { // the second after a second or three
		raw, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if err := raw.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		c := &conn{raw, t, bufio.NewReader(raw)}
		h := c.expect("REGISTER sip:127.0.0.1")
		if contact := h.Get("Contact"); !strings.Contains(contact, "transport=tcp") {
			t.Errorf("Contact: %s", contact)
		}
		c.send(fmt.Sprintf("SIP/2.0 200 OK\nVia: %s\nFrom: %s\nTo: %s;tag=x\nCall-ID: %s\nCSeq: %s\nContact: %s;expires=300\nContent-Length: 0\n\n",
			h.Get("Via"), h.Get("From"), h.Get("To"), h.Get("Call-Id"), h.Get("Cseq"), h.Get("Contact")))
		// What comes over the connection is the trunk's and answered.
		c.send(c.request("OPTIONS", "o", 1, "<sip:100@127.0.0.1>"))
		c.expect("SIP/2.0 200")
		raw.Close()
	}
	ln.Close()
}
