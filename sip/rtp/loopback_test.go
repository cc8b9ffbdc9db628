package rtp_test

import (
	"bytes"
	"context"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/pacer"
	"github.com/callgw/callgw/sip/rtp"
)

// TestTwoSessionsOverSockets lets two sessions speak with each other through
// the kernel: what one says arrives at the other whole, keys too.
func TestTwoSessionsOverSockets(t *testing.T) {
	ports, err := rtp.NewPorts(rtp.PortsConfig{Address: loopback})
	if err != nil {
		t.Fatal(err)
	}
	p := pacer.New(pacer.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = p.Run(ctx) })

	type end struct {
		*rtp.Session
		*listener
		pair   *rtp.Pair
		speech []byte
	}
	ends := make([]*end, 2)
	for i := range ends {
		pair, err := ports.Open()
		if err != nil {
			t.Fatal(err)
		}
		e := &end{listener: &listener{done: make(chan struct{})}, pair: pair}
		for n := range 25 {
			e.speech = append(e.speech, voice(uint16(100*i+n))...)
		}
		e.say(e.speech)
		ends[i] = e
	}
	for i, e := range ends {
		other := ends[1-i]
		e.want = other.speech
		s := stream()
		s.Remote = netip.AddrPortFrom(loopback, other.pair.Port())
		e.Session = rtp.NewSession(rtp.Config{Conn: e.pair, Stream: s, Uplink: e.listener, Downlink: e.listener, Pacer: p})
		running.Go(func() {
			if err := e.Run(ctx); err != nil {
				t.Errorf("Run() = %v", err)
			}
		})
	}
	for _, e := range ends {
		e.Start()
	}
	if err := ends[0].SendDigit('7', 0); err != nil {
		t.Error(err)
	}
	for i, e := range ends {
		select {
		case <-e.done:
		case <-time.After(20 * time.Second):
			t.Errorf("end %d did not hear the other", i)
		}
	}
	if got := ends[1].pressed(); got != "7" {
		t.Errorf("pressed %q", got)
	}
	if s := ends[0].Stats(); s.Source.Port() != ends[1].pair.Port() || s.Source.Addr() != loopback {
		t.Errorf("source %v", s.Source)
	}
	cancel()
	running.Wait()
	for _, e := range ends {
		_ = e.pair.Close()
	}
	if ports.InUse() != 0 || p.Tasks() != 0 {
		t.Errorf("%d ports, %d tasks left", ports.InUse(), p.Tasks())
	}
}

// listener is a phone that says when it has heard what it wants, whatever silence
// stands between.
type listener struct {
	phone
	want []byte
	done chan struct{}
}

func (l *listener) Frame(b []byte) {
	if len(b) == 160 && !bytes.Equal(b, silence(160)) {
		l.phone.Frame(b)
		if bytes.Equal(l.heard(), l.want) {
			close(l.done)
		}
	}
}
