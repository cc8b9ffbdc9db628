package interop_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
)

// listener is an echo that tells when it begins to hear.
type listener struct {
	*echo
	once  sync.Once
	hears chan struct{}
}

func (l *listener) Frame(p []byte) {
	l.once.Do(func() { close(l.hears) })
	l.echo.Frame(p)
}

// SIPp gives back each RTP packet as it came, telephone events with their durations
// too, so that callgw reads the keys that it has sent itself.
func TestSIPpEchoesKeys(t *testing.T) {
	t.Parallel()
	own(t)
	p := listening(t, "uas_keys.xml", "-rtp_echo")
	g := start(t)
	call, err := g.server.Dial(t.Context(), sip.Dial{To: "sip:100@" + p.addr, From: "+14155550100"})
	if err != nil {
		t.Fatal(err)
	}
	limited, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	ctx, hangUp := context.WithCancelCause(limited)
	defer hangUp(nil)
	e := &listener{echo: &echo{tone: tone(800, time.Second)}, hears: make(chan struct{})}
	sent := make(chan error, 1)
	go func() {
		select {
		case <-e.hears:
		case <-ctx.Done():
		}
		err := call.SendDigits(ctx, "15#")
		time.AfterFunc(300*time.Millisecond, func() { hangUp(media.AgentHungUp) })
		sent <- err
	}()
	if err := call.Run(ctx, e, e); media.CauseOf(err) != media.AgentHungUp {
		t.Errorf("Run() = %v", err)
	}
	if err := <-sent; err != nil {
		t.Errorf("SendDigits() = %v", err)
	}
	if e.digits != "15#" {
		t.Errorf("keys %q came back, want 15#", e.digits)
	}
	p.wait(t)
	saw(t, sippPeer, "DTMF out", "the RFC 4733 events of 15# are given back as they were sent, and read")
}
