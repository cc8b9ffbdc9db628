package bridge_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"pgregory.net/rapid"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime"
)

// TestNoServerMakesTheLedgerLie has a server say whatever it likes, in any order,
// to a call whose caller speaks, listens and holds meanwhile.
func TestNoServerMakesTheLedgerLie(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		agent := bridge.Agent{BargeIn: bridge.BargeIn{
			Mode: rapid.SampledFrom([]bridge.BargeInMode{bridge.BargeInServer, bridge.BargeInInstant}).Draw(rt, "mode"),
		}}
		buffers := rapid.Bool().Draw(rt, "the far end buffers")
		many := rapid.SampledFrom([]int{3, 10, 30, 80}).Draw(rt, "how many")
		moves := rapid.SliceOfN(rapid.Custom(drawMove), many, many).Draw(rt, "moves")
		var fault string
		synctest.Test(t, func(t *testing.T) {
			h := newHostility(t, agent, buffers)
			for n, m := range moves {
				h.make(m)
				synctest.Wait()
				if fault = h.check(); fault != "" {
					fault = fmt.Sprintf("after move %d, %+v: %s", n, m, fault)
					break
				}
			}
			if fault == "" {
				fault = h.settle()
			}
			if f := h.end(); fault == "" {
				fault = f
			}
		})
		if fault != "" {
			rt.Fatal(fault)
		}
	})
}

// move is one thing that happens.
type move struct {
	What    string
	R, I, C int // response, item, content part
	N       int // bytes, frames, milliseconds
	Status  string
}

var moves = []string{
	"created", "delta", "delta", "delta", "delta", "audio done", "item added", "item added", "response done",
	"speech started", "speech started", "speech stopped", "committed", "truncated", "refused", "deleted", "words", "all words",
	"nonsense", "take", "take", "take", "take", "hear", "speak", "shout", "hold", "take back", "wait",
}

func drawMove(t *rapid.T) move {
	return move{
		What:   rapid.SampledFrom(moves).Draw(t, "what"),
		R:      rapid.IntRange(0, 2).Draw(t, "response"),
		I:      rapid.IntRange(0, 4).Draw(t, "item"),
		C:      rapid.IntRange(0, 1).Draw(t, "content"),
		N:      rapid.SampledFrom([]int{0, 1, 7, 160, 333, 480, 1000, 1700, 4000}).Draw(t, "n"),
		Status: rapid.SampledFrom([]string{"completed", "cancelled", "incomplete", ""}).Draw(t, "status"),
	}
}

// never is a sample of audio that must not be heard.
const never = 255

// hostility is a call with its server, and what is known of both. Samples tell
// the interruption before which they came.
type hostility struct {
	call      *bridge.Call
	leg       *leg
	far       *hostileLeg // nil where the far end does not buffer
	running   map[string]bool
	announced map[string]bool
	cut       map[string]bool
	dirty     map[string]map[string]bool // by part, the responses that have brought audio since it was truncated
	sent      map[string]int             // bytes, by part
	total     int
	breaks    int // interruptions so far
	heard     []byte

	truncate string // event id of the last truncation

	ws       *websocket.Conn
	stop     func()
	mu       sync.Mutex
	requests []request
}

// request is what the call has asked of the server.
type request struct {
	Type       string
	EventID    string `json:"event_id"`
	ItemID     string `json:"item_id"`
	Content    int    `json:"content_index"`
	AudioEndMS int    `json:"audio_end_ms"`
}

// hostileLeg buffers, and may be wrong about what was heard.
type hostileLeg struct {
	*leg
	mu    sync.Mutex
	heard int64
}

func (l *hostileLeg) Flush() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heard
}

func newHostility(t *testing.T, agent bridge.Agent, buffers bool) *hostility {
	h := &hostility{
		leg: newLeg(), running: map[string]bool{}, announced: map[string]bool{}, cut: map[string]bool{}, dirty: map[string]map[string]bool{}, sent: map[string]int{},
	}
	l := bridge.Leg(h.leg)
	if buffers {
		h.far = &hostileLeg{leg: h.leg}
		l = h.far
	}
	ready := make(chan struct{})
	provider, dial, stop := pipe(func(ws *websocket.Conn) { h.serve(ws, ready) })
	h.stop = stop
	agent.Providers = []realtime.Provider{provider}
	agent.Repair = -1 // one connection is enough to be bad
	h.call = bridge.New(bridge.Config{Facts: bridge.Facts{ID: "call-1"}, Leg: l, Agent: agent, Dial: dial})
	go func() { _ = h.call.Run(t.Context()) }()
	<-ready
	<-h.leg.started
	<-h.leg.answered
	return h
}

