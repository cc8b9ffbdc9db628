package phone_test

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/phone"
)

// line carries a phone's audio: what it says is counted, what it hears is loud
// while speak says so. One frame each way every 20 ms, as a leg would.
func line(ctx context.Context, p *phone.Phone, speak func(sent int) bool) {
	loud, quiet := make([]byte, media.FrameBytes), make([]byte, media.FrameBytes)
	media.PCMU.FillSilence(quiet)
	for i := range loud {
		loud[i] = byte(0x10 + 0x80*(i/4%2))
	}
	tick := time.NewTicker(media.FrameDuration)
	defer tick.Stop()
	sent := 0
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		frame := make([]byte, media.FrameBytes)
		sent += p.Next(frame)
		if speak(sent) {
			p.Frame(loud)
		} else {
			p.Frame(quiet)
		}
	}
}

func TestTheLatencyOfAReplyIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := phone.New(phone.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		const said = 4000
		var spoken time.Time
		go line(ctx, p, func(sent int) bool {
			if sent == said && spoken.IsZero() {
				spoken = time.Now()
			}
			return !spoken.IsZero() && time.Since(spoken) >= 300*time.Millisecond &&
				time.Since(spoken) < time.Second
		})
		if err := p.Say(ctx, make([]byte, said)); err != nil {
			t.Fatal(err)
		}
		if err := p.AwaitSpeech(ctx, 100*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if err := p.AwaitQuiet(ctx, 400*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		r := p.Report()
		if len(r.Latencies) != 1 || r.Replies != 1 {
			t.Fatalf("%d replies with latencies %v", r.Replies, r.Latencies)
		}
		if got := r.Latencies[0]; got < 260*time.Millisecond || got > 320*time.Millisecond {
			t.Errorf("a reply after 300 ms measured as %v", got)
		}
		if len(r.Recording)%media.FrameBytes != 0 || !bytes.Contains(r.Recording, []byte{0x10, 0x10, 0x90}) {
			t.Errorf("the recording of %d bytes lacks what was heard", len(r.Recording))
		}
	})
}

func TestAReplyMayComeBeforeTheRecordingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := phone.New(phone.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		const said, silence = 4000, 16000 // of which the phone sends 2 s
		var spoken time.Time
		go line(ctx, p, func(sent int) bool {
			if sent >= said && spoken.IsZero() {
				spoken = time.Now()
			}
			return !spoken.IsZero() && time.Since(spoken) >= 300*time.Millisecond &&
				time.Since(spoken) < time.Second
		})
		recording := make([]byte, said+silence) // 0x00 is as loud as can be
		media.PCMU.FillSilence(recording[said:])
		if err := p.Say(ctx, recording); err != nil {
			t.Fatal(err)
		}
		waiting, stop := context.WithTimeout(ctx, time.Second)
		defer stop()
		if err := p.AwaitReply(waiting); err != nil {
			t.Fatalf("a reply that is over was not noticed: %v", err)
		}
		r := p.Report()
		if len(r.Latencies) != 1 {
			t.Fatalf("%d replies with latencies %v", r.Replies, r.Latencies)
		}
		if got := r.Latencies[0]; got < 260*time.Millisecond || got > 320*time.Millisecond {
			t.Errorf("a reply 300 ms after the last word measured as %v", got)
		}
	})
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	p := phone.New(phone.Config{})
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(media.CallerHungUp)
	if err := p.AwaitSpeech(ctx, 0); err != media.CallerHungUp {
		t.Errorf("AwaitSpeech returned %v", err)
	}
	if err := p.Say(ctx, []byte{1}); err != media.CallerHungUp {
		t.Errorf("Say returned %v", err)
	}
}

// A wait that goes on after its end keeps a processor busy: the clock of the bubble
// would never move, and the test would hang.
func TestWaitingForLongerSpeechEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := phone.New(phone.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		go line(ctx, p, func(int) bool { return true })
		if err := p.AwaitSpeech(ctx, 0); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		time.AfterFunc(10*time.Millisecond, cancel)
		if err := p.AwaitSpeech(ctx, time.Second); err != context.Canceled {
			t.Errorf("AwaitSpeech returned %v", err)
		}
		if took := time.Since(began); took != 10*time.Millisecond {
			t.Errorf("it took %v", took)
		}
	})
}

func TestAnALawCallIsSpokenAndRecorded(t *testing.T) {
	p := phone.New(phone.Config{Codec: media.PCMA})
	p.Frame([]byte{0xD5, 0x55})
	if got := p.Report().Recording; !bytes.Equal(got, []byte{0xFE, 0x7E}) {
		t.Errorf("A-law zeros are recorded as % x", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Say(ctx, []byte{0xFF}); err != context.Canceled {
		t.Fatalf("Say returned %v", err)
	}
	frame := make([]byte, 2)
	if n := p.Next(frame); n != 1 || frame[0] != 0xD5 {
		t.Errorf("µ-law silence is spoken as % x", frame[:n])
	}
}
