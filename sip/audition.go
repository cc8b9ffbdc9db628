package sip

import (
	"context"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip/rtp"
	"github.com/callgw/callgw/sip/sdp"
)

// audition is the audio that is heard before the answer.
type audition struct {
	stop context.CancelFunc
	done chan struct{}
}

// audition lets up hear the peer until it is stopped. Nothing is sent, and a peer
// that rings without a sound is no fault.
func (v *voice) audition(to media.Uplink) *audition {
	up := &uplink{}
	v.mu.Lock()
	stream := v.stream
	up.attach(to, v.speaks())
	v.mu.Unlock()
	stream.Direction = stream.Direction.And(sdp.RecvOnly)
	session := rtp.NewSession(rtp.Config{
		Conn: v.conn, Stream: stream, Uplink: up, Downlink: &downlink{},
		UplinkLaw: func(wire media.Codec) { up.speaks(wire) },
		Pacer:     v.s.cfg.Pacer, Timeout: -1, Metrics: v.s.cfg.Metrics.rtp(v.trunk),
	})
	session.Start()
	ctx, stop := context.WithCancel(context.Background())
	a := &audition{stop, make(chan struct{})}
	go func() {
		defer close(a.done)
		_ = session.Run(ctx) // a socket that fails fails again for the call
	}()
	return a
}

// end returns when nothing is heard any more.
func (a *audition) end() {
	a.stop()
	<-a.done
}

// hear lets Dial's caller hear the early media that was just described.
func (a *attempt) hear() {
	if a.out.Early == nil || a.abandoned() {
		return
	}
	a.hush()
	if up := a.out.Early(a.voice.codec()); up != nil {
		a.heard = a.voice.audition(up)
	}
}

// hush ends it.
func (a *attempt) hush() {
	if a.heard != nil {
		a.heard.end()
		a.heard = nil
	}
}
