package realtime_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// entries are a history in short.
func entries(list []realtime.Entry) (short []string) {
	for _, e := range list {
		text := e.Generated
		if e.Heard != e.Generated {
			text += " | heard: " + e.Heard
		}
		if e.AudioReceived > 0 {
			text += fmt.Sprintf(" (%v of %v)", e.AudioHeard, e.AudioReceived)
		}
		short = append(short, strings.TrimSpace(fmt.Sprintf("%s %s %s: %s", e.Origin, e.Item.Type, e.Item.ID, text)))
	}
	return short
}

func user(id, previous string) string {
	return `{"type":"conversation.item.added","previous_item_id":"` + previous + `","item":{"id":"` + id +
		`","type":"message","role":"user","status":"completed","content":[{"type":"input_audio","transcript":null}]}}`
}

func committed(id, previous string) string {
	return `{"type":"input_audio_buffer.committed","item_id":"` + id + `","previous_item_id":"` + previous + `"}`
}

func transcribed(id, text string) string {
	return `{"type":"conversation.item.input_audio_transcription.completed","item_id":"` + id + `","content_index":0,"transcript":"` + text + `"}`
}

func assistant(id string) string {
	return `{"type":"conversation.item.added","item":{"id":"` + id + `","type":"message","role":"assistant","status":"in_progress","content":[]}}`
}

func spoken(id, text string) string {
	return `{"type":"response.output_audio_transcript.done","response_id":"r","item_id":"` + id + `","content_index":0,"transcript":"` + text + `"}`
}

func sounded(id string, d time.Duration) string {
	return `{"type":"response.output_audio.delta","response_id":"r","item_id":"` + id + `","content_index":0,"delta":"` +
		base64.StdEncoding.EncodeToString(make([]byte, realtime.FormatULaw.Bytes(d))) + `"}`
}

func over(id, status string) string {
	return `{"type":"response.output_item.done","response_id":"r","item":{"id":"` + id + `","type":"message","role":"assistant","status":"` + status + `","content":[]}}`
}

