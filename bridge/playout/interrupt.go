package playout

// Cut is what an interruption left of one item.
type Cut struct {
	Ref
	Received int64 // bytes received before the interruption
	Sent     int64 // bytes the leg had taken
	Heard    int64 // bytes the caller heard
	Complete bool  // nothing more was to come
}

// Whole reports that the caller missed nothing of the item.
func (c Cut) Whole() bool { return c.Complete && c.Heard == c.Received }

// Interruption is the state of the ledger at the moment of an interruption.
type Interruption struct {
	// Sent is the stream position up to which audio had been taken. On a leg
	// that does not write ahead this is what the caller heard.
	Sent int64
	// Sounding reports that audio was queued or not yet wholly heard.
	Sounding bool
	// Running holds the responses that were being generated. Whatever still
	// comes of them is dropped.
	Running []string

	heard    int64
	items    []*item
	segments []segment // from position heard on
}

// At returns what the caller missed if the stream was heard up to position: one
// Cut for each item that is not wholly heard, in order. A position outside of
// what was sent and not heard before is taken for its nearer end.
func (i Interruption) At(position int64) []Cut {
	left := max(0, min(position, i.Sent)-i.heard)
	heard := make(map[*item]int64, len(i.items))
	for _, seg := range i.segments {
		step := min(left, seg.n)
		heard[seg.it] += step
		left -= step
	}
	var cuts []Cut
	for _, it := range i.items {
		cut := Cut{it.ref, it.received, it.sent, it.heard + heard[it], it.complete}
		if !cut.Whole() {
			cuts = append(cuts, cut)
		}
	}
	return cuts
}

// Interrupt empties the queue, in one step: what was not taken will not be
// taken, and what still comes of the running responses is dropped. Positions go
// on from where they were.
func (q *Queue) Interrupt() Interruption {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := Interruption{
		Sent:     q.sent + q.shift,
		Sounding: q.received > q.heard,
		heard:    q.heard + q.shift,
		items:    q.ledger.items,
	}
	for k := q.ledger.heardSeg; k < len(q.ledger.segments); k++ {
		seg := q.ledger.segments[k]
		if k == q.ledger.heardSeg {
			seg.n -= q.ledger.heardOff
		}
		i.segments = append(i.segments, seg)
	}
	responses := q.ledger.responses
	for k := range responses {
		if !responses[k].cut {
			i.Running = append(i.Running, responses[k].id)
		}
		responses[k].cut = true
	}
	for _, it := range q.ledger.items {
		if q.ledger.running([]byte(it.ref.ResponseID)) == nil {
			q.ledger.remember(response{id: it.ref.ResponseID})
		}
	}
	// These have ended, but servers are not to be trusted.
	for k := range q.ledger.past {
		q.ledger.past[k].cut = true
	}
	q.ledger = ledger{segments: q.ledger.segments[:0], responses: responses, past: q.ledger.past}
	q.stream.clear()
	q.received, q.heard = q.sent, q.sent
	q.playing = false
	return i
}
