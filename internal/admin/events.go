package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/callgw/callgw/bridge"
)

// How much a subscriber may lag behind before events are left out for it, and how
// often an idle stream shows that it lives.
const (
	eventBacklog   = 256
	eventHeartbeat = 15 * time.Second
)

// Events passes every event of every call on to whoever listens.
type Events struct {
	mu          sync.Mutex
	subscribers map[chan []byte]*int // events left out since the last one
}

// NewEvents returns an Events without subscribers.
func NewEvents() *Events { return &Events{subscribers: map[chan []byte]*int{}} }

// callEvent is an event as subscribers see it.
type callEvent struct {
	Time string `json:"time"` // RFC 3339
	Call string `json:"call"`
	Leg  string `json:"leg"`
	event
	// Missed events were left out before this one: the subscriber is too slow.
	Missed int `json:"missed,omitempty"`
}

// Publish tells the subscribers of an event that happens now. It does not block.
func (e *Events) Publish(f bridge.Facts, what bridge.Event) {
	now := stamp(time.Now())
	e.mu.Lock()
	defer e.mu.Unlock()
	for ch, missed := range e.subscribers {
		if len(ch) == cap(ch) {
			*missed++
			continue
		}
		// Attributes are numbers, texts and durations, which are JSON.
		message, err := json.Marshal(callEvent{now, f.ID, f.Leg, showEvent(what), *missed})
		if err != nil {
			*missed++
			continue
		}
		*missed = 0
		ch <- message
	}
}

// stamp is a time as RFC 3339 has it, in milliseconds.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z07:00") }

func (e *Events) subscribe() chan []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	ch := make(chan []byte, eventBacklog)
	e.subscribers[ch] = new(int)
	return ch
}

func (e *Events) unsubscribe(ch chan []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.subscribers, ch)
}

// ServeHTTP streams events as server-sent events until the client leaves.
func (e *Events) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	messages := e.subscribe()
	defer e.unsubscribe(messages)
	beat := time.NewTicker(eventHeartbeat)
	defer beat.Stop()
	for {
		if err := control.Flush(); err != nil {
			return
		}
		var err error
		select {
		case m := <-messages:
			_, err = fmt.Fprintf(w, "data: %s\n\n", m)
		case <-beat.C:
			_, err = fmt.Fprint(w, ": still here\n\n")
		case <-r.Context().Done():
			return
		}
		if err != nil {
			return
		}
	}
}