// serve opens the session and keeps what is asked of it.
func (h *hostility) serve(ws *websocket.Conn, ready chan struct{}) {
	h.ws = ws
	h.say(`{"type":"session.created","session":{"id":"s"}}`)
	if _, _, err := ws.ReadMessage(); err != nil {
		return
	}
	h.say(`{"type":"session.updated","session":{"id":"s","audio":{"input":{"format":{"type":"audio/pcmu"}},"output":{"format":{"type":"audio/pcmu"}}}}}`)
	close(ready)
	for {
		_, msg, err := ws.ReadMessage()
		if err != nil {
			return
		}
		var r request
		if json.Unmarshal(msg, &r) == nil && r.Type != "input_audio_buffer.append" {
			h.mu.Lock()
			h.requests = append(h.requests, r)
			h.mu.Unlock()
		}
	}
}

func (h *hostility) say(msg string) { _ = h.ws.WriteMessage(websocket.TextMessage, []byte(msg)) }

// make does one thing.
func (h *hostility) make(m move) {
	r, i := fmt.Sprintf("r%d", m.R), fmt.Sprintf("i%d", m.I)
	part := fmt.Sprintf(`"response_id":%q,"item_id":%q,"content_index":%d`, r, i, m.C)
	item := fmt.Sprintf(`"item":{"id":%q,"type":"message","role":"assistant","status":%q,"content":[]}`, i, m.Status)
	switch m.What {
	case "created":
		if !h.announced[r] { // it may be what comes only now
			h.announced[r], h.running[r], h.cut[r] = true, true, false
		}
		h.say(fmt.Sprintf(`{"type":"response.created","response":{"id":%q,"status":"in_progress"}}`, r))
	case "delta":
		h.delta(r, i, part, m)
	case "audio done":
		h.say(`{"type":"response.output_audio.done",` + part + `}`)
	case "item added":
		h.say(fmt.Sprintf(`{"type":"conversation.item.added","previous_item_id":"i%d",%s}`, m.C, item))
		h.say(fmt.Sprintf(`{"type":"response.output_item.added","response_id":%q,%s}`, r, item))
	case "response done":
		delete(h.announced, r)
		delete(h.running, r)
		h.say(fmt.Sprintf(`{"type":"response.done","response":{"id":%q,"status":%q}}`, r, m.Status))
	case "speech started":
		h.breaks++
		for r := range h.running {
			h.cut[r] = true
		}
		h.say(fmt.Sprintf(`{"type":"input_audio_buffer.speech_started","item_id":"u","audio_start_ms":%d}`, m.N-1000))
	case "speech stopped":
		h.say(fmt.Sprintf(`{"type":"input_audio_buffer.speech_stopped","item_id":"u","audio_end_ms":%d}`, m.N-1000))
	case "committed":
		h.say(fmt.Sprintf(`{"type":"input_audio_buffer.committed","item_id":"u%d","previous_item_id":%q}`, m.I, i))
	case "truncated":
		h.say(fmt.Sprintf(`{"type":"conversation.item.truncated","item_id":%q,"content_index":%d,"audio_end_ms":%d}`, i, m.C, m.N))
	case "refused":
		h.say(fmt.Sprintf(`{"type":"error","error":{"type":"invalid_request_error","code":"item_not_found","event_id":%q}}`, h.truncate))
	case "deleted":
		h.say(fmt.Sprintf(`{"type":"conversation.item.deleted","item_id":%q}`, i))
	case "words":
		h.say(`{"type":"response.output_audio_transcript.delta",` + part + `,"delta":"la la "}`)
	case "all words":
		h.say(`{"type":"response.output_audio_transcript.done",` + part + `,"transcript":"la la la"}`)
	case "nonsense":
		h.say([]string{`{`, `null`, `{"type":7}`, `{"type":"response.output_audio.delta","delta":"*"}`, `[]`}[m.I])
	case "take":
		h.heard = append(h.heard, h.leg.take(m.N/100)...)
	case "hear":
		if h.far != nil {
			h.far.mu.Lock()
			h.far.heard += int64(m.N)
			h.leg.down.Heard(h.far.heard)
			h.far.mu.Unlock()
		}
	case "speak":
		h.leg.speak(quiet(media.PCMU, 100*time.Millisecond))
	case "shout":
		h.leg.speak(loud(200 * time.Millisecond))
	case "hold", "take back":
		h.leg.up.Hold(m.What == "hold")
	case "wait":
		time.Sleep(time.Duration(m.N) * time.Millisecond)
	}
}

