package bridge

import (
	"strings"
	"time"
)

// Bounds of a timeline. Its beginning tells how the call came about and the
// newest events what is the matter now: what lies between is left out.
const (
	beginningEvents = 512
	beginningBytes  = 128 << 10
	newestEvents    = 4096 - beginningEvents
	newestBytes     = 1<<20 - beginningBytes
	longestText     = 8 << 10 // bytes of one attribute: ten minutes of speech
)

// bounded keeps the first events it is given and the last.
type bounded struct {
	beginning []Event
	bytes     int
	newest    []Event // the first gone of which are left out
	gone      int
	newBytes  int
	omitted   int           // events, in all
	until     time.Duration // the offset of the last of them
}

func (b *bounded) add(e Event) {
	size := sizeOf(e)
	if len(b.newest) == 0 && len(b.beginning) < beginningEvents && b.bytes+size <= beginningBytes {
		b.beginning = append(b.beginning, e)
		b.bytes += size
		return
	}
	b.newest = append(b.newest, e)
	b.newBytes += size
	for len(b.newest)-b.gone > newestEvents || b.newBytes > newestBytes {
		b.omit()
	}
}

// omit leaves out the oldest of the newest.
func (b *bounded) omit() {
	e := &b.newest[b.gone]
	b.newBytes -= sizeOf(*e)
	b.until = e.Offset
	*e = Event{}
	b.gone++
	b.omitted++
	if b.gone > newestEvents/2 {
		n := copy(b.newest, b.newest[b.gone:])
		clear(b.newest[n:])
		b.newest, b.gone = b.newest[:n], 0
	}
}

// all returns what is kept, with an event in the place of what is not.
func (b *bounded) all() []Event {
	events := make([]Event, 0, len(b.beginning)+1+len(b.newest)-b.gone)
	events = append(events, b.beginning...)
	if b.omitted > 0 {
		events = append(events, Event{b.until, EventOmitted, []Attr{{"events", b.omitted}}})
	}
	return append(events, b.newest[b.gone:]...)
}

// sizeOf is how many bytes an event takes, roughly.
func sizeOf(e Event) int {
	n := 64
	for _, a := range e.Attrs {
		n += 48
		if text, ok := a.Value.(string); ok {
			n += len(text)
		}
	}
	return n
}

// shortened returns a value of which a peer cannot make more than may be kept.
func shortened(value any) any {
	text, ok := value.(string)
	if !ok || len(text) <= longestText {
		return value
	}
	return strings.ToValidUTF8(text[:longestText], "") + "…"
}
