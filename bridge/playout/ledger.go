package playout

import "slices"

// Ref names one content part of one item of one response.
type Ref struct {
	ResponseID   string
	ItemID       string
	ContentIndex int
}

// item is the ledger's entry for one content part. It lives from its first mention
// until it is complete and wholly heard, or interrupted.
type item struct {
	ref                   Ref
	received, sent, heard int64
	complete              bool // nothing more will be received
}

func (it *item) is(responseID, itemID []byte, content int) bool {
	return it != nil && it.ref.ContentIndex == content &&
		it.ref.ItemID == string(itemID) && it.ref.ResponseID == string(responseID)
}

// segment is a run of the stream's bytes that belong to one item.
type segment struct {
	it *item
	n  int64
}

// response is one response that the server is still generating.
type response struct {
	id  string
	cut bool // interrupted: whatever still comes of it is dropped
}

// maxResponses bounds the responses remembered as running, for servers that do
// not end what they begin.
const maxResponses = 16

// maxItems bounds the items that are not wholly heard, or of which more may come.
const maxItems = 256

// ledger says whose the stream's bytes are. Its segments cover the bytes from
// heard to received; it knows nothing of their contents.
type ledger struct {
	items     []*item
	last      *item // the item written last
	segments  []segment
	heardSeg  int   // segment of the byte at position heard
	heardOff  int64 // of that segment, already heard
	sentSeg   int
	sentOff   int64
	responses []response
	past      []response // those that are over, the newest last
}

// find returns the live item of ref, nil if there is none.
func (l *ledger) find(responseID, itemID []byte, content int) *item {
	if l.last.is(responseID, itemID, content) {
		return l.last
	}
	for _, it := range l.items {
		if it.is(responseID, itemID, content) {
			return it
		}
	}
	return nil
}

// promised returns the item that was announced and has no audio yet.
func (l *ledger) promised(responseID, itemID []byte) *item {
	for _, it := range l.items {
		if it.received == 0 && !it.complete &&
			it.ref.ItemID == string(itemID) && it.ref.ResponseID == string(responseID) {
			return it
		}
	}
	return nil
}

// received books n bytes of it.
func (l *ledger) received(it *item, n int64) {
	it.received += n
	l.last = it
	if k := len(l.segments); k > 0 && l.segments[k-1].it == it {
		l.segments[k-1].n += n
		return
	}
	l.segments = append(l.segments, segment{it, n})
}

// sent books the next n bytes as sent and returns the first item that begins
// to sound with them, if any.
func (l *ledger) sent(n int64) (started *item) {
	for n > 0 {
		seg := &l.segments[l.sentSeg]
		step := min(n, seg.n-l.sentOff)
		if step == 0 {
			l.sentSeg, l.sentOff = l.sentSeg+1, 0
			continue
		}
		if seg.it.sent == 0 && started == nil {
			started = seg.it
		}
		seg.it.sent += step
		l.sentOff += step
		n -= step
	}
	return started
}

// rewind books what was sent and not heard as not sent.
func (l *ledger) rewind() {
	for k := l.heardSeg; k <= l.sentSeg && k < len(l.segments); k++ {
		l.segments[k].it.sent = l.segments[k].it.heard
	}
	l.sentSeg, l.sentOff = l.heardSeg, l.heardOff
}

// heard books the next n sent bytes as heard.
func (l *ledger) heard(n int64) {
	for n > 0 {
		seg := &l.segments[l.heardSeg]
		step := min(n, seg.n-l.heardOff)
		if step == 0 {
			l.heardSeg, l.heardOff = l.heardSeg+1, 0
			continue
		}
		seg.it.heard += step
		l.heardOff += step
		n -= step
		if seg.it.complete && seg.it.heard == seg.it.received {
			l.remove(seg.it)
		}
	}
	l.compact()
}

// compact drops the segments that are heard, in place, now and then.
func (l *ledger) compact() {
	if l.heardSeg < 64 {
		return
	}
	n := copy(l.segments, l.segments[l.heardSeg:])
	clear(l.segments[n:])
	l.segments = l.segments[:n]
	l.sentSeg -= l.heardSeg
	l.heardSeg = 0
}

// room reports that there is place for one more item, and makes it if need be:
// there are servers that end nothing, and what was heard so far will be of no more
// interest.
func (l *ledger) room() bool {
	if len(l.items) < maxItems {
		return true
	}
	for _, it := range l.items {
		if it.heard == it.received {
			l.remove(it)
			return true
		}
	}
	return false
}

// completed books that nothing more of it will come.
func (l *ledger) completed(it *item) {
	it.complete = true
	if it.heard == it.received {
		l.remove(it)
	}
}

func (l *ledger) remove(it *item) {
	for i, other := range l.items {
		if other == it {
			l.items = append(l.items[:i], l.items[i+1:]...)
			break
		}
	}
	if l.last == it {
		l.last = nil
	}
}

// running returns the running response named id, nil if there is none.
func (l *ledger) running(id []byte) *response {
	for i := range l.responses {
		if l.responses[i].id == string(id) {
			return &l.responses[i]
		}
	}
	return nil
}

// begin books a new running response.
func (l *ledger) begin(id string) *response {
	if len(l.responses) == maxResponses {
		l.forget(0)
	}
	l.past = slices.DeleteFunc(l.past, func(r response) bool { return r.id == id }) // the name is used again
	l.responses = append(l.responses, response{id: id})
	return &l.responses[len(l.responses)-1]
}

// end forgets a running response and completes its items.
func (l *ledger) end(id string) {
	ended := response{id: id}
	for i := range l.responses {
		if l.responses[i].id == id {
			ended = l.responses[i]
			l.forget(i)
			break
		}
	}
	l.remember(ended)
	kept := l.items[:0]
	for _, it := range l.items {
		if it.ref.ResponseID == id {
			it.complete = true
		}
		if !it.complete || it.heard < it.received {
			kept = append(kept, it)
		} else if it == l.last {
			l.last = nil
		}
	}
	clear(l.items[len(kept):])
	l.items = kept
}

// forget drops a running response. One that was cut stays known, lest audio of it
// that comes late be taken for a new one's.
func (l *ledger) forget(i int) {
	if r := l.responses[i]; r.cut {
		l.remember(r)
	}
	l.responses = append(l.responses[:i], l.responses[i+1:]...)
}

// remember keeps a response that is over. Recordings of ours have none.
func (l *ledger) remember(r response) {
	if r.id == "" {
		return
	}
	if known := l.over([]byte(r.id)); known != nil {
		known.cut = known.cut || r.cut
		return
	}
	if len(l.past) == maxResponses {
		l.past = append(l.past[:0], l.past[1:]...)
	}
	l.past = append(l.past, r)
}

// over returns the response named id that is over, nil if there is none.
func (l *ledger) over(id []byte) *response {
	for i := range l.past {
		if l.past[i].id == string(id) {
			return &l.past[i]
		}
	}
	return nil
}

// wasCut reports whether a response was interrupted, running or not.
func (l *ledger) wasCut(id []byte) bool {
	if r := l.running(id); r != nil {
		return r.cut
	}
	r := l.over(id)
	return r != nil && r.cut
}

// generating reports whether more audio may come.
func (l *ledger) generating() bool {
	for _, r := range l.responses {
		if !r.cut {
			return true
		}
	}
	return false
}
