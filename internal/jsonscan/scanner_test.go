package jsonscan_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/callgw/callgw/internal/jsonscan"
)

const media = `{"event":"media","sequenceNumber":"4","media":{"track":"inbound","chunk":"2","timestamp":"5","payload":"AAAA"},"streamSid":"MZ18ad3ab5a668481ce02b83e7395059f0"}`

type frame struct {
	event, payload, sid string
	sequence, timestamp int64
}

func scanMedia(msg string) (f frame, err error) {
	var s jsonscan.Scanner
	s.Reset([]byte(msg))
	for s.Next() {
		switch string(s.Key()) {
		case "event":
			f.event = string(s.Bytes())
		case "sequenceNumber":
			f.sequence = s.LooseInt()
		case "streamSid":
			f.sid = string(s.Bytes())
		case "media":
			m := s.Object()
			for m.Next() {
				switch string(m.Key()) {
				case "timestamp":
					f.timestamp = m.LooseInt()
				case "payload":
					f.payload = string(m.Bytes())
				}
			}
			if err := m.Err(); err != nil {
				return f, err
			}
		}
	}
	return f, s.Err()
}

func TestMediaMessage(t *testing.T) {
	want := frame{"media", "AAAA", "MZ18ad3ab5a668481ce02b83e7395059f0", 4, 5}
	numbers := strings.NewReplacer(`"4"`, `4`, `"2"`, `2`, `"5"`, `5`).Replace(media)
	spaced := " " + strings.NewReplacer(":", " :\t", ",", "\r\n, ", "{", "{ ", "}", " }").Replace(media) + "\n"
	for name, msg := range map[string]string{"strings": media, "numbers": numbers, "spaced": spaced} {
		got, err := scanMedia(msg)
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, err, want)
		}
	}
}

