package interop_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/sdp"
)

// A softphone calls, and does all that people do with one.
func TestLinphoneCalls(t *testing.T) {
	t.Parallel()
	own(t)
	g := start(t)
	phone := startLinphone(t, linphoneConfig{})
	phone.do("call sip:" + userTone + "@" + g.udp)
	phone.await("Media streams established")
	e := g.talking(t)
	e.hears(t, time.Second)
	phone.do("1")
	e.pressed(t, "1")
	phone.do("pause")
	e.held(t, true)
	phone.await("paused")
	phone.do("resume")
	e.held(t, true, false)
	e.hears(t, 2*time.Second)
	phone.do("terminate")
	wantCall(t, g, media.PCMU, media.CallerHungUp)
	there, back := phone.heard(800), e.heardShare(t, 440)
	saw(t, linphonePeer, "call in", "over UDP: %.0f %% of what it recorded is the gateway's tone, %.0f %% of what the gateway heard is its file", 100*there, 100*back)
	saw(t, linphonePeer, "DTMF in", "key 1")
	saw(t, linphonePeer, "hold and resume", "it holds and resumes; audio comes again")
}

// It is called.
func TestLinphoneIsCalled(t *testing.T) {
	t.Parallel()
	own(t)
	g := start(t)
	phone := startLinphone(t, linphoneConfig{answers: true})
	call := place(t, g, sip.Dial{To: "sip:phone@" + phone.addr, From: "+14155550100"})
	phone.await("Media streams established")
	call.hears(t, time.Second)
	if err := call.call.SendDigits(t.Context(), "15#"); err != nil {
		t.Errorf("SendDigits() = %v", err)
	}
	for _, key := range []string{"1", "5", "#"} {
		phone.await("Receiving tone " + key)
	}
	phone.do("transfer sip:100@127.0.0.1:9")
	phone.logs("SIP/2.0 405 ", 1)
	call.hears(t, 2*time.Second)
	call.end(t)
	phone.await("ended")
	there, back := phone.heard(800), call.heardShare(t, 440)
	saw(t, linphonePeer, "call out", "over UDP: %.0f %% of what it recorded is the gateway's tone, %.0f %% of what the gateway heard is its file", 100*there, 100*back)
	saw(t, linphonePeer, "DTMF out", "it tells of the keys 15#")
	saw(t, linphonePeer, "hang-up by callgw", "BYE")
	saw(t, linphonePeer, "refusals", "its REFER is answered 405, and the call goes on")
}

// The session is refreshed twice by UPDATE, from either side (RFC 4028).
func TestLinphoneSessionTimers(t *testing.T) {
	t.Parallel()
	own(t)
	for _, c := range []struct{ name, refresher, updates, seen string }{
		// What linphone's settings call the refresher: 1 is the called side, 2 the caller.
		{"called side refreshes", "1", "UPDATE sip:127.0.0.1:", "it calls, and callgw refreshes"},
		{"caller refreshes", "2", "UPDATE sip:callgw@", "it calls, and refreshes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := start(t, sixSeconds)
			phone := startLinphone(t, linphoneConfig{sip: timers + c.refresher})
			phone.do("call sip:" + userTone + "@" + g.udp)
			phone.await("Media streams established")
			phone.logs(c.updates, 2)
			phone.do("terminate")
			wantCall(t, g, media.PCMU, media.CallerHungUp)
			saw(t, linphonePeer, "session timer", "%s by UPDATE; the call outlasts two refreshes", c.seen)
			saw(t, linphonePeer, "UPDATE", "%s twice", c.seen)
		})
	}
	t.Run("it is called", func(t *testing.T) {
		t.Parallel()
		g := start(t, sixSeconds)
		phone := startLinphone(t, linphoneConfig{answers: true, sip: timers + "1"})
		call := place(t, g, sip.Dial{To: "sip:phone@" + phone.addr, From: "+14155550100"})
		phone.logs("UPDATE sip:callgw@", 2)
		phone.do("terminate")
		call.ended(t, media.CallerHungUp)
		saw(t, linphonePeer, "hang-up by the called side", "its BYE ends the call")
		saw(t, linphonePeer, "session timer", "it is called, and refreshes by UPDATE; the call outlasts two refreshes")
	})
}

// timers are settings for sessions of six seconds: it is in no hurry when it refreshes.
const timers = "session_expires_enabled=1\nsession_expires_value=6\nsession_expires_min_value=2\nsession_expires_refresher_value="

