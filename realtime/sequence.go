package realtime

import (
	"maps"
	"slices"
	"time"
)

const (
	maxWaiting = 16 // responses that may wait for the running one
	remembered = 8  // requests that a late error can still be matched with
	maxEnded   = 32 // responses of which a second end is known for one
	// A response.create that is neither answered nor refused for so long does
	// not keep others waiting.
	requestTime = 10 * time.Second
)

// sequence orders the responses of the default conversation, of which only one
// may run: a response.create waits while one is running or has been asked for.
// It is a state machine without a clock; the session serialises its methods.
type sequence struct {
	active    string // id of the running response
	running   bool
	requested string // event id of the response.create in flight
	since     time.Time
	waiting   []ResponseRequest
	reply     reply         // the running response
	sent      []sentRequest // the latest, oldest first
	ended     []string      // the ids of the latest that have ended, oldest first
}

// reply is what is known of the running response: what it will be worth if the
// session is lost.
type reply struct {
	request ResponseRequest // that asked for it; plain if the server began by itself
	spoke   bool            // it has made words or audio
	called  bool            // it has called a function
}

// sentRequest is a response.create that an event may answer.
type sentRequest struct {
	id      string
	request ResponseRequest
}

// add queues a request. A plain one joins a plain one that waits already: it
// asks for nothing that the other will not bring.
func (q *sequence) add(r ResponseRequest) error {
	if r.plain() {
		for _, other := range q.waiting {
			if other.plain() {
				return nil
			}
		}
	}
	if len(q.waiting) >= maxWaiting {
		return ErrBacklog
	}
	q.waiting = append(q.waiting, r)
	return nil
}

// next returns the request that may be sent now.
func (q *sequence) next(now time.Time) (ResponseRequest, bool) {
	if len(q.waiting) == 0 || q.running || q.requested != "" && now.Sub(q.since) < requestTime {
		return ResponseRequest{}, false
	}
	r := q.waiting[0]
	q.waiting = append(q.waiting[:0], q.waiting[1:]...)
	return r, true
}

// asked notes that a request went out under an event id.
func (q *sequence) asked(id string, r ResponseRequest, now time.Time) {
	if !r.outOfBand() {
		q.requested, q.since = id, now
	}
	if len(q.sent) == remembered {
		q.sent = append(q.sent[:0], q.sent[1:]...)
	}
	q.sent = append(q.sent, sentRequest{id, r})
}

// created notes that a response runs, whoever asked for it, and tells whether it
// is one of the default conversation.
func (q *sequence) created(r Response) bool {
	// There are servers that use a name again.
	q.ended = slices.DeleteFunc(q.ended, func(id string) bool { return id == r.ID })
	if q.isOutOfBand(r) {
		return false
	}
	// The request in flight stays noted: this may be the server's own response,
	// and ours be refused because of it.
	q.active, q.running = r.ID, true
	q.reply = reply{request: q.inFlight()}
	return true
}

// inFlight returns the request that is in flight, or a plain one.
func (q *sequence) inFlight() ResponseRequest {
	for _, s := range q.sent {
		if s.id == q.requested {
			return s.request
		}
	}
	return ResponseRequest{}
}

// progress notes that a response has said something, or called a function.
func (q *sequence) progress(responseID string, called bool) {
	if q.running && responseID == q.active {
		q.reply.called = q.reply.called || called
		q.reply.spoke = q.reply.spoke || !called
	}
}

// sounded is progress for the audio path.
func (q *sequence) sounded(responseID []byte) {
	if q.running && q.active == string(responseID) {
		q.reply.spoke = true
	}
}

// idle tells whether no response is running, in flight or waiting.
func (q *sequence) idle() bool { return !q.running && q.requested == "" && len(q.waiting) == 0 }

// interrupt forgets the connection. What was asked of it waits again; due tells
// that a response was to come unasked. One that had spoken already goes on with
// a plain request: its own might make it begin anew. One that had called a
// function is followed by whoever answers the call.
func (q *sequence) interrupt(due bool) {
	switch {
	case q.running && q.reply.called:
	case q.running && q.reply.spoke:
		q.first(ResponseRequest{})
	case q.running:
		q.first(q.reply.request)
	case q.requested != "":
		q.first(q.inFlight())
	case due:
		q.first(ResponseRequest{})
	}
	*q = sequence{waiting: q.waiting}
}

// first queues a request before all others.
func (q *sequence) first(r ResponseRequest) {
	if r.plain() {
		for _, other := range q.waiting {
			if other.plain() {
				return
			}
		}
	}
	q.waiting = append([]ResponseRequest{r}, q.waiting...)
}

// isOutOfBand tells whether a new response is beside the default conversation.
// Servers say so by a null conversation_id; some never send one, so a request
// of ours must match too.
func (q *sequence) isOutOfBand(r Response) bool {
	if r.ConversationID != "" {
		return false
	}
	for i, s := range q.sent {
		if s.request.outOfBand() && maps.Equal(s.request.Metadata, r.Metadata) {
			q.sent = append(q.sent[:i], q.sent[i+1:]...)
			return true
		}
	}
	return false
}

// done notes the end of a response, and tells whether it had not ended before.
func (q *sequence) done(r Response) bool {
	if slices.Contains(q.ended, r.ID) {
		return false
	}
	if r.ID != "" {
		if len(q.ended) == maxEnded {
			q.ended = append(q.ended[:0], q.ended[1:]...)
		}
		q.ended = append(q.ended, r.ID)
	}
	if q.running && (r.ID == q.active || q.active == "") {
		q.active, q.running, q.requested = "", false, ""
	}
	return true
}

// refused notes an error and tells whether it concerned a request. One that
// came too early is asked again, first, when the running response is done.
func (q *sequence) refused(e ErrorDetail) bool {
	id := e.EventID
	if id == "" && e.Code == codeActiveResponse {
		id = q.requested
	}
	for i, s := range q.sent {
		if s.id != id {
			continue
		}
		q.sent = append(q.sent[:i], q.sent[i+1:]...)
		if q.requested == id {
			q.requested = ""
		}
		if e.Code == codeActiveResponse && !s.request.outOfBand() {
			q.waiting = append([]ResponseRequest{s.request}, q.waiting...)
			if !q.running {
				// We were not told of the response that is in the way; its end
				// will come all the same.
				q.active, q.running = "", true
			}
		}
		return true
	}
	return false
}

const codeActiveResponse = "conversation_already_has_active_response"

func (r ResponseRequest) outOfBand() bool { return r.Conversation == noConversation }

// continues tells whether the response goes on with the conversation, rather
// than with words or a context of its own.
func (r ResponseRequest) continues() bool {
	return !r.outOfBand() && r.Instructions == "" && r.Input == nil
}

// plain requests say nothing beyond "respond".
func (r ResponseRequest) plain() bool { return r.wire(GA) == nil }
