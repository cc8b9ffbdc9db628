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
	"github.com/callgw/callgw/internal/wav"
)

// A phone calls, plays a WAV file and records what it hears.
func TestBaresipTalksAndRecords(t *testing.T) {
	t.Parallel()
	baresip := peer(t, "baresip")
	g := start(t)
	dir := t.TempDir()

	for name, text := range map[string]string{
		"said.wav": string(linearWAV(tone(440, 10*time.Second))),
		"contacts": "",
		"accounts": "<sip:caller@127.0.0.1>;regint=0;audio_codecs=PCMU/8000/1\n",
		"config": fmt.Sprintf(`sip_listen 127.0.0.1:0
net_interface 127.0.0.1
audio_source aufile,%s
audio_player aubridge,nowhere
audio_alert aubridge,nowhere
snd_path %s
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_app account.so
module_app menu.so
`, filepath.Join(dir, "said.wav"), dir),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const talk = 4 // seconds, then it hangs up and quits
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	// aufile of baresip 1.0 only plays; sndfile is what records.
	cmd := exec.CommandContext(ctx, baresip, "-f", dir, "-t", fmt.Sprint(talk), "-e", fmt.Sprintf("d sip:%s@%s", userTone, g.udp))
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
	if len(heard) < 2*media.SampleRate {
		t.Errorf("the recording is %v long", media.Duration(int64(len(heard))))
	}
	if s := share(heard, 800); s < 0.9 {
		t.Errorf("%.0f %% of what baresip recorded is the gateway's tone", 100*s)
	}
	if e := wantCall(t, g, media.PCMU, media.CallerHungUp); e != nil {
		if len(e.heard) < 2*media.SampleRate {
			t.Errorf("the gateway heard %v", media.Duration(int64(len(e.heard))))
		}
		if s := share(e.heard, 440); s < 0.9 {
			t.Errorf("%.0f %% of what the gateway heard is baresip's file", 100*s)
		}
		saw(t, baresipPeer, "call in", "a call of 4 s over UDP: %.0f %% of what it recorded is the gateway's tone, %.0f %% of what the gateway heard is its file", 100*share(heard, 800), 100*share(e.heard, 440))
	}
}
