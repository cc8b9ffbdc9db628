package interop_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
)

// brief makes session timers short enough to be waited for.
func brief(cfg *sip.Config) {
	cfg.SessionExpires, cfg.MinSessionExpires = 4*time.Second, 2*time.Second
}

// own skips a test of what only a gateway with that configuration does.
func own(t *testing.T) {
	t.Helper()
	if os.Getenv("CALLGW_SIP_TARGET") != "" {
		t.Skip("the other gateway is configured otherwise")
	}
}

func TestSIPpSessionTimers(t *testing.T) {
	t.Parallel()
	own(t)
	for file, want := range map[string]struct {
		cause media.Cause
		seen  string
	}{
		"session_caller.xml":  {media.CallerHungUp, "the caller refreshes; the call outlasts two refreshes"},
		"session_gateway.xml": {media.CallerHungUp, "callgw refreshes by re-INVITE; the call outlasts two refreshes"},
		"session_update.xml":  {media.CallerHungUp, "callgw refreshes by UPDATE; the call outlasts two refreshes"},
		"session_brief.xml":   {media.CallerHungUp, "an interval that is too brief is answered 422 with Min-SE, and the next one accepted"},
		"session_lapse.xml":   {media.LegFailed, "the refresher falls silent, and callgw ends the call"},
	} {
		t.Run(strings.TrimSuffix(file, ".xml"), func(t *testing.T) {
			t.Parallel()
			g := start(t, brief)
			scenario{file: file}.run(t, g)
			wantCall(t, g, media.PCMU, want.cause)
			saw(t, sippPeer, "session timer", "%s", want.seen)
		})
	}
}

func TestSIPpReliableRinging(t *testing.T) {
	t.Parallel()
	own(t)
	for _, file := range []string{"prack.xml", "prack_late_offer.xml"} {
		t.Run(strings.TrimSuffix(file, ".xml"), func(t *testing.T) {
			t.Parallel()
			g := start(t, func(cfg *sip.Config) { cfg.EarlyMedia = file == "prack.xml" })
			scenario{file: file}.run(t, g)
			wantCall(t, g, media.PCMU, media.CallerHungUp)
			saw(t, sippPeer, "PRACK", "callgw rings reliably and answers after the PRACK (%s)", file)
		})
	}
}

func TestSIPpEarlyMedia(t *testing.T) {
	t.Parallel()
	own(t)
	g := start(t, func(cfg *sip.Config) { cfg.EarlyMedia = true })
	scenario{file: "early_media.xml"}.run(t, g)
	wantCall(t, g, media.PCMU, media.CallerHungUp)
	saw(t, sippPeer, "early media", "183 with a session description before the answer")
}

func TestSIPpRedirect(t *testing.T) {
	t.Parallel()
	own(t)
	scenario{file: "redirected.xml", user: userAway}.run(t, start(t))
	saw(t, sippPeer, "redirect", "302 with the number to call in Contact")
}

func TestSIPpTransfer(t *testing.T) {
	t.Parallel()
	own(t)
	for _, test := range []struct {
		file  string
		cause media.Cause
		words string // of the error, "" for none
	}{
		{"refer.xml", media.Transferred, ""},
		{"refer_busy.xml", media.CallerHungUp, "the target is busy"},
		{"refer_refused.xml", media.CallerHungUp, "the far end refuses"},
		{"refer_silent.xml", media.CallerHungUp, "the far end has not told"},
	} {
		t.Run(strings.TrimSuffix(test.file, ".xml"), func(t *testing.T) {
			t.Parallel()
			g := start(t, func(cfg *sip.Config) { cfg.TransferTimeout = 1500 * time.Millisecond })
			scenario{file: test.file, user: userMove}.run(t, g)
			e := wantCall(t, g, media.PCMU, test.cause)
			if err := e.transferred; (err == nil) != (test.words == "") || err != nil && !strings.Contains(err.Error(), test.words) {
				t.Errorf("Transfer() = %v, want %q", err, test.words)
			}
			outcome := "NOTIFY tells of success, and callgw hangs up"
			if test.words != "" {
				outcome = "the transfer fails with: " + test.words + "; the call goes on"
			}
			saw(t, sippPeer, "transfer by REFER", "%s", outcome)
		})
	}
}

// SIPp refuses REFER, so its callers are passed on to another SIPp.
func TestSIPpTransferByASecondCall(t *testing.T) {
	t.Parallel()
	own(t)
	target := listening(t, "uas_early.xml")
	g := start(t, func(cfg *sip.Config) {
		cfg.Trunks = []sip.Trunk{{Name: "pbx", From: loopback, Server: "sip:" + target.addr, Transfer: sip.TransferEither}}
	})
	scenario{file: "refer_refused.xml", user: userMove, replace: map[string]string{`milliseconds="500"`: `milliseconds="2000"`}}.run(t, g)
	e := wantCall(t, g, media.PCMU, media.Transferred)
	if e.transferred != nil {
		t.Errorf("Transfer() = %v", e.transferred)
	}
	target.wait(t)
	saw(t, sippPeer, "transfer by a second call", "REFER is refused, and the audio is relayed to a second SIPp")
}

func TestSIPpIsCalled(t *testing.T) {
	t.Parallel()
	own(t)
	for _, test := range []struct {
		file   string
		cause  media.Cause // of Dial's error, 0 if it is answered
		status int         // of that error
	}{
		{"uas_answer.xml", 0, 0},
		{"uas_early.xml", 0, 0},
		{"uas_session.xml", 0, 0},
		{"uas_busy.xml", media.Busy, 486},
		{"uas_ring.xml", media.NoAnswer, 0},
	} {
		t.Run(strings.TrimSuffix(test.file, ".xml"), func(t *testing.T) {
			t.Parallel()
			p := listening(t, test.file)
			g := start(t, brief)
			if test.file == "uas_answer.xml" {
				g = start(t)
			}
			call, err := g.server.Dial(t.Context(), sip.Dial{To: "sip:100@" + p.addr, From: "+14155550100", RingTimeout: 3 * time.Second})
			if test.cause != 0 {
				var refused *sip.StatusError
				if errors.As(err, &refused); media.CauseOf(err) != test.cause || refused != nil && refused.Status != test.status {
					t.Errorf("Dial() = %v", err)
				}
				p.wait(t)
				saw(t, sippPeer, "call out", "%s: Dial fails with %v", strings.TrimSuffix(test.file, ".xml"), test.cause)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			lasts := time.Second
			if test.file == "uas_session.xml" {
				lasts = 4500 * time.Millisecond // two refreshes
			}
			ctx, cancel := context.WithTimeoutCause(t.Context(), lasts, media.AgentHungUp)
			defer cancel()
			e := &echo{tone: tone(800, time.Second)}
			if err := call.Run(ctx, e, e); media.CauseOf(err) != media.AgentHungUp {
				t.Errorf("Run() = %v", err)
			}
			p.wait(t)
			saw(t, sippPeer, "call out", "%s: answered, audio in %v, hung up by callgw after %v", strings.TrimSuffix(test.file, ".xml"), call.Codec(), lasts)
		})
	}
}
