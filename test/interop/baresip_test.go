package interop_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
)

// A phone calls, plays a WAV file and records what it hears.
func TestBaresipTalksAndRecords(t *testing.T) {
	t.Parallel()
	g := start(t)
	phone := startBaresip(t, baresipConfig{})
	phone.do("dial", "sip:"+userTone+"@"+g.udp)
	phone.await("CALL_ESTABLISHED")
	phone.talks(3 * time.Second)
	phone.do("hangup", "")
	phone.await("CALL_CLOSED")
	there := phone.heard(800)
	if e := wantCall(t, g, media.PCMU, media.CallerHungUp); e != nil {
		saw(t, baresipPeer, "call in", "a call of 3 s over UDP: %.0f %% of what it recorded is the gateway's tone, %.0f %% of what the gateway heard is its file", 100*there, 100*e.heardShare(t, 440))
	}
}

// A phone is called, and does all that people do with one.
func TestBaresipIsCalled(t *testing.T) {
	t.Parallel()
	own(t)
	phone := startBaresip(t, baresipConfig{account: ";answermode=auto"})
	g := start(t)
	call := place(t, g, sip.Dial{To: "sip:phone@" + phone.addr, From: "+14155550100"})
	phone.await("CALL_ESTABLISHED")
	call.hears(t, time.Second)

	if err := call.call.SendDigits(t.Context(), "15#"); err != nil {
		t.Errorf("SendDigits() = %v", err)
	}
	for _, key := range []string{"1", "5", "#"} {
		phone.await("CALL_DTMF_START " + key)
		phone.await("CALL_DTMF_END")
	}
	phone.do("sndcode", "42*")
	call.pressed(t, "42*")

	phone.do("hold", "")
	call.held(t, true)
	phone.do("resume", "")
	call.held(t, true, false)
	call.hears(t, 2*time.Second)

	phone.do("hangup", "")
	call.ended(t, media.CallerHungUp)
	phone.await("CALL_CLOSED")
	back := call.heardShare(t, 440)
	saw(t, baresipPeer, "call out", "callgw calls it over UDP and is answered; %.0f %% of what is heard is its file", 100*back)
	saw(t, baresipPeer, "DTMF out", "it tells of the keys 15#, begun and ended")
	saw(t, baresipPeer, "DTMF in", "keys 42*")
	saw(t, baresipPeer, "hold and resume", "it holds and resumes; audio comes again")
	saw(t, baresipPeer, "hang-up by the called side", "its BYE ends the call")
}

// It hears how callgw rings before the answer.
func TestBaresipHearsItRing(t *testing.T) {
	t.Parallel()
	own(t)
	g := start(t, func(cfg *sip.Config) { cfg.EarlyMedia = true })
	phone := startBaresip(t, baresipConfig{})
	phone.do("dial", "sip:"+userRing+"@"+g.udp)
	phone.await("CALL_PROGRESS")
	eventually(t, "baresip hears something", func() bool { return strings.Contains(phone.said(), "incoming rtp") })
	phone.do("hangup", "")
	wantCall(t, g, media.PCMU, media.CallerCancelled)
	saw(t, baresipPeer, "early media", "183 with a session description before the answer, and audio")
}

// It asks what callgw can do.
func TestBaresipAsksForOptions(t *testing.T) {
	t.Parallel()
	g := start(t)
	phone := startBaresip(t, baresipConfig{})
	phone.do("options", "sip:"+userEcho+"@"+g.udp)
	eventually(t, "baresip has an answer", func() bool { return strings.Contains(phone.said(), "OPTIONS of") })
	saw(t, baresipPeer, "OPTIONS", "answered 200")
}

