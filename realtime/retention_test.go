package realtime_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/realtime"
)

// TestALongConversationIsBounded has two speak for a day.
func TestALongConversationIsBounded(t *testing.T) {
	const turns = 10_000
	for name, words := range map[string]string{
		"of few words":  "Word.",
		"of many words": strings.Repeat("wörd ", 200_000), // 1.2 MB
	} {
		t.Run(name, func(t *testing.T) {
			n := turns
			if len(words) > 1000 {
				n = 40
			}
			heard := record()
			cut := 0
			heard.during = func(e realtime.Event) {
				if _, ok := e.(realtime.ConversationCut); ok {
					cut++
				}
			}
			first := realtime.Message("system", "Before.")
			s := newSession(t, realtime.Config{
				Providers: []realtime.Provider{{BaseURL: "ws://localhost"}}, Properties: ulaw,
				Items: []realtime.Item{first}, Handler: drained{heard},
			})
			for i := range n {
				u, a, f := fmt.Sprintf("u%d", i), fmt.Sprintf("a%d", i), fmt.Sprintf("f%d", i)
				for _, msg := range []string{
					committed(u, ""), user(u, ""), transcribed(u, words),
					assistant(a), spoken(a, words), spokenDelta(a, words), over(a, "completed"),
					calledWith(f, words),
				} {
					s.Receive([]byte(msg))
				}
			}
			list := s.History()
			bytes := 0
			for _, e := range list {
				if size := len(e.Generated); size > 64<<10+1 { // with a space between its two parts
					t.Errorf("%s has %d bytes", e.Item.ID, size)
				}
				if !utf8.ValidString(e.Generated) {
					t.Errorf("%s was cut within a character", e.Item.ID)
				}
				bytes += len(e.Generated) + len(e.Item.Arguments)
			}
			if len(list) > 769 || bytes > 512<<10 {
				t.Errorf("%d items of %d bytes are kept", len(list), bytes)
			}
			if first := list[0]; first.Generated != "Before." {
				t.Errorf("it begins with %s: %.20q", first.Item.ID, first.Generated)
			}
			if last := list[len(list)-1]; last.Item.ID != fmt.Sprintf("f%d", n-1) {
				t.Errorf("it ends with %s", last.Item.ID)
			}
			if newest := list[len(list)-2]; newest.Item.ID != fmt.Sprintf("a%d", n-1) || !strings.HasPrefix(newest.Generated, words[:4]) {
				t.Errorf("the agent said last: %.20q", newest.Generated)
			}
			if cut != 1 {
				t.Errorf("it was told %d times that the conversation is cut", cut)
			}
		})
	}
}

// drained is a handler whose events nobody waits for.
type drained struct{ *recorder }

func (d drained) Event(e realtime.Event) { d.during(e) }

func spokenDelta(id, text string) string {
	return `{"type":"response.output_audio_transcript.delta","response_id":"r","item_id":"` + id + `","content_index":1,"delta":"` + text + `"}`
}

func calledWith(id, arguments string) string {
	return `{"type":"conversation.item.added","item":{"id":"` + id + `","type":"function_call","status":"completed","name":"f","call_id":"` + id + `","arguments":"` + arguments + `"}}`
}

// TestAnotherServerIsToldTheNewest loses the connection after a long conversation.
func TestAnotherServerIsToldTheNewest(t *testing.T) {
	const turns = 3000
	told := make(chan string, 2*turns)
	var connections atomic.Int32
	provider := serve(t, func(p *peer) {
		p.open()
		if connections.Add(1) == 1 {
			for i := range turns {
				u := fmt.Sprintf("u%d", i)
				p.send(user(u, ""))
				p.send(transcribed(u, "Word "+u))
			}
			_ = p.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseInternalServerErr, ""), time.Now().Add(deadline))
			p.drain()
			return
		}
		for {
			m, ok := p.next()
			if !ok {
				return
			}
			told <- string(m.Raw)
		}
	})
	heard := record()
	restored := make(chan realtime.SessionRestored, 1)
	heard.during = func(e realtime.Event) {
		if e, ok := e.(realtime.SessionRestored); ok {
			restored <- e
		}
	}
	start(t, realtime.Config{
		Providers: []realtime.Provider{provider}, Properties: ulaw, Handler: drained{heard},
		RepairTimeout: 3 * time.Second, Items: []realtime.Item{realtime.Message("system", "Before.")},
	})
	if r := receive(t, restored); r.Replayed != 769 {
		t.Errorf("%d items were told", r.Replayed)
	}
	if m := receive(t, told); !strings.Contains(m, "Before.") {
		t.Errorf("first %s", m)
	}
	var last string
	for range 768 {
		last = receive(t, told)
	}
	if want := fmt.Sprintf("Word u%d", turns-1); !strings.Contains(last, want) {
		t.Errorf("last %s, want %s", last, want)
	}
}