func TestHistory(t *testing.T) {
	const words = "one two three four five six"
	for _, c := range []struct {
		name  string
		said  []string // by the server
		do    func(*realtime.Session) error
		heard func(string) (time.Duration, time.Duration, bool)
		want  []string
	}{
		{
			name: "a transcript comes after the answer",
			said: []string{committed("u1", ""), user("u1", ""), assistant("a1"), spoken("a1", "Hello."), over("a1", "completed"), transcribed("u1", "Hi.")},
			want: []string{"caller message u1: Hi.", "model message a1: Hello."},
		},
		{
			name: "a transcript comes before its item",
			said: []string{committed("u1", ""), transcribed("u1", "Hi."), user("u1", "")},
			want: []string{"caller message u1: Hi."},
		},
		{
			name: "transcripts out of order, and one that fails",
			said: []string{
				user("u1", ""), user("u2", "u1"), user("u3", "u2"), transcribed("u3", "Three."),
				`{"type":"conversation.item.input_audio_transcription.failed","item_id":"u2","error":{"message":"m"}}`, transcribed("u1", "One."),
			},
			want: []string{"caller message u1: One.", "caller message u2:", "caller message u3: Three."},
		},
		{
			name: "a transcript of nothing known",
			said: []string{transcribed("u9", "Who?")},
		},
		{
			name: "an item takes the place that the server gives it",
			said: []string{user("u1", ""), user("u2", "u1"), user("u3", "u1")},
			want: []string{"caller message u1:", "caller message u3:", "caller message u2:"},
		},
		{
			name: "deltas alone",
			said: []string{
				assistant("a1"), `{"type":"response.output_audio_transcript.delta","item_id":"a1","content_index":0,"delta":"Hel"}`,
				`{"type":"response.audio_transcript.delta","item_id":"a1","content_index":0,"delta":"lo."}`, over("a1", "completed"),
			},
			want: []string{"model message a1: Hello."},
		},
		{
			name: "heard to the end",
			said: []string{assistant("a1"), sounded("a1", 2*time.Second), sounded("a1", time.Second), spoken("a1", words), over("a1", "completed")},
			want: []string{"model message a1: " + words + " (3s of 3s)"},
		},
		{
			name: "cut between words",
			said: []string{assistant("a1"), sounded("a1", 3*time.Second), spoken("a1", words), over("a1", "completed")},
			do:   func(s *realtime.Session) error { return s.Truncate("a1", 0, 1500*time.Millisecond) },
			want: []string{"model message a1: " + words + " | heard: one two three (1.5s of 3s)"},
		},
		{
			name: "cut in the first word",
			said: []string{assistant("a1"), sounded("a1", 3*time.Second), spoken("a1", words), over("a1", "completed")},
			do:   func(s *realtime.Session) error { return s.Truncate("a1", 0, 100*time.Millisecond) },
			want: []string{"model message a1: " + words + " | heard:  (100ms of 3s)"},
		},
		{
			name: "cut beyond its end",
			said: []string{assistant("a1"), sounded("a1", time.Second), spoken("a1", words), over("a1", "completed")},
			do:   func(s *realtime.Session) error { return s.Truncate("a1", 0, time.Minute) },
			want: []string{"model message a1: " + words + " (1s of 1s)"},
		},
		{
			name:  "whoever plays it knows better",
			said:  []string{assistant("a1"), sounded("a1", 3*time.Second), spoken("a1", words), over("a1", "completed")},
			heard: func(string) (time.Duration, time.Duration, bool) { return time.Second, 3 * time.Second, true },
			want:  []string{"model message a1: " + words + " | heard: one two (1s of 3s)"},
		},
		{
			name:  "whoever plays it does not know it",
			said:  []string{assistant("a1"), sounded("a1", 3*time.Second), spoken("a1", words), over("a1", "completed")},
			heard: func(string) (time.Duration, time.Duration, bool) { return 0, 0, false },
			want:  []string{"model message a1: " + words + " (3s of 3s)"},
		},
		{
			name: "words run ahead of audio that was broken off",
			said: []string{assistant("a1"), sounded("a1", time.Second), spoken("a1", words), over("a1", "incomplete")},
			want: []string{"model message a1: " + words + " | heard: one two three (1s of 1s)"},
		},
		{
			name: "text has no audio",
			said: []string{assistant("a1"), `{"type":"response.output_text.done","item_id":"a1","content_index":0,"text":"Hello."}`, over("a1", "completed")},
			want: []string{"model message a1: Hello."},
		},
		{
			name: "deleted",
			said: []string{user("u1", ""), user("u2", "u1"), `{"type":"conversation.item.deleted","item_id":"u1"}`},
			want: []string{"caller message u2:"},
		},
		{
			name: "responses beside the conversation are not of it",
			said: []string{
				`{"type":"response.output_item.added","response_id":"x","item":{"id":"o1","type":"message","role":"assistant"}}`,
				sounded("o1", time.Second), spoken("o1", "Aside."),
				`{"type":"response.output_item.done","response_id":"x","item":{"id":"o1","type":"message","role":"assistant","status":"completed"}}`,
			},
		},
		{
			name: "a call of a function",
			said: []string{
				`{"type":"conversation.item.created","item":{"id":"f1","type":"function_call","name":"f","call_id":"c1","arguments":""}}`,
				`{"type":"response.output_item.done","item":{"id":"f1","type":"function_call","status":"completed","name":"f","call_id":"c1","arguments":"{}"}}`,
			},
			want: []string{"model function_call f1:"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSession(t, realtime.Config{Providers: []realtime.Provider{{BaseURL: "ws://localhost"}}, Properties: ulaw, Heard: c.heard})
			for _, msg := range c.said {
				s.Receive([]byte(msg))
			}
			if c.do != nil {
				if err := c.do(s); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(c.want, entries(s.History())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOurItemsInTheHistory(t *testing.T) {
	first := realtime.Message("system", "Before.")
	first.ID = "ours_1"
	s := newSession(t, realtime.Config{
		Providers: []realtime.Provider{{BaseURL: "ws://localhost"}}, Properties: ulaw, Items: []realtime.Item{first},
	})
	if err := s.CreateItem(realtime.Message("user", "Typed.")); err != nil {
		t.Fatal(err)
	}
	list := s.History()
	if len(list) != 2 || list[1].Item.ID == "" {
		t.Fatalf("history = %+v", list)
	}
	id := list[1].Item.ID
	s.Receive([]byte(user("u1", "ours_1")))
	s.Receive([]byte(user(id, "u1"))) // which came first at the server
	want := []string{"ours message ours_1: Before.", "caller message u1:", "ours message " + id + ": Typed."}
	if diff := cmp.Diff(want, entries(s.History())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := s.Delete(id); err != nil {
		t.Fatal(err)
	}
	if n := len(s.History()); n != 2 {
		t.Errorf("%d entries after the deletion", n)
	}
}

func TestARefusedItemIsNotOfTheConversation(t *testing.T) {
	server, provider := model(t, realtimetest.Config{})
	p := dialUp(t, server, realtime.Config{Providers: []realtime.Provider{provider}})
	p.must(p.CreateItem(realtime.FunctionOutput("nobody_asked", "x")))
	p.must(p.CreateItem(realtime.Message("user", "Typed.")))
	await[realtime.ErrorEvent](t, p.heard)
	await[realtime.ItemDone](t, p.heard)
	if list := p.History(); len(list) != 1 || list[0].Generated != "Typed." {
		t.Errorf("history = %q", entries(list))
	}
}

func TestEachItemIsToldOfOnce(t *testing.T) {
	want := []string{"added ours", "done ours", "added model", "done model", "added caller", "done caller", "added model", "done model"}
	for name, dialects := range map[string]realtimetest.Dialects{"ga": realtimetest.GAOnly, "beta": realtimetest.BetaOnly} {
		t.Run(name, func(t *testing.T) {
			server, provider := model(t, realtimetest.Config{Dialects: dialects})
			if name == "beta" {
				provider.Profile = realtime.ProfileBeta
			}
			p := dialUp(t, server, realtime.Config{Providers: []realtime.Provider{provider}})
			var got []string
			p.heard.during = func(e realtime.Event) {
				switch e := e.(type) {
				case realtime.ItemAdded:
					got = append(got, "added "+string(e.Origin))
				case realtime.ItemDone:
					got = append(got, "done "+string(e.Origin))
				}
			}
			old := p.exchange()
			p.must(p.Respond(realtime.ResponseRequest{Conversation: "none", Instructions: "Aside."}))
			p.event(old, "response.done", 3)
			old.Drop()
			await[realtime.SessionRestored](t, p.heard)
			now := p.session(1)
			p.must(now.Wait(t.Context(), func() bool { return len(now.Items()) == 4 }))
			p.must(p.CreateItem(realtime.Message("system", "After.")))
			p.must(now.Wait(t.Context(), func() bool { return len(now.Items()) == 5 }))
			p.Close()
			if err := receive(t, p.result); err != nil {
				t.Fatal(err)
			}
			if len(got) < len(want) {
				t.Fatalf("told %q", got)
			}
			if diff := cmp.Diff(want, got[:len(want)]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, more := range got[len(want):] {
				if !strings.HasSuffix(more, " ours") { // the last note, if it was told of before the end
					t.Errorf("told %q too", more)
				}
			}
		})
	}
}

func TestALongIDIsShortenedForTheNextServer(t *testing.T) {
	long := strings.Repeat("x", 40)
	second := make(chan message, 10)
	var connections atomic.Int32
	provider := serve(t, func(p *peer) {
		p.open()
		if connections.Add(1) == 1 {
			p.send(user(long, ""))
			p.send(transcribed(long, "Hi."))
			_ = p.ws.NetConn().Close()
			return
		}
		for {
			m, ok := p.next()
			if !ok {
				return
			}
			second <- m
		}
	})
	heard := record()
	s, _ := start(t, realtime.Config{Providers: []realtime.Provider{provider}, Properties: ulaw, Handler: heard, RepairTimeout: 3 * time.Second})
	await[realtime.SessionRestored](t, heard)
	if err := s.Delete(long); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"id":"` + long[:32] + `"`, `"item_id":"` + long[:32] + `"`} {
		if m := receive(t, second); !strings.Contains(string(m.Raw), want) {
			t.Errorf("sent %s, want %s", m.Raw, want)
		}
	}
}

func TestHeardWordsAreAlwaysABeginning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([a-zäß]{1,9}[ ]?){0,12}`).Draw(t, "text")
		share := rapid.Float64Range(-1, 2).Draw(t, "share")
		got := realtime.CutWords(text, share)
		if !strings.HasPrefix(text, got) {
			t.Fatalf("%q is no beginning of %q", got, text)
		}
		if rest := text[len(got):]; got != "" && rest != "" && rest[0] != ' ' {
			t.Fatalf("%q cuts a word of %q", got, text)
		}
		if share >= 1 && got != text || share <= 0 && got != "" {
			t.Fatalf("%v of %q is %q", share, text, got)
		}
	})
}
