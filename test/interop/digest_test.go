package interop_test

import (
	"testing"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
)

// lab lets in who knows a password. SIPp 3.6 and baresip 1.0 look at the first
// challenge only, and know MD5 only.
func lab(cfg *sip.Config) {
	cfg.AcceptUnknown = false
	cfg.Digest = []string{"MD5"}
	cfg.Trunks = []sip.Trunk{{Name: "lab", Caller: sip.Credentials{Username: "lab", Password: "secret"}}}
}

// A phone answers the challenge.
func TestBaresipKnowsThePassword(t *testing.T) {
	t.Parallel()
	own(t)
	phone := startBaresip(t, baresipConfig{account: ";auth_user=lab;auth_pass=secret"})
	g := start(t, lab)
	phone.do("dial", "sip:"+userEcho+"@"+g.udp)
	phone.await("CALL_ESTABLISHED")
	phone.do("hangup", "")
	wantCall(t, g, media.PCMU, media.CallerHungUp)
	saw(t, baresipPeer, "digest, challenged by callgw", "INVITE is answered 401, repeated with MD5 credentials, and answered")
}

// SIPp's answer is of RFC 2069 or RFC 2617, as it likes.
func TestSIPpKnowsThePassword(t *testing.T) {
	t.Parallel()
	own(t)
	g := start(t, lab)
	scenario{file: "digest.xml", args: []string{"-au", "lab", "-ap", "secret"}}.run(t, g)
	wantCall(t, g, media.PCMU, media.CallerHungUp)
	saw(t, sippPeer, "digest, challenged by callgw", "INVITE is answered 401, repeated with MD5 credentials, and answered")
}