// delta sends audio. That of an interrupted response must not be heard.
func (h *hostility) delta(r, i, part string, m move) {
	sample := byte(h.breaks)
	if h.cut[r] {
		sample = never
	} else if m.N > 0 {
		h.running[r] = true // not every server announces its responses
		if h.dirty[key(i, m.C)] == nil {
			h.dirty[key(i, m.C)] = map[string]bool{}
		}
		h.dirty[key(i, m.C)][r] = true
		h.sent[key(i, m.C)] += m.N
		h.total += m.N
	}
	audio := bytes.Repeat([]byte{sample}, m.N)
	h.say(`{"type":"response.output_audio.delta",` + part + `,"delta":"` + base64.StdEncoding.EncodeToString(audio) + `"}`)
}

func key(item string, content int) string { return fmt.Sprintf("%s/%d", item, content) }

// check returns what is wrong by now.
func (h *hostility) check() string {
	s := h.call.Ledger()
	switch {
	case s.Heard < 0 || s.Heard > s.Sent || s.Sent > s.Received:
		return fmt.Sprintf("0 ≤ heard ≤ sent ≤ received is broken: %+v", s)
	case s.Received > int64(h.total):
		return fmt.Sprintf("received %d bytes of %d", s.Received, h.total)
	}
	for _, sample := range h.heard {
		if sample == never {
			return "audio of an interrupted response was heard"
		}
		if int(sample) < h.breaks {
			return fmt.Sprintf("audio from before interruption %d was heard after it", h.breaks)
		}
	}
	h.heard = h.heard[:0]
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.requests {
		if r.Type != "conversation.item.truncate" {
			continue
		}
		h.truncate = r.EventID
		k := key(r.ItemID, r.Content)
		if r.AudioEndMS < 1 || r.AudioEndMS*media.BytesPerMillisecond > h.sent[k] {
			return fmt.Sprintf("%s was truncated at %d ms of %d bytes", k, r.AudioEndMS, h.sent[k])
		}
		if len(h.dirty[k]) == 0 {
			return fmt.Sprintf("%s was truncated again", k)
		}
		for response := range h.dirty[k] { // a name of an item may be used by several
			delete(h.dirty[k], response)
			break
		}
	}
	h.requests = h.requests[:0]
	for _, e := range h.call.History() {
		if e.AudioHeard < 0 || e.AudioHeard > e.AudioReceived || !strings.HasPrefix(e.Generated, e.Heard) {
			return fmt.Sprintf("the history is wrong about %+v", e)
		}
	}
	return ""
}

// settle has all responses end and the caller hear them out, and returns what of
// them is left.
func (h *hostility) settle() string {
	h.make(move{What: "take back"})
	for r := range 3 {
		h.make(move{What: "response done", R: r, Status: "completed"})
	}
	time.Sleep(time.Second) // until nobody doubts that the caller speaks
	synctest.Wait()
	for len(h.leg.take(10)) > 0 {
		h.make(move{What: "hear", N: 10 * media.FrameBytes})
	}
	h.make(move{What: "hear", N: 1 << 30})
	if s := h.call.Ledger(); s.Sounding() || s.Generating {
		return fmt.Sprintf("in the end something is left: %+v", s)
	}
	return h.check()
}

// end hangs up, and returns what is wrong with the end.
func (h *hostility) end() string {
	defer h.stop()
	h.call.End(media.OperatorHungUp)
	began := time.Now()
	<-h.call.Ended()
	if took := time.Since(began); took > 2*time.Second {
		return fmt.Sprintf("the end took %v", took)
	}
	timeline := h.call.Timeline()
	if last := timeline[len(timeline)-1]; last.Name != bridge.EventEnded || last.Attrs[0].Value == media.Internal.String() {
		return fmt.Sprintf("it ended with %+v", last)
	}
	return ""
}

// pipe runs a server without sockets, for tests in virtual time.
func pipe(script func(*websocket.Conn)) (realtime.Provider, func(context.Context, string, string) (net.Conn, error), func()) {
	conns := make(pipeListener)
	var scripts sync.WaitGroup
	upgrader := websocket.Upgrader{}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scripts.Add(1)
		defer scripts.Done()
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		script(ws)
	})}
	scripts.Go(func() { _ = srv.Serve(conns) })
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		select {
		case conns <- theirs:
			return ours, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return realtime.Provider{Name: "test", BaseURL: "ws://pipe/v1/realtime", Model: "test"}, dial, func() {
		_ = srv.Close()
		scripts.Wait()
	}
}

type pipeListener chan net.Conn

func (l pipeListener) Accept() (net.Conn, error) {
	c, ok := <-l
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (l pipeListener) Close() error   { close(l); return nil }
func (l pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }
