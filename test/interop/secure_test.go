package interop_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/sdp"
)

// secured starts a gateway that takes calls over TLS alone, with SRTP, from phones on
// loopback, and returns the directory with cert.pem and key.pem.
func secured(t *testing.T) (*gateway, string) {
	t.Helper()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, cert, key)
	return start(t, func(cfg *sip.Config) {
		cfg.AcceptUnknown = false
		cfg.Listen = []sip.Listen{{Network: "udp", Addr: "127.0.0.1:0"}, {Network: "tls", Addr: "127.0.0.1:0"}}
		cfg.TLS = sip.TLS{Cert: cert, Key: key}
		cfg.Trunks = []sip.Trunk{{Name: "phones", From: loopback, CA: cert, SRTP: sdp.SRTPRequired}}
	}), dir
}

// A phone calls over TLS, with SRTP that both sides demand, and records what it hears.
func TestBaresipOverTLSWithSRTP(t *testing.T) {
	t.Parallel()
	own(t)
	g, dir := secured(t)
	phone := startBaresip(t, baresipConfig{secure: dir})
	phone.do("dial", "sip:"+userTone+"@"+g.tcp+";transport=tls")
	phone.await("CALL_ESTABLISHED")
	phone.talks(3 * time.Second)
	phone.do("hangup", "")
	phone.await("CALL_CLOSED")
	e := wantCall(t, g, media.PCMU, media.CallerHungUp)
	there, back := phone.heard(800), e.heardShare(t, 440)
	saw(t, baresipPeer, "TLS and SRTP", "it calls over TLS, SRTP required by both sides: %.0f %% and %.0f %% of the audio is the other side's tone", 100*there, 100*back)
}

// It is called in the same way.
func TestBaresipIsCalledOverTLSWithSRTP(t *testing.T) {
	t.Parallel()
	own(t)
	g, dir := secured(t)
	phone := startBaresip(t, baresipConfig{secure: dir, account: ";answermode=auto"})
	call := place(t, g, sip.Dial{Trunk: "phones", To: "sip:phone@" + phone.addr + ";transport=tls", From: "+14155550100"})
	phone.await("CALL_ESTABLISHED")
	call.hears(t, 2*time.Second)
	call.end(t)
	phone.await("CALL_CLOSED")
	there, back := phone.heard(800), call.heardShare(t, 440)
	saw(t, baresipPeer, "hang-up by callgw", "BYE, over TLS")
	saw(t, baresipPeer, "TLS and SRTP", "it is called over TLS, SRTP required by both sides: %.0f %% and %.0f %% of the audio is the other side's tone", 100*there, 100*back)
}

// join writes files one after the other into another and returns its name.
func join(t *testing.T, name string, files ...string) string {
	t.Helper()
	var all []byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	if err := os.WriteFile(name, all, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
