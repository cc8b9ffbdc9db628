package interop_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/wav"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/sdp"
)

// A phone calls over TLS, with SRTP that both sides demand, and records what it hears.
func TestBaresipOverTLSWithSRTP(t *testing.T) {
	t.Parallel()
	baresip := peer(t, "baresip")
	if os.Getenv("CALLGW_SIP_TARGET") != "" {
		t.Skip("the tests are pointed at another gateway")
	}
	const modules = "/usr/lib/baresip/modules"
	if _, err := os.Stat(filepath.Join(modules, "srtp.so")); err != nil {
		missing(t, "baresip's SRTP module")
	}
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, cert, key)
	g := start(t, func(cfg *sip.Config) {
		cfg.AcceptUnknown = false
		cfg.Listen = []sip.Listen{{Network: "udp", Addr: "127.0.0.1:0"}, {Network: "tls", Addr: "127.0.0.1:0"}}
		cfg.TLS = sip.TLS{Cert: cert, Key: key}
		cfg.Trunks = []sip.Trunk{{
			Name: "phones", From: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, SRTP: sdp.SRTPRequired,
		}}
	})
	for name, text := range map[string]string{
		"said.wav": string(linearWAV(tone(440, 10*time.Second))),
		"contacts": "",
		"accounts": "<sip:caller@127.0.0.1;transport=tls>;regint=0;mediaenc=srtp-mand;audio_codecs=PCMU/8000/1\n",
		"config": fmt.Sprintf(`sip_listen 127.0.0.1:0
sip_cafile %s
sip_certificate %s
net_interface 127.0.0.1
audio_source aufile,%s
audio_player aubridge,nowhere
audio_alert aubridge,nowhere
snd_path %s
module_path %s
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module srtp.so
module_app account.so
module_app menu.so
`, cert, join(t, filepath.Join(dir, "both.pem"), cert, key), filepath.Join(dir, "said.wav"), dir, modules),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, baresip, "-f", dir, "-t", "4", "-e", fmt.Sprintf("d sip:%s@%s;transport=tls", userTone, g.tcp))
	out, err := cmd.CombinedOutput()
	if err != nil && ctx.Err() != nil {
		t.Fatalf("baresip: %v\n%s", err, out)
	}
	recordings, err := filepath.Glob(filepath.Join(dir, "dump-*-dec.wav"))
	if err != nil || len(recordings) != 1 {
		t.Fatalf("%d recordings: %v\n%s", len(recordings), err, out)
	}
	file, err := os.Open(recordings[0])
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	heard, err := wav.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if s := share(heard, 800); len(heard) < media.SampleRate || s < 0.9 {
		t.Errorf("baresip recorded %v, %.0f %% of it the gateway's tone", media.Duration(int64(len(heard))), 100*s)
	}
	e := wantCall(t, g, media.PCMU, media.CallerHungUp)
	if s := share(e.heard, 440); len(e.heard) < media.SampleRate || s < 0.9 {
		t.Errorf("the gateway heard %v, %.0f %% of it baresip's file", media.Duration(int64(len(e.heard))), 100*s)
	}
	saw(t, baresipPeer, "TLS and SRTP", "SIP over TLS and SRTP required by both sides: %.0f %% and %.0f %% of the audio is the other side's tone", 100*share(heard, 800), 100*share(e.heard, 440))
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