// It calls over TLS, verifies the certificate, and demands SRTP.
func TestLinphoneOverTLSWithSRTP(t *testing.T) {
	t.Parallel()
	own(t)
	g, dir := secured(t)
	phone := startLinphone(t, linphoneConfig{sip: "root_ca=" + filepath.Join(dir, "cert.pem") + "\nmedia_encryption=srtp\nmedia_encryption_mandatory=1"})
	_, port, err := net.SplitHostPort(g.tcp)
	if err != nil {
		t.Fatal(err)
	}
	// Its TLS library compares no addresses.
	phone.do("call sip:" + userTone + "@localhost:" + port + ";transport=tls")
	phone.await("Media streams established")
	e := g.talking(t)
	e.hears(t, 2*time.Second)
	phone.do("terminate")
	wantCall(t, g, media.PCMU, media.CallerHungUp)
	there, back := phone.heard(800), e.heardShare(t, 440)
	saw(t, linphonePeer, "TLS and SRTP", "it calls over TLS, SRTP required by both sides: %.0f %% and %.0f %% of the audio is the other side's tone", 100*there, 100*back)
}

// It is called, and both sides demand SRTP.
func TestLinphoneIsCalledWithSRTP(t *testing.T) {
	t.Parallel()
	own(t)
	for _, suite := range []string{"AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"} {
		t.Run(suite, func(t *testing.T) {
			t.Parallel()
			g := start(t, func(cfg *sip.Config) {
				cfg.Trunks = []sip.Trunk{{Name: "phones", From: loopback, SRTP: sdp.SRTPRequired}}
			})
			phone := startLinphone(t, linphoneConfig{answers: true, sip: "media_encryption=srtp\nmedia_encryption_mandatory=1\nsrtp_crypto_suites=" + suite})
			call := place(t, g, sip.Dial{Trunk: "phones", To: "sip:phone@" + phone.addr, From: "+14155550100"})
			call.hears(t, 2*time.Second)
			call.end(t)
			phone.await("ended")
			there, back := phone.heard(800), call.heardShare(t, 440)
			log, err := os.ReadFile(filepath.Join(phone.dir, "log"))
			if n := strings.Count(string(log), suite+" inline:"); err != nil || n != 2 {
				t.Errorf("%s is named %d times, want in the offer and in the answer: %v", suite, n, err)
			}
			saw(t, linphonePeer, "SRTP", "it is called, SRTP required by both sides (%s): %.0f %% and %.0f %% of the audio is the other side's tone", suite, 100*there, 100*back)
		})
	}
}

// It answers the challenge.
func TestLinphoneKnowsThePassword(t *testing.T) {
	t.Parallel()
	own(t)
	for _, algorithm := range []string{"SHA-256", "MD5"} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			g := start(t, lab, func(cfg *sip.Config) { cfg.Digest = []string{algorithm} })
			phone := startLinphone(t, linphoneConfig{user: "lab", rest: "[auth_info_0]\nusername=lab\npasswd=secret\nrealm=callgw\n"})
			phone.do("call sip:" + userTone + "@" + g.udp)
			phone.await("Media streams established")
			phone.do("terminate")
			wantCall(t, g, media.PCMU, media.CallerHungUp)
			saw(t, linphonePeer, "digest, challenged by callgw", "INVITE is answered 401, repeated with %s credentials, and answered", algorithm)
		})
	}
}

