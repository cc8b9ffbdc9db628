package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/caller"
	"github.com/callgw/callgw/internal/wav"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// recorded writes a recording, of which no frame is like another, and returns it.
func recorded(t *testing.T, d time.Duration) (path string, audio []byte) {
	t.Helper()
	audio = tone(realtimetest.PCMU, time.Second+d)[media.Bytes(time.Second):]
	path = filepath.Join(t.TempDir(), "clip.wav")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := wav.Write(f, audio); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path, audio
}

// TestARecordedGreetingIsHeardWithTheFirstPacket also looks at the stream of
// packets: without a gap, silence when there is nothing to say.
func TestARecordedGreetingIsHeardWithTheFirstPacket(t *testing.T) {
	t.Parallel()
	path, clip := recorded(t, time.Second)
	g := start(t, Setup{Agent: fmt.Sprintf("greeting: {file: %q, text: Hello.}", path)})
	l := call(t, g, lineConfig{})
	l.until(patience, "two seconds", func() bool { return len(l.packets) >= 100 })
	l.bye()
	packets := l.heard()
	var heard []byte
	for i, p := range packets {
		heard = append(heard, p.payload...)
		if i == 0 {
			if !p.marker {
				t.Error("the first packet begins a talkspurt and does not say so")
			}
			continue
		}
		last := packets[i-1]
		if p.sequence != last.sequence+1 || p.ssrc != last.ssrc || p.kind != 0 || len(p.payload) != media.FrameBytes {
			t.Fatalf("packet %d after %d: kind %d, %d bytes, SSRC %x after %x", p.sequence, last.sequence, p.kind, len(p.payload), p.ssrc, last.ssrc)
		}
		// A late pacer leaves frames out, and their time with them.
		if step := p.timestamp - last.timestamp; step%media.FrameBytes != 0 || step == 0 {
			t.Errorf("a timestamp goes on by %d", step)
		}
	}
	if !bytes.HasPrefix(heard, clip) {
		t.Errorf("of the recording only the first %d bytes of %d were heard with the first packet", common(heard, clip), len(clip))
	}
	for _, p := range packets[len(clip)/media.FrameBytes:] {
		if !l.silent(p) || p.marker {
			t.Fatalf("after the greeting: marker %v, % x…", p.marker, p.payload[:8])
		}
	}
	lasted := packets[len(packets)-1].at.Sub(packets[0].at)
	if want := time.Duration(len(packets)-1) * media.FrameDuration; (lasted - want).Abs() > slack {
		t.Errorf("%d packets took %v, not %v", len(packets), lasted, want)
	}
	s := g.Session(0)
	if items := s.Items(); len(items) != 1 || items[0].Role != "assistant" || items[0].Content[0].Text != "Hello." {
		t.Errorf("the model knows of the greeting: %+v", items)
	}
}

// TestTheModelsGreetingIsHeardWithTheFirstPacket: the answer waits for it.
func TestTheModelsGreetingIsHeardWithTheFirstPacket(t *testing.T) {
	t.Parallel()
	g := start(t, Setup{Agent: "greeting: {say: Sing.}", Provider: realtimetest.Config{
		Voice: singing(time.Second), Pace: &realtimetest.Pace{Latency: 300 * time.Millisecond, Rate: 3},
	}})
	l := call(t, g, lineConfig{})
	l.until(patience, "a packet", func() bool { return len(l.packets) > 0 })
	if p := l.heard()[0]; !bytes.Equal(p.payload, tone(realtimetest.PCMU, time.Second)[:media.FrameBytes]) {
		t.Errorf("the first packet is not the greeting's first frame: % x…", p.payload[:8])
	}
	l.bye()
}

// TestAnApologyIsHeardWhenNoProviderOpens has a recording for a call that nobody
// can take.
func TestAnApologyIsHeardWhenNoProviderOpens(t *testing.T) {
	t.Parallel()
	path, clip := recorded(t, time.Second)
	setup := Setup{
		Agent:    fmt.Sprintf("on_failure: {play: %q}", path),
		Provider: realtimetest.Config{Fault: refusing},
	}
	t.Run(sipLeg, func(t *testing.T) {
		t.Parallel()
		g := start(t, setup)
		l := call(t, g, lineConfig{})
		bye := l.sip.Expect("BYE")
		l.sip.Reply(bye, 200, "OK")
		l.until(patience, "the last packet", func() bool { return len(l.packets) >= len(clip)/media.FrameBytes })
		var heard []byte
		for _, p := range l.heard() {
			heard = append(heard, p.payload...)
		}
		if !bytes.HasPrefix(heard, clip) {
			t.Errorf("of the apology the first %d bytes of %d were heard", common(heard, clip), len(clip))
		}
		w, _ := g.Calls.Await(t, 0, bridge.EventEnded)
		g.saysWhy(w, "provider_refused")
	})
	t.Run(streamLeg, func(t *testing.T) {
		t.Parallel()
		g := start(t, setup)
		call, err := caller.Dial(within(t), g.target(streamLeg))
		if err != nil {
			t.Fatal(err)
		}
		await(t, call.Done(), "the gateway to hang up")
		var heard []byte
		for _, piece := range call.Stream().Recording() {
			heard = append(heard, piece.Audio...)
		}
		sameAudio(t, "the apology", heard, clip)
		w, _ := g.Calls.Await(t, 0, bridge.EventEnded)
		g.saysWhy(w, "provider_refused")
	})
}

// TestAnApologyIsHeardWhenTheProviderIsLost interrupts a tone by losing the
// provider.
func TestAnApologyIsHeardWhenTheProviderIsLost(t *testing.T) {
	t.Parallel()
	path, clip := recorded(t, time.Second)
	for _, leg := range legs {
		t.Run(leg, func(t *testing.T) {
			t.Parallel()
			g := start(t, Setup{
				Agent:    fmt.Sprintf("on_failure: {play: %q}", path),
				Provider: realtimetest.Config{Voice: singing(20 * time.Second)},
			})
			p := g.phone(leg, 0)
			if err := p.Phone.AwaitSpeech(within(t), 200*time.Millisecond); err != nil {
				t.Fatal(err)
			}
			p.Session.Drop()
			p.Ends(3*time.Second, "provider_lost")
			// A phone may stop to listen before the last packet, once it knows.
			clip := clip[:len(clip)-2*media.FrameBytes]
			if heard := p.Phone.Report().Recording; !bytes.Contains(heard, clip) {
				t.Errorf("of the apology %d bytes of %d are in the %v that were heard",
					common(from(heard, clip), clip), len(clip), media.Duration(int64(len(heard))))
			}
		})
	}
}
