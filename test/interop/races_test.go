package interop_test

import (
	"context"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
)

// Re-INVITEs of both sides meet.
func TestSIPpGlare(t *testing.T) {
	t.Parallel()
	own(t)
	g := start(t, func(cfg *sip.Config) { cfg.SessionExpires, cfg.MinSessionExpires = 14*time.Second, 2*time.Second })
	scenario{file: "glare.xml", limit: 25 * time.Second}.run(t, g)
	wantCall(t, g, media.PCMU, media.CallerHungUp)
	saw(t, sippPeer, "glare", "re-INVITEs of both sides meet: 491 for SIPp's, and after its 491 callgw tries again")
}

// Two phones answer the same INVITE.
func TestSIPpForkedCall(t *testing.T) {
	t.Parallel()
	own(t)
	p := listening(t, "uas_forked.xml")
	call := place(t, start(t), sip.Dial{To: "sip:100@" + p.addr})
	time.AfterFunc(time.Second, func() { call.hangUp(media.AgentHungUp) })
	call.ended(t, media.AgentHungUp)
	p.wait(t)
	saw(t, sippPeer, "forked call", "two phones ring and answer: the second is acknowledged and hung up at once")
}

// The called side answers while callgw gives up.
func TestSIPpAnswersTheCancelled(t *testing.T) {
	t.Parallel()
	own(t)
	p := listening(t, "uas_crossing.xml")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	out := sip.Dial{To: "sip:100@" + p.addr, OnState: func(status int) {
		if status == 180 {
			cancel(media.AgentHungUp)
		}
	}}
	if _, err := start(t).server.Dial(ctx, out); media.CauseOf(err) != media.AgentHungUp {
		t.Errorf("Dial() = %v", err)
	}
	p.wait(t)
	saw(t, sippPeer, "CANCEL", "the 200 crosses callgw's CANCEL: it is acknowledged and hung up")
}