func TestFaultsEndTheScan(t *testing.T) {
	deep := func(n int) string { return `{"x":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}` }
	for _, c := range []struct {
		name, msg string
		want      error
	}{
		{"empty", ``, jsonscan.ErrSyntax},
		{"not an object", `["event"]`, jsonscan.ErrSyntax},
		{"cut off", media[:len(media)-1], jsonscan.ErrSyntax},
		{"trailing garbage", media + "x", jsonscan.ErrSyntax},
		{"second value", media + media, jsonscan.ErrSyntax},
		{"trailing comma", `{"a":1,}`, jsonscan.ErrSyntax},
		{"missing colon", `{"a" 1}`, jsonscan.ErrSyntax},
		{"missing value", `{"a":}`, jsonscan.ErrSyntax},
		{"bare word", `{"a":nul}`, jsonscan.ErrSyntax},
		{"leading zero", `{"a":01}`, jsonscan.ErrSyntax},
		{"wrong bracket", `{"a":[1}}`, jsonscan.ErrSyntax},
		{"control byte in a skipped string", "{\"a\":\"x\ny\"}", jsonscan.ErrSyntax},
		{"control byte in a long string", "{\"a\":\"" + strings.Repeat("x", 33) + "\x1f" + strings.Repeat("x", 40) + "\"}", jsonscan.ErrSyntax},
		{"bad escape in a skipped string", `{"a":"\x"}`, jsonscan.ErrSyntax},
		{"bad hexadecimal in a skipped string", `{"a":"\u12g4"}`, jsonscan.ErrSyntax},
		{"number for a string", `{"event":1}`, jsonscan.ErrType},
		{"object for a number", `{"sequenceNumber":{}}`, jsonscan.ErrType},
		{"word for a number", `{"sequenceNumber":"four"}`, jsonscan.ErrType},
		{"fraction", `{"sequenceNumber":1.5}`, jsonscan.ErrType},
		{"number for an object", `{"media":1}`, jsonscan.ErrType},
		{"number too large", `{"sequenceNumber":9223372036854775808}`, jsonscan.ErrRange},
		{"number too small", `{"sequenceNumber":"-9223372036854775809"}`, jsonscan.ErrRange},
		{"escape in a value that is asked for", `{"event":"m\u0065dia"}`, jsonscan.ErrEscaped},
		{"escaped slash in base64", `{"media":{"payload":"\/\/8="}}`, jsonscan.ErrEscaped},
		{"escape in a key", `{"\u0065vent":"media"}`, jsonscan.ErrEscaped},
		{"escape in a skipped value", `{"a":"\ud83d\ude00\n\"","event":"media"}`, nil},
		{"null everywhere", `{"event":null,"sequenceNumber":null,"media":null}`, nil},
		{"null in short", `{"event":nul`, jsonscan.ErrSyntax},
		{"smallest number", `{"sequenceNumber":-9223372036854775808}`, nil},
		{"empty string for a number", `{"sequenceNumber":""}`, nil},
		{"nested as deep as allowed", deep(jsonscan.MaxDepth), nil},
		{"nested deeper", deep(jsonscan.MaxDepth + 1), jsonscan.ErrDepth},
		{"empty object", ` { } `, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := scanMedia(c.msg); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestEveryDuplicateIsVisited(t *testing.T) {
	var s jsonscan.Scanner
	s.Reset([]byte(`{"a":1,"b":[{"a":9}],"a":2}`))
	var seen []int64
	for s.Next() {
		if string(s.Key()) == "a" {
			seen = append(seen, s.Int())
		}
	}
	if s.Err() != nil || len(seen) != 2 || seen[0] != 1 || seen[1] != 2 {
		t.Errorf("got %v, %v; want [1 2]", seen, s.Err())
	}
}

func TestValueIsReadOnce(t *testing.T) {
	var s jsonscan.Scanner
	s.Reset([]byte(`{"a":7}`))
	s.Next()
	if first, second := s.Int(), s.Int(); first != 7 || second != 0 {
		t.Errorf("got %d and %d, want 7 and 0", first, second)
	}
	if s.Next() || s.Err() != nil {
		t.Errorf("scan goes on: %v", s.Err())
	}
	if s.Next() {
		t.Error("scan goes on behind its end")
	}
}

func TestPeek(t *testing.T) {
	for _, c := range []struct {
		name, msg, want string
		err             error
	}{
		{"first member", `{"type":"response.done","response":{}}`, "response.done", nil},
		{"behind others", `{"event_id":"e\n","n":[1,{"type":"x"}],"type":"error"}`, "error", nil},
		{"absent", `{"event":"media"}`, "", nil},
		{"not an object", `"type"`, "", jsonscan.ErrSyntax},
		{"not a string", `{"type":1}`, "", jsonscan.ErrType},
	} {
		got, err := jsonscan.Peek([]byte(c.msg), "type")
		if string(got) != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: got %q, %v; want %q, %v", c.name, got, err, c.want, c.err)
		}
	}
}

// FuzzScanner compares with encoding/json: the same messages are valid, and
// every value is the same.
func FuzzScanner(f *testing.F) {
	for _, seed := range []string{
		media, `{}`, `{"a":[],"b":[{}],"c":{"d":[[1.5e-3,true,false,null]]}}`, `{"a":"\u00e9\\\"","a":-0}`,
		`{"a":1}}`, `{"a":"` + strings.Repeat("x", 100) + `"}`, `[1]`, `{"a":"\ud800"}`, "{\"a\":\"\xff\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		var want map[string]json.RawMessage
		wantErr := json.Unmarshal(msg, &want)
		if wantErr == nil && want == nil {
			return // the message null is no object here
		}

		last := map[string]string{}
		var s jsonscan.Scanner
		s.Reset(msg)
		for s.Next() {
			key := string(s.Key())
			last[key] = string(s.Raw())
		}
		if errors.Is(s.Err(), jsonscan.ErrEscaped) || errors.Is(s.Err(), jsonscan.ErrDepth) {
			return
		}
		if (s.Err() == nil) != (wantErr == nil) {
			t.Fatalf("scanner says %v, encoding/json %v", s.Err(), wantErr)
		}
		if wantErr != nil {
			return
		}
		for key, raw := range last {
			valid := strings.ToValidUTF8(key, "\ufffd")
			if valid != key {
				return // encoding/json folds such keys together
			}
			if string(want[key]) != raw {
				t.Fatalf("key %q: scanner says %q, encoding/json %q", key, raw, want[key])
			}
		}
		compareTyped(t, msg)
	})
}

// compareTyped asks each member for each type.
func compareTyped(t *testing.T, msg []byte) {
	t.Helper()
	var text, number, object jsonscan.Scanner
	walk := func(s *jsonscan.Scanner, read func(s *jsonscan.Scanner, raw []byte)) {
		var keys jsonscan.Scanner
		keys.Reset(msg)
		for i := 0; keys.Next(); i++ {
			raw := keys.Raw()
			s.Reset(msg)
			for range i + 1 {
				s.Next()
			}
			read(s, raw)
		}
	}
	walk(&text, func(s *jsonscan.Scanner, raw []byte) {
		got := string(s.Bytes())
		var want string
		err := json.Unmarshal(raw, &want)
		if errors.Is(s.Err(), jsonscan.ErrEscaped) {
			return
		}
		if (err == nil) != (s.Err() == nil) || strings.ToValidUTF8(got, "") == got && got != want {
			t.Fatalf("string %s: got %q, %v; want %q, %v", raw, got, s.Err(), want, err)
		}
	})
	walk(&number, func(s *jsonscan.Scanner, raw []byte) {
		got := s.Int()
		var want int64
		if err := json.Unmarshal(raw, &want); (err == nil) != (s.Err() == nil) || err == nil && got != want {
			t.Fatalf("integer %s: got %d, %v; want %d, %v", raw, got, s.Err(), want, err)
		}
	})
	walk(&object, func(s *jsonscan.Scanner, raw []byte) {
		sub := s.Object()
		n := 0
		for sub.Next() {
			n++
		}
		var want map[string]json.RawMessage
		err := json.Unmarshal(raw, &want)
		if (err == nil) != (s.Err() == nil) || sub.Err() == nil && n < len(want) {
			t.Fatalf("object %s: got %d members, %v, %v; want %d, %v", raw, n, s.Err(), sub.Err(), len(want), err)
		}
	})
}

func twilioFrame() []byte {
	payload := base64.StdEncoding.EncodeToString(make([]byte, 160))
	return []byte(strings.Replace(media, "AAAA", payload, 1))
}

func audioDelta() []byte {
	payload := base64.StdEncoding.EncodeToString(make([]byte, 3200))
	return []byte(`{"type":"response.output_audio.delta","event_id":"event_CCXJZxWwhyNnDUkqUuFDt","response_id":"resp_CCXJZUhrWM3oYgyGLA6ic",` +
		`"item_id":"item_CCXJZTaLlfSrhrGGuFEaX","output_index":0,"content_index":0,"delta":"` + payload + `"}`)
}

func readMedia(s *jsonscan.Scanner, msg, dst []byte) int {
	n := 0
	s.Reset(msg)
	for s.Next() {
		switch string(s.Key()) {
		case "event", "streamSid":
			s.Bytes()
		case "sequenceNumber":
			s.LooseInt()
		case "media":
			m := s.Object()
			for m.Next() {
				switch string(m.Key()) {
				case "timestamp":
					m.LooseInt()
				case "payload":
					n, _ = base64.StdEncoding.Decode(dst, m.Bytes())
				}
			}
		}
	}
	return n
}

func readDelta(s *jsonscan.Scanner, msg, dst []byte) int {
	n := 0
	s.Reset(msg)
	for s.Next() {
		switch string(s.Key()) {
		case "type", "response_id", "item_id":
			s.Bytes()
		case "content_index":
			s.Int()
		case "delta":
			n, _ = base64.StdEncoding.Decode(dst, s.Bytes())
		}
	}
	return n
}

func TestHotMessagesDoNotAllocate(t *testing.T) {
	var s jsonscan.Scanner
	dst := make([]byte, 4096)
	frame, delta := twilioFrame(), audioDelta()
	if n := testing.AllocsPerRun(100, func() {
		if readMedia(&s, frame, dst) != 160 || readDelta(&s, delta, dst) != 3200 {
			t.Fatal("audio lost")
		}
		if kind, err := jsonscan.Peek(delta, "type"); err != nil || len(kind) == 0 {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func BenchmarkMedia(b *testing.B) {
	var s jsonscan.Scanner
	msg, dst := twilioFrame(), make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		readMedia(&s, msg, dst)
	}
}

func BenchmarkDelta(b *testing.B) {
	var s jsonscan.Scanner
	msg, dst := audioDelta(), make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		readDelta(&s, msg, dst)
	}
}

func BenchmarkPeek(b *testing.B) {
	msg := audioDelta()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jsonscan.Peek(msg, "type"); err != nil {
			b.Fatal(err)
		}
	}
}
