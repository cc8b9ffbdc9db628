package realtime

import "slices"

// maxSeen is how many calls back one that comes again is known.
const maxSeen = 256

// calls are the function calls of a session, in rounds: those of one response
// are spoken of in one response. It is a state machine without a clock; the
// session serialises its methods.
type calls struct {
	seen        []string          // the latest ids of calls and approval requests: each is answered once
	rounds      map[string]*round // by response, until it has ended and all is answered
	running     map[*call]bool
	unconfirmed map[string]string // answers that the server has not shown yet: id → client event
	aside       map[string]bool   // responses outside of the conversation: their calls are not ours
	owed        bool              // answers wait to be spoken of

	awaited bool // the server is going to answer a turn: it will know the answers
}

func newCalls() calls {
	return calls{
		rounds:      map[string]*round{},
		running:     map[*call]bool{},
		unconfirmed: map[string]string{},
		aside:       map[string]bool{},
	}
}

// round is what one response wants to be answered.
type round struct {
	open  int  // not answered yet
	ended bool // the response is done: nothing more comes
	loud  bool // one of the answers is to be spoken of
}

// call is one call under way.
type call struct {
	FunctionCall
	round       *round
	function    *function     // nil: unknown
	interrupted chan struct{} // closed by an interruption
	cut         bool          // it is
}

// label is the call's name for the outside.
func (c *call) label() string {
	if c.function == nil {
		return unknownFunction
	}
	return c.function.Name
}

// first notes an id and tells whether it is new.
func (s *calls) first(id string) bool {
	if slices.Contains(s.seen, id) {
		return false
	}
	if len(s.seen) == maxSeen {
		s.seen = append(s.seen[:0], s.seen[1:]...)
	}
	s.seen = append(s.seen, id)
	return true
}

// join adds one to what a response wants to be answered. One that is not known
// to run has ended.
func (s *calls) join(responseID string, runs bool) *round {
	r := s.rounds[responseID]
	if r == nil {
		r = &round{ended: !runs}
		if runs {
			s.rounds[responseID] = r
		}
	}
	r.open++
	return r
}

// answered notes one answer of a round.
func (s *calls) answered(r *round, loud bool) {
	r.open--
	r.loud = r.loud || loud
	s.close(r)
}

// close makes the response due that a round asks for, once.
func (s *calls) close(r *round) {
	if r.ended && r.open == 0 && r.loud {
		r.loud, s.owed = false, true
	}
}

// ended notes the end of a response.
func (s *calls) ended(responseID string) {
	delete(s.aside, responseID)
	if r := s.rounds[responseID]; r != nil {
		delete(s.rounds, responseID)
		r.ended = true
		s.close(r)
	}
}

// lost notes that the connection has gone, and with it the responses outside of
// the conversation and the caller's turn. Calls go on.
func (s *calls) lost() {
	clear(s.aside)
	s.awaited = false
}

// settled notes that a response begins which knows every answer so far.
func (s *calls) settled() {
	s.owed = false
	for _, r := range s.rounds {
		if r.open == 0 {
			r.loud = false
		}
	}
}

// created notes a new response of the conversation. One that goes on with it
// knows the answers that the server has shown before, at least.
func (s *calls) created(continues bool) {
	s.awaited = false
	if continues && len(s.unconfirmed) == 0 {
		s.settled()
	}
}

// confirm notes that the server has shown an answer.
func (s *calls) confirm(item Item) {
	switch item.Type {
	case "function_call_output":
		delete(s.unconfirmed, item.CallID)
	case "mcp_approval_response":
		delete(s.unconfirmed, item.ApprovalRequestID)
	}
}

// refused notes an error, which may concern an answer.
func (s *calls) refused(e ErrorDetail) {
	for id, event := range s.unconfirmed {
		if e.EventID != "" && e.EventID == event {
			delete(s.unconfirmed, id)
		}
	}
}

// interrupt ends the calls that an interruption ends, of one response or of all.
func (s *calls) interrupt(responseID string) {
	for c := range s.running {
		if c.function == nil || c.function.OnInterrupt != Cancel || c.cut || responseID != "" && c.ResponseID != responseID {
			continue
		}
		c.cut = true
		close(c.interrupted)
	}
}
