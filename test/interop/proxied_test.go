package interop_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
)

// softphone starts a linphone that is a user of k, for sessions of six seconds that
// the called side, "1", or the caller, "2", refreshes.
func (k *kamailio) softphone(t *testing.T, user, refresher string) *linphone {
	t.Helper()
	phone := startLinphone(t, linphoneConfig{answers: true, user: user, sip: timers + refresher, rest: fmt.Sprintf(`[proxy_0]
reg_proxy=<sip:127.0.0.1:%d>
reg_route=<sip:127.0.0.1:%d;lr>
reg_identity=sip:%s@127.0.0.1
reg_sendregister=1
reg_expires=60
[auth_info_0]
username=%s
passwd=secret
realm=callgw.test
`, k.port, k.port, user, user)})
	phone.logs("SIP/2.0 200 OK", 1)
	return phone
}

// sixSeconds makes sessions as brief as the softphone's.
func sixSeconds(cfg *sip.Config) {
	cfg.SessionExpires, cfg.MinSessionExpires = 6*time.Second, 2*time.Second
}

// A softphone and callgw are users of a proxy that stays in the path: all that happens
// in a call goes through it.
func TestLinphoneBehindKamailio(t *testing.T) {
	t.Parallel()
	own(t)
	t.Run("it is called", func(t *testing.T) {
		t.Parallel()
		k := startKamailio(t, "SHA-256")
		phone := k.softphone(t, "101", "1")
		g, _ := k.registered(t, "100", "tcp", sixSeconds)
		target, _ := k.registered(t, userTone, "udp")
		call := place(t, g, sip.Dial{Trunk: "pbx", To: "101"})
		phone.await("Media streams established")
		call.hears(t, time.Second)

		if err := call.call.SendDigits(t.Context(), "5"); err != nil {
			t.Errorf("SendDigits() = %v", err)
		}
		phone.await("Receiving tone 5")
		phone.do("7")
		call.pressed(t, "7")
		phone.do("pause")
		call.held(t, true)
		phone.await("paused")
		phone.do("resume")
		call.held(t, true, false)
		phone.logs("UPDATE sip:callgw@", 2)

		if err := call.call.Transfer(t.Context(), userTone); err != nil {
			t.Errorf("Transfer() = %v", err)
		}
		call.ended(t, media.Transferred)
		moved := target.talking(t)
		moved.hears(t, time.Second)
		phone.do("terminate")
		if e := target.ended(t, 1)[0]; e.cause != media.CallerHungUp {
			t.Errorf("the target: %v", e.cause)
		}
		saw(t, kamailioPeer, "DTMF out", "through the proxy: linphone tells of the key 5")
		saw(t, kamailioPeer, "DTMF in", "through the proxy: linphone's key 7")
		saw(t, kamailioPeer, "hold and resume", "linphone holds and resumes through the proxy")
		saw(t, kamailioPeer, "session timer", "the called side, linphone, refreshes by UPDATE through the proxy; the call outlasts two refreshes")
		saw(t, kamailioPeer, "transfer by REFER", "through the proxy: linphone calls the target, tells by NOTIFY that it has answered, and callgw hangs up")
		saw(t, linphonePeer, "registration and digest", "it is registered at Kamailio, and called there by callgw")
	})
	t.Run("it calls", func(t *testing.T) {
		t.Parallel()
		k := startKamailio(t, "SHA-256")
		phone := k.softphone(t, "101", "1")
		g, _ := k.registered(t, userTone, "tls", sixSeconds)
		phone.do("call sip:" + userTone + "@127.0.0.1")
		phone.await("Media streams established")
		e := g.talking(t)
		phone.logs("UPDATE sip:101@", 2)
		phone.do("terminate")
		wantCall(t, g, media.PCMU, media.CallerHungUp)
		saw(t, kamailioPeer, "session timer", "the called side, callgw, refreshes by UPDATE through the proxy (TLS to UDP); the call outlasts two refreshes, %.0f %% of what is heard is the tone", 100*e.heardShare(t, 440))
	})
}
