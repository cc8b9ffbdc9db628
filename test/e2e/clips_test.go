package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
	for i, p := range packets[len(clip)/media.FrameBytes:] {
		last := packets[len(clip)/media.FrameBytes+i-1]
		inTime := p.timestamp-last.timestamp == media.FrameBytes
		if !l.silent(p) || p.marker && inTime {
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
		apology(t, l, clip)
		if first := l.heard()[0].payload; !bytes.Equal(first, clip[:media.FrameBytes]) {
			t.Errorf("the first packet is not the apology's first frame: % x…", first[:8])
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
		sameAudio(t, "the apology", played(call.Stream()), clip)
		w, _ := g.Calls.Await(t, 0, bridge.EventEnded)
		g.saysWhy(w, "provider_refused")
	})
}

// TestAnApologyIsHeardWhenTheProviderIsLost interrupts a tone by losing the
// provider.
func TestAnApologyIsHeardWhenTheProviderIsLost(t *testing.T) {
	t.Parallel()
	path, clip := recorded(t, time.Second)
	setup := func(provider *outage) Setup {
		return Setup{
			Agent:    fmt.Sprintf("on_failure: {play: %q}", path),
			Provider: realtimetest.Config{Voice: singing(20 * time.Second), Fault: provider.fault},
		}
	}
	t.Run(sipLeg, func(t *testing.T) {
		t.Parallel()
		var provider outage
		g := start(t, setup(&provider))
		l := call(t, g, lineConfig{})
		l.until(patience, "the tone", func() bool { return len(l.packets) > 10 })
		provider.Store(true)
		g.Session(0).Drop()
		apology(t, l, clip)
		w, _ := g.Calls.Await(t, 0, bridge.EventEnded)
		g.saysWhy(w, "provider_lost")
	})
	t.Run(streamLeg, func(t *testing.T) {
		t.Parallel()
		var provider outage
		g := start(t, setup(&provider))
		p := g.phone(streamLeg, 0)
		if err := p.Phone.AwaitSpeech(within(t), 200*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		provider.Store(true)
		p.Session.Drop()
		p.Ends(patience, "provider_lost")
		if got := from(played(p.Stream()), clip); !bytes.Equal(got, clip) {
			t.Errorf("of the apology the first %d bytes of %d were heard", common(got, clip), len(clip))
		}
	})
}

// apology waits for a BYE and for the whole recording before it.
func apology(t *testing.T, l *line, clip []byte) {
	t.Helper()
	l.sip.Reply(l.sip.Expect("BYE"), 200, "OK")
	// The last packet and the BYE leave at the same time.
	ends := clip[len(clip)-media.FrameBytes:]
	l.until(patience, "the last packet", func() bool {
		return slices.ContainsFunc(l.packets, func(p packet) bool { return bytes.Equal(p.payload, ends) })
	})
	var heard []byte
	for _, p := range l.heard() {
		heard = append(heard, p.payload...)
	}
	if got := from(heard, clip); !bytes.Equal(got, clip) {
		t.Errorf("of the apology the first %d bytes of %d were heard", common(got, clip), len(clip))
	}
}