// It is told to call somebody else (RFC 3515), or to take over a call that is there
// already (RFC 5589 §7).
func TestLinphoneIsTransferred(t *testing.T) {
	t.Parallel()
	own(t)
	t.Run("the target answers", func(t *testing.T) {
		t.Parallel()
		phone, target := startLinphone(t, linphoneConfig{answers: true}), startLinphone(t, linphoneConfig{answers: true})
		g := start(t)
		call := place(t, g, sip.Dial{To: "sip:phone@" + phone.addr, From: "+14155550100"})
		phone.await("Media streams established")
		if err := call.call.Transfer(t.Context(), "sip:phone@"+target.addr); err != nil {
			t.Errorf("Transfer() = %v", err)
		}
		call.ended(t, media.Transferred)
		target.await("Media streams established")
		saw(t, linphonePeer, "transfer by REFER", "it calls the target, another linphone, tells by NOTIFY that it has answered, and callgw hangs up")
	})
	t.Run("the target is busy", func(t *testing.T) {
		t.Parallel()
		phone, target := startLinphone(t, linphoneConfig{answers: true}), listening(t, "uas_busy.xml")
		g := start(t)
		call := place(t, g, sip.Dial{To: "sip:phone@" + phone.addr, From: "+14155550100"})
		phone.await("Media streams established")
		err := call.call.Transfer(t.Context(), "sip:100@"+target.addr)
		var refused *sip.StatusError
		if !errors.As(err, &refused) || refused.Status != 486 {
			t.Errorf("Transfer() = %v", err)
		}
		call.end(t)
		target.wait(t)
		saw(t, linphonePeer, "transfer by REFER", "it calls the target, a SIPp that is busy, tells so by NOTIFY; the call goes on")
	})
	t.Run("attended", func(t *testing.T) {
		t.Parallel()
		phone, target := startLinphone(t, linphoneConfig{answers: true}), startLinphone(t, linphoneConfig{answers: true})
		g := start(t)
		call := place(t, g, sip.Dial{To: "sip:phone@" + phone.addr, From: "+14155550100"})
		asked := place(t, g, sip.Dial{To: "sip:phone@" + target.addr, From: "+14155550100"})
		phone.await("Media streams established")
		target.await("Media streams established")
		if err := call.call.TransferTo(t.Context(), asked.call); err != nil {
			t.Errorf("TransferTo() = %v", err)
		}
		call.ended(t, media.Transferred)
		if err := <-asked.over; media.CauseOf(err) != media.Transferred && media.CauseOf(err) != media.CallerHungUp {
			t.Errorf("the other call: %v", err)
		}
		target.await("Media streams established")
		saw(t, linphonePeer, "attended transfer", "it takes over callgw's call with another linphone by REFER with Replaces")
	})
}

// Either side hangs up before the answer.
func TestLinphoneEarlyHangUp(t *testing.T) {
	t.Parallel()
	own(t)
	t.Run("callgw cancels", func(t *testing.T) {
		t.Parallel()
		phone := startLinphone(t, linphoneConfig{})
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
		phone.await("ended")
		saw(t, linphonePeer, "CANCEL", "callgw calls it and gives up while it rings: it stops ringing")
	})
	t.Run("it declines", func(t *testing.T) {
		t.Parallel()
		phone := startLinphone(t, linphoneConfig{})
		g := start(t)
		failed := make(chan error, 1)
		go func() {
			_, err := g.server.Dial(t.Context(), sip.Dial{To: "sip:phone@" + phone.addr})
			failed <- err
		}()
		phone.await("Receiving new incoming call")
		phone.do("terminate")
		err := <-failed
		var refused *sip.StatusError
		if !errors.As(err, &refused) || media.CauseOf(err) != media.Rejected {
			t.Fatalf("Dial() = %v", err)
		}
		saw(t, linphonePeer, "refusals", "it declines with %d, and Dial fails with %v", refused.Status, media.CauseOf(err))
	})
	t.Run("it cancels", func(t *testing.T) {
		t.Parallel()
		phone := startLinphone(t, linphoneConfig{})
		g := start(t)
		phone.do("call sip:" + userRing + "@" + g.udp)
		phone.await("ringing")
		phone.do("terminate")
		wantCall(t, g, 0, media.CallerCancelled)
		saw(t, linphonePeer, "CANCEL", "it calls and gives up while callgw rings")
	})
}

// It hears how callgw rings before the answer.
func TestLinphoneHearsItRing(t *testing.T) {
	t.Parallel()
	own(t)
	g := start(t, func(cfg *sip.Config) { cfg.EarlyMedia = true })
	phone := startLinphone(t, linphoneConfig{})
	phone.do("call sip:" + userRing + "@" + g.udp)
	phone.await("early media")
	phone.do("terminate")
	wantCall(t, g, media.PCMU, media.CallerCancelled)
	saw(t, linphonePeer, "early media", "183 with a session description before the answer")
}

// logs waits until it has logged so many lines that begin like that.
func (l *linphone) logs(line string, n int) {
	l.t.Helper()
	eventually(l.t, "linphone logs "+line, func() bool {
		log, err := os.ReadFile(filepath.Join(l.dir, "log"))
		return err == nil && strings.Count(string(log), "\n"+line) >= n
	})
}
