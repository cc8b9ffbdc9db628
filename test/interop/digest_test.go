package interop_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

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
	baresip := peer(t, "baresip")
	if os.Getenv("CALLGW_SIP_TARGET") != "" {
		t.Skip("the tests are pointed at another gateway")
	}
	g := start(t, lab)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"contacts": "",
		"accounts": "<sip:lab@127.0.0.1>;regint=0;auth_user=lab;auth_pass=secret;audio_codecs=PCMU/8000/1\n",
		"config": `sip_listen 127.0.0.1:0
net_interface 127.0.0.1
audio_source aubridge,nowhere
audio_player aubridge,nowhere
audio_alert aubridge,nowhere
module_path /usr/lib/baresip/modules
module g711.so
module aubridge.so
module_app account.so
module_app menu.so
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, baresip, "-f", dir, "-t", "2", "-e", fmt.Sprintf("d sip:%s@%s", userEcho, g.udp))
	if out, err := cmd.CombinedOutput(); err != nil && ctx.Err() != nil {
		t.Fatalf("baresip: %v\n%s", err, out)
	}
	wantCall(t, g, media.PCMU, media.CallerHungUp)
	saw(t, baresipPeer, "digest, challenged by callgw", "INVITE is answered 401, repeated with MD5 credentials, and answered")
}

// SIPp's answer is of RFC 2069 or RFC 2617, as it likes.
func TestSIPpKnowsThePassword(t *testing.T) {
	t.Parallel()
	if os.Getenv("CALLGW_SIP_TARGET") != "" {
		t.Skip("the tests are pointed at another gateway")
	}
	g := start(t, lab)
	scenario{file: "digest.xml", args: []string{"-au", "lab", "-ap", "secret"}}.run(t, g)
	wantCall(t, g, media.PCMU, media.CallerHungUp)
	saw(t, sippPeer, "digest, challenged by callgw", "INVITE is answered 401, repeated with MD5 credentials, and answered")
}