// Either side hangs up before the answer.
func TestBaresipEarlyHangUp(t *testing.T) {
	t.Parallel()
	own(t)
	t.Run("callgw cancels", func(t *testing.T) {
		t.Parallel()
		phone := startBaresip(t, baresipConfig{})
		g := start(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		out := sip.Dial{To: "sip:phone@" + phone.addr, OnState: func(status int) {
			if status == 180 {
				cancel(media.AgentHungUp)
			}
		}}
		if _, err := g.server.Dial(ctx, out); media.CauseOf(err) != media.AgentHungUp {
			t.Errorf("Dial() = %v", err)
		}
		phone.await("CALL_CLOSED")
		saw(t, baresipPeer, "CANCEL", "callgw calls it and gives up while it rings: it stops ringing")
	})
	t.Run("it declines", func(t *testing.T) {
		t.Parallel()
		phone := startBaresip(t, baresipConfig{})
		g := start(t)
		ring := make(chan struct{}, 10)
		failed := make(chan error, 1)
		go func() {
			_, err := g.server.Dial(t.Context(), sip.Dial{To: "sip:phone@" + phone.addr, OnState: func(int) { ring <- struct{}{} }})
			failed <- err
		}()
		phone.await("CALL_INCOMING")
		<-ring
		phone.do("hangup", "")
		err := <-failed
		var refused *sip.StatusError
		if !errors.As(err, &refused) || media.CauseOf(err) == media.LegFailed {
			t.Fatalf("Dial() = %v", err)
		}
		saw(t, baresipPeer, "refusals", "it declines with %d, and Dial fails with %v", refused.Status, media.CauseOf(err))
	})
	t.Run("it cancels", func(t *testing.T) {
		t.Parallel()
		phone := startBaresip(t, baresipConfig{})
		g := start(t)
		phone.do("dial", "sip:"+userRing+"@"+g.udp)
		phone.await("CALL_RINGING")
		phone.do("hangup", "")
		wantCall(t, g, 0, media.CallerCancelled)
		saw(t, baresipPeer, "CANCEL", "it calls and gives up while callgw rings")
	})
	t.Run("callgw refuses", func(t *testing.T) {
		t.Parallel()
		phone := startBaresip(t, baresipConfig{})
		g := start(t)
		phone.do("dial", "sip:"+userNone+"@"+g.udp)
		told := phone.await("CALL_CLOSED")
		saw(t, baresipPeer, "refusals", "it calls a number without a route and tells: %s", told)
	})
}

// A phone is told to call somebody else (RFC 3515), and tells how that went.
func TestBaresipIsTransferred(t *testing.T) {
	t.Parallel()
	own(t)
	t.Run("the target answers", func(t *testing.T) {
		t.Parallel()
		phone, target := startBaresip(t, baresipConfig{account: ";answermode=auto"}), startBaresip(t, baresipConfig{account: ";answermode=auto"})
		g := start(t)
		call := place(t, g, sip.Dial{To: "sip:phone@" + phone.addr, From: "+14155550100"})
		phone.await("CALL_ESTABLISHED")
		if err := call.call.Transfer(t.Context(), "sip:phone@"+target.addr); err != nil {
			t.Errorf("Transfer() = %v", err)
		}
		call.ended(t, media.Transferred)
		target.await("CALL_ESTABLISHED")
		saw(t, baresipPeer, "transfer by REFER", "it calls the target, another baresip, tells by NOTIFY that it has answered, and callgw hangs up")
	})
	t.Run("the target is busy", func(t *testing.T) {
		t.Parallel()
		phone, target := startBaresip(t, baresipConfig{account: ";answermode=auto"}), listening(t, "uas_busy.xml")
		g := start(t)
		call := place(t, g, sip.Dial{To: "sip:phone@" + phone.addr, From: "+14155550100"})
		phone.await("CALL_ESTABLISHED")
		err := call.call.Transfer(t.Context(), "sip:100@"+target.addr)
		var refused *sip.StatusError
		if !errors.As(err, &refused) || refused.Status != 486 {
			t.Errorf("Transfer() = %v", err)
		}
		call.hears(t, time.Second)
		call.end(t)
		target.wait(t)
		saw(t, baresipPeer, "transfer by REFER", "it calls the target, a SIPp that is busy, tells so by NOTIFY; the call goes on")
	})
}
