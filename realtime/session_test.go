package realtime_test

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/realtime"
)

func TestASessionCarriesAudioAndEventsBothWays(t *testing.T) {
	heard := make(chan []byte, 1)
	provider := serve(t, func(p *peer) {
		p.open()
		var audio []byte
		for len(audio) < 1000 {
			audio = append(audio, p.expect("input_audio_buffer.append").audio(t)...)
		}
		heard <- audio
		p.send(`{"type":"input_audio_buffer.speech_started","event_id":"e3","audio_start_ms":120,"item_id":"i1"}`)
		p.send(`{"type":"response.output_audio.delta","response_id":"r1","item_id":"i2","output_index":0,"content_index":0,"delta":"` +
			base64.StdEncoding.EncodeToString([]byte("hello")) + `"}`)
		p.drain()
	})
	handler := record()
	s := newSession(t, realtime.Config{Providers: []realtime.Provider{provider}, Properties: ulaw, Handler: handler})

	want := bytes.Repeat([]byte("0123456789"), 100)
	s.Append(want[:400]) // before there is a socket
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	result := make(chan error, 1)
	go func() { result <- s.Run(t.Context()) }()
	s.Append(want[400:])

	if diff := cmp.Diff(want, receive(t, heard)); diff != "" {
		t.Errorf("audio at the server (-want +got):\n%s", diff)
	}
	await[realtime.SessionCreated](t, handler)
	await[realtime.SessionUpdated](t, handler)
	if diff := cmp.Diff(realtime.SpeechStarted{ItemID: "i1", AudioStartMS: 120}, await[realtime.SpeechStarted](t, handler)); diff != "" {
		t.Error(diff)
	}
	if got := receive(t, handler.audio); got != "r1/i2: hello" {
		t.Errorf("audio = %q", got)
	}
	if e := s.Effective(); e.ID != "sess_1" || e.ExpiresAt != 1756324832 || e.Output != realtime.FormatULaw {
		t.Errorf("effective = %+v", e)
	}
	s.Close()
	if err := receive(t, result); err != nil {
		t.Errorf("Run = %v", err)
	}
	stats := s.Stats()
	if stats.AudioIn != 1000 || stats.AudioOut != 5 || stats.Deltas != 1 || stats.AudioDropped != 0 {
		t.Errorf("stats = %+v", stats)
	}
}

func TestTheSessionTellsWhatTheServerSetOtherwise(t *testing.T) {
	for _, c := range []struct {
		name, echo string
		want       []string
	}{
		{"as asked, and more", `{"instructions":"A.","voice":"x","speed":1,"tools":[{"type":"function","name":"f","strict":true}],
			"audio":{"output":{"voice":"marin","speed":1.2000000476837158},"input":{"turn_detection":{"type":"server_vad","threshold":0.5,"silence_duration_ms":500,"idle_timeout_ms":null}}}}`, nil},
		{"nothing mentioned", `{"id":"s"}`, nil},
		{
			"otherwise", `{"instructions":"B.","tools":[],"audio":{"output":{"voice":"cedar"},"input":{"turn_detection":null}}}`,
			[]string{"audio.input.turn_detection", "audio.output.voice", "instructions", "tools"},
		},
		{
			"within", `{"tools":[{"name":"g"}],"audio":{"input":{"turn_detection":{"threshold":0.4}}}}`,
			[]string{"audio.input.turn_detection.threshold", "tools.name"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			handler := record()
			start(t, realtime.Config{
				Handler: handler,
				Properties: realtime.Properties{
					Instructions: "A.", Voice: "marin", Speed: new(1.2), Tools: []realtime.Tool{{Name: "f"}},
					TurnDetection: &realtime.TurnDetection{Threshold: new(0.5)},
				},
				Providers: providers(t, func(p *peer) {
					p.send(`{"type":"session.created","session":{}}`)
					p.expect("session.update")
					p.send(`{"type":"session.updated","session":` + c.echo + `}`)
					p.drain()
				}),
			})
			if diff := cmp.Diff(c.want, await[realtime.SessionUpdated](t, handler).Differs); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
