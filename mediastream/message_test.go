package mediastream_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/internal/contract"
	"github.com/callgw/callgw/mediastream"
)

func TestMessages(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		want mediastream.Parsed
	}{
		"connected": {
			`{"event":"connected","protocol":"Call","version":"1.0.0"}`,
			mediastream.Parsed{Event: "connected"},
		},
		"media, numerics as strings": {
			`{"event":"media","sequenceNumber":"4","media":{"track":"inbound","chunk":"2","timestamp":"25","payload":"/v8="},"streamSid":"MZ1"}`,
			mediastream.Parsed{Event: "media", Stream: "MZ1", Timestamp: 25, Chunk: 2, Audio: []byte{0xFE, 0xFF}},
		},
		"media, numerics as numbers, event last": {
			`{"media":{"payload":"/v8=","timestamp":25,"extra":[{}]},"streamSid":"MZ1","extra":null,"event":"media"}`,
			mediastream.Parsed{Event: "media", Stream: "MZ1", Timestamp: 25, Audio: []byte{0xFE, 0xFF}},
		},
		"media with escapes": {
			`{"event":"me\u0064ia","media":{"payload":"\/v8="}}`,
			mediastream.Parsed{Event: "media", Audio: []byte{0xFE, 0xFF}},
		},
		"media with something else than base64": {
			`{"event":"media","media":{"payload":"no+JhoaJjpz..."}}`,
			mediastream.Parsed{Event: "media", BadAudio: true},
		},
		"dtmf":  {`{"event":"dtmf","dtmf":{"track":"inbound_track","digit":"#"}}`, mediastream.Parsed{Event: "dtmf", Digit: "#"}},
		"mark":  {`{"event":"mark","mark":{"name":"g1.2"}}`, mediastream.Parsed{Event: "mark", Mark: "g1.2"}},
		"stop":  {`{"event":"stop","stop":{"callSid":"CA1"}}`, mediastream.Parsed{Event: "stop"}},
		"other": {`{"event":"weather","sky":{"blue":true}}`, mediastream.Parsed{}},
		"empty": {`{}`, mediastream.Parsed{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := mediastream.Parse([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if got.Audio != nil && len(got.Audio) == 0 {
				got.Audio = nil
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMalformedMessagesAreRefused(t *testing.T) {
	for _, text := range []string{
		``, `{`, `[]`, `"media"`, `{"event":"media"`, `{"event":1}`, `{"event":"media","media":[]}`,
		`{"event":"media","media":{"payload":1}}`, `{"event":"media","media":{"timestamp":"soon"}}`,
		`{"event":"mark","mark":"name"}`, `{"event":"media"}{}`, "{\"event\":\"\x01\"}",
	} {
		if got, err := mediastream.Parse([]byte(text)); err == nil {
			t.Errorf("%q was read as %+v", text, got)
		}
	}
}

func TestStart(t *testing.T) {
	const body = `{"event":"start","start":{"accountSid":"AC1","streamSid":"MZ1","callSid":"CA1",` +
		`"customParameters":{"t":"TOKEN","n":7},"mediaFormat":FORMAT}}`
	want := mediastream.Start{
		Stream: "MZ1", Account: "AC1", Call: "CA1",
		Parameters: map[string]string{"t": "TOKEN", "n": "7"}, Acceptable: true,
	}
	for format, acceptable := range map[string]bool{
		`{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}`:     true,
		`{"encoding":"audio/x-mulaw","sampleRate":"8000","channels":"1"}`: true,
		`{"encoding":"audio/x-mulaw","sampleRate":16000,"channels":1}`:    false,
		`{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":2}`:     false,
		`{"encoding":"audio/x-L16","sampleRate":8000,"channels":1}`:       false,
		`{}`: false,
	} {
		got, err := mediastream.ReadStart([]byte(strings.Replace(body, "FORMAT", format, 1)))
		if err != nil {
			t.Fatal(err)
		}
		want.Acceptable = acceptable
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", format, diff)
		}
	}
	for _, text := range []string{
		`{"event":"start"}`, `{"event":"start","start":{}}`, `{"event":"start","start":{"streamSid":"MZ1","mediaFormat":1}}`,
		`{"event":"start","start":{"streamSid":"MZ1","customParameters":"t"}}`,
	} {
		if _, err := mediastream.ReadStart([]byte(text)); err == nil {
			t.Errorf("%s was accepted", text)
		}
	}
}

func TestPublishedMessages(t *testing.T) {
	seen := 0
	for _, line := range contract.Lines(t, "twilio-messages.jsonl") {
		var example struct {
			Provider, Dir string
			Message       json.RawMessage
		}
		if err := json.Unmarshal(line, &example); err != nil {
			t.Fatal(err)
		}
		if example.Provider != "twilio" || example.Dir != "in" {
			continue
		}
		seen++
		var want struct {
			Event     string
			StreamSid string
			Media     struct{ Payload string }
			Dtmf      struct{ Digit string }
			Mark      struct{ Name string }
		}
		if err := json.Unmarshal(example.Message, &want); err != nil {
			t.Fatal(err)
		}
		got, err := mediastream.Parse(example.Message)
		if err != nil {
			t.Errorf("%s: %v", example.Message, err)
			continue
		}
		if got.Event != want.Event || got.Stream != want.StreamSid || got.Digit != want.Dtmf.Digit || got.Mark != want.Mark.Name {
			t.Errorf("%s was read as %+v", example.Message, got)
		}
		// The documentation abbreviates its payloads, which makes them faulty.
		if abbreviated := strings.HasSuffix(want.Media.Payload, "..."); got.BadAudio != abbreviated {
			t.Errorf("%s: bad audio %v", example.Message, got.BadAudio)
		}
		if want.Event == "start" {
			st, err := mediastream.ReadStart(example.Message)
			if err != nil || !st.Acceptable || st.Call == "" || st.Account == "" || st.Parameters["FirstName"] != "Jane" {
				t.Errorf("%s: %+v, %v", example.Message, st, err)
			}
		}
	}
	if seen != 7 {
		t.Errorf("%d messages from Twilio, want 7", seen)
	}
}

// FuzzParse holds the parser against encoding/json: what it accepts must mean
// the same there.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"event":"media","sequenceNumber":"4","media":{"track":"inbound","chunk":"2","timestamp":"5","payload":"/v8="},"streamSid":"MZ1"}`,
		`{"event":"mark","mark":{"name":"g1.2"},"streamSid":"MZ\u0031"}`,
		`{"event":"start","start":{"streamSid":"MZ1","customParameters":{"t":"x"},"mediaFormat":{"sampleRate":8000}}}`,
		`{"event":"dtmf","dtmf":{"digit":"1"}}`, `{"event":"stop","stop":{}}`, `{`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := mediastream.Parse(text)
		if err != nil {
			return
		}
		if !json.Valid(text) {
			t.Fatalf("%q is not JSON, but was read as %+v", text, got)
		}
		if got.Event == "start" {
			_, _ = mediastream.ReadStart(text) // must not panic
		}
		_, _, _, _ = mediastream.ParseMark([]byte(got.Mark))
	})
}

func TestOutboundMessages(t *testing.T) {
	e := mediastream.NewEncoder("MZ1")
	for _, tt := range []struct {
		write func() []byte
		want  string
	}{
		{func() []byte { return e.Media([]byte{0xFE, 0xFF}) }, `{"event":"media","streamSid":"MZ1","media":{"payload":"/v8="}}`},
		{func() []byte { return e.Mark(3, 14) }, `{"event":"mark","streamSid":"MZ1","mark":{"name":"g3.14"}}`},
		{func() []byte { return e.Probe(15) }, `{"event":"mark","streamSid":"MZ1","mark":{"name":"p15"}}`},
	} {
		if got := string(tt.write()); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}

func TestMarkNames(t *testing.T) {
	type mark struct {
		Gen, Seq  uint64
		Probe, OK bool
	}
	for name, want := range map[string]mark{
		"g0.1": {0, 1, false, true}, "g12.345": {12, 345, false, true}, "p7": {0, 7, true, true},
	} {
		gen, seq, probe, ok := mediastream.ParseMark([]byte(name))
		if got := (mark{gen, seq, probe, ok}); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	for _, name := range []string{"", "g", "g1", "g1.", "g.1", "gx.1", "g1.2x", "p", "px", "p1x", "my label", "g1.9999999999999999999999"} {
		if _, _, _, ok := mediastream.ParseMark([]byte(name)); ok {
			t.Errorf("%q was accepted", name)
		}
	}
}

// media returns a media message as Twilio sends it.
func mediaMessage(audio []byte) []byte {
	return []byte(`{"event":"media","sequenceNumber":"1234","media":{"track":"inbound","chunk":"1233","timestamp":"24660","payload":"` +
		base64.StdEncoding.EncodeToString(audio) + `"},"streamSid":"MZ0123456789abcdef0123456789abcdef"}`)
}

func TestMessagesOfTheFramePathDoNotAllocate(t *testing.T) {
	audio := speech(160)
	text, d := mediaMessage(audio), mediastream.NewDecoder()
	e, piece := mediastream.NewEncoder("MZ0123456789abcdef0123456789abcdef"), speech(800)
	e.Media(piece)
	if got, err := d.Decode(text); err != nil || !bytes.Equal(got, audio) {
		t.Fatalf("%x, %v", got, err)
	}
	if n := testing.AllocsPerRun(1000, func() { _, _ = d.Decode(text) }); n != 0 {
		t.Errorf("decoding allocates %v times a frame", n)
	}
	if n := testing.AllocsPerRun(1000, func() { e.Media(piece); e.Mark(1, 2) }); n != 0 {
		t.Errorf("encoding allocates %v times a chunk", n)
	}
}

func BenchmarkDecodeFrame(b *testing.B) {
	text, d := mediaMessage(speech(160)), mediastream.NewDecoder()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Decode(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeChunk(b *testing.B) {
	e, piece := mediastream.NewEncoder("MZ0123456789abcdef0123456789abcdef"), speech(800)
	b.ReportAllocs()
	for b.Loop() {
		e.Media(piece)
		e.Mark(1, 2)
	}
}
