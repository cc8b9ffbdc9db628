package mediastream

import "time"

// orderPatience is how long a media message waits for one that it has
// overtaken: shorter than quiet, so that no silence is invented meanwhile.
const orderPatience = 60 * time.Millisecond

const (
	// maxChunk is the last number that is believed: 5 million years of audio.
	maxChunk = 1 << 53
	// restart is how far numbers must go back to be those of a new beginning,
	// not of messages that come late: 20 s.
	restart = 1000
)

// order puts media messages that may overtake each other back in order, by
// their numbers. One that keeps the others waiting for too long is given up. It
// is pure: time is an argument. The zero order is empty.
type order struct {
	next int64 // the number that is due, 0 before the first
	held [8]held
	n    int // of held that wait
}

// held is a media message that waits.
type held struct {
	waits     bool
	since     time.Time
	timestamp int64
	stamped   bool
	audio     []byte
}

func (o *order) slot(chunk int64) *held { return &o.held[chunk%int64(len(o.held))] }

// crowded tells that chunk is so far ahead that room must be made by take.
func (o *order) crowded(chunk int64) bool {
	return o.n > 0 && chunk >= o.next+int64(len(o.held))
}

// put takes message number chunk, which must not be crowded; audio is copied.
// It returns false if the message comes a second time, or too late.
func (o *order) put(now time.Time, chunk, timestamp int64, stamped bool, audio []byte) bool {
	if o.n == 0 && (o.next == 0 || chunk >= o.next+int64(len(o.held)) || chunk < o.next-restart) {
		o.next = chunk
	}
	h := o.slot(chunk)
	if chunk < o.next || h.waits {
		return false
	}
	*h = held{true, now, timestamp, stamped, append(h.audio[:0], audio...)}
	o.n++
	return true
}

// ready tells that the message that is due is there.
func (o *order) ready() bool { return o.n > 0 && o.slot(o.next).waits }

// take returns the first of the messages that wait, of which there must be one.
// It is valid until the next put.
func (o *order) take() *held {
	h := o.first()
	h.waits = false
	o.n--
	o.next++
	return h
}

// first gives up what is missing before the first message that waits.
func (o *order) first() *held {
	for !o.slot(o.next).waits {
		o.next++
	}
	return o.slot(o.next)
}

// peek returns when the first message that waits began to.
func (o *order) peek() time.Time {
	for i := o.next; ; i++ {
		if h := o.slot(i); h.waits {
			return h.since
		}
	}
}

// late tells that the first message has waited long enough.
func (o *order) late(now time.Time) bool {
	return o.n > 0 && !now.Before(o.peek().Add(orderPatience))
}

// due returns when late may be, or when if that is earlier.
func (o *order) due(when time.Time) time.Time {
	if o.n == 0 {
		return when
	}
	if at := o.peek().Add(orderPatience); at.Before(when) {
		return at
	}
	return when
}
