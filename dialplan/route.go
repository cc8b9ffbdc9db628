package dialplan

// Route says which calls it takes and what happens to them: Agent, Reject or
// Redirect is set.
type Route struct {
	Name     string // empty: "#" and its place in the plan, from 1
	When     When   // zero: every call
	Agent    string
	Reject   *Reject
	Redirect *Redirect
	Set      any // what the route changes in the agent; carried, never looked at
}

// When is a list of conditions, all of which must hold. A nil member is none.
type When struct {
	To     []string            // patterns for the called number: one must match
	From   []string            // patterns for the caller's number; "anonymous" matches a withheld one
	Trunk  []string            // names
	Leg    []string            // names
	Header map[string][]string // patterns for the values of each named header; "*" asks that it be there
	Hours  []string            // see [ParseHours]: one must be now
}

// Reject refuses a call.
type Reject struct {
	Code   int    // SIP status, 400 to 699 except 401 and 407; 0: 603
	Reason string // the phrase that goes with it; empty: the status' own
}

// Redirect sends the caller elsewhere.
type Redirect struct {
	To string // a number or a SIP URI
}

// Decision is what becomes of a call.
type Decision struct {
	Route    *Route    // the one that matched, nil if none did; not to be changed
	Agent    string    // who takes the call, empty if nobody does
	Reject   *Reject   // set if the call is rejected
	Redirect *Redirect // set if the caller is sent elsewhere
}

// Verdict is what one route says about one call.
type Verdict struct {
	Route   *Route // not to be changed
	Matched bool   // all its conditions hold
	Chosen  bool   // and it is the first of which that is true
	Why     string // a sentence without a full stop
}
