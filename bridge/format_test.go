package bridge_test

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/zaf/g711"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
)

func TestAProviderWithoutG711IsTranscodedAtTheEdge(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{Voice: realtimetest.Tone(2 * time.Second)})
	l := newLeg()
	c := call(t, l, bridge.Agent{
		Providers: []realtime.Provider{provider},
		Greeting:  bridge.Greeting{Say: "Greet."},
		Properties: realtime.Properties{
			InputAudioFormat: realtime.FormatPCM16, OutputAudioFormat: realtime.FormatPCM16,
		},
	})
	await(t, l.answered, "the answer")
	got := l.await(t, 90)
	want := realtimetest.ToneAudio(realtimetest.PCMU, 2*time.Second)[:len(got)]
	if snr := similarity(got, want); snr < 25 {
		t.Errorf("what the caller hears is %.1f dB above its distortion", snr)
	}
	l.speak(loud(400 * time.Millisecond))
	s := session(t, server, 0)
	waitEvent(t, s, "conversation.item.truncated", 1)
	if got := s.Truncations(); len(got) != 1 || got[0].AudioEndMS != 1800 || got[0].Error != nil {
		t.Errorf("truncations %+v, want one at 1800 ms", got)
	}
	// 24 kHz, two bytes a sample: six for each of the leg's, less the lookahead.
	if err := s.Wait(within(t), func() bool { return s.InputBytes() >= 6*3200-100 }); err != nil {
		t.Error(err)
	}
	end(t, c)
	if in := s.InputBytes(); in < 6*3200-100 || in > 6*3200 {
		t.Errorf("%d bytes at the provider for 3200 of the leg's", in)
	}
}

// similarity returns the ratio of a µ-law signal to its difference from another,
// in dB.
func similarity(got, want []byte) float64 {
	var signal, noise float64
	for i := range want {
		w := float64(g711.DecodeUlawFrame(want[i]))
		d := float64(g711.DecodeUlawFrame(got[i])) - w
		signal += w * w
		noise += d * d
	}
	return 10 * math.Log10(signal/(noise+1))
}

func TestPCMUnderTheNameOfG711IsNotPlayed(t *testing.T) {
	_, provider := serve(t, realtimetest.Config{Fault: func(int) realtimetest.Fault {
		return realtimetest.Fault{WrongAudio: true}
	}})
	l := newLeg()
	call(t, l, bridge.Agent{
		Providers: []realtime.Provider{provider},
		Greeting:  bridge.Greeting{Say: "Greet."},
	})
	if cause := l.cause(t); media.CauseOf(cause) != media.ProviderLost {
		t.Errorf("hung up for %v", cause)
	}
	if got := l.take(10); len(got) != 0 {
		t.Errorf("%d bytes of the wrong audio could be heard", len(got))
	}
}

func TestTheApologyForWrongAudioIsHeardWhole(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{
		Fault: func(int) realtimetest.Fault { return realtimetest.Fault{WrongAudio: true} },
	})
	l := newLeg()
	sorry := loud(200 * time.Millisecond)
	call(t, l, bridge.Agent{
		Providers: []realtime.Provider{provider},
		Greeting:  bridge.Greeting{Say: "Greet."},
		OnFailure: bridge.Failure{Audio: sorry},
	})
	waitEvent(t, session(t, server, 0), "response.done", 1)
	if got := l.await(t, 10); !bytes.Equal(got, sorry) {
		t.Errorf("%d bytes heard, want the recording's %d", len(got), len(sorry))
	}
	if cause := l.cause(t); media.CauseOf(cause) != media.ProviderLost {
		t.Errorf("hung up for %v", cause)
	}
}
