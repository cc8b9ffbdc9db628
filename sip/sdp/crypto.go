package sdp

import (
	"strconv"
	"strings"
)

// proposal is an a=crypto line that this side understands.
type proposal struct {
	tag   int
	suite Suite
	key   Key
}

// attribute returns the line that the proposal is, after "a=crypto:".
func (p proposal) attribute() string {
	return strconv.Itoa(p.tag) + " " + p.suite.String() + " " + p.key.inline()
}

// proposal reads the line, unless its suite is unknown or it asks for what is not
// done here. Such lines are passed over (RFC 4568 §5.1.2).
func (c Crypto) proposal() (proposal, bool) {
	suite, ok := parseSuite(c.Suite)
	if !ok || !harmless(c.Params) {
		return proposal{}, false
	}
	// RFC 4568 §6.1: inline:<key||salt>["|" lifetime]["|" MKI ":" length]. Several
	// keys, which ";" separates, need an MKI to tell them apart.
	text, ok := cutPrefixFold(c.Key, "inline:")
	if !ok {
		return proposal{}, false
	}
	text, rest, more := strings.Cut(text, "|")
	if more && !lifetime(rest) {
		return proposal{}, false
	}
	key, ok := parseKey(suite, text)
	return proposal{c.Tag, suite, key}, ok
}

// lifetime reports whether s is a number of packets, alone: 2^n or n (RFC 4568
// §6.1). No call is long enough to use a sensible one up: 2^20 packets of 20 ms
// last six hours.
func lifetime(s string) bool {
	s = strings.TrimPrefix(s, "2^")
	_, err := strconv.ParseUint(s, 10, 64)
	return err == nil
}

// harmless reports whether session parameters leave the suite as it is. RFC 4568
// §6.3.7: unknown ones spoil the line unless they begin with "-". WSH hints at a
// replay window (§6.3.6).
func harmless(params string) bool {
	for p := range strings.FieldsSeq(params) {
		if !strings.HasPrefix(p, "-") && !strings.HasPrefix(p, "WSH=") {
			return false
		}
	}
	return true
}

func cutPrefixFold(s, prefix string) (after string, found bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// proposed returns the line's first proposal that this side understands, in the
// peer's order of preference (RFC 4568 §5.1.1). One of RFC 6188 is taken only
// when there is no other: it is registered, but few peers have it, and those that
// do have the others.
func (m *Media) proposed() (proposal, bool) {
	var last proposal
	for _, c := range m.Crypto {
		p, ok := c.proposal()
		switch {
		case !ok:
		case p.suite <= offeredSuites:
			return p, true
		case last.suite == 0:
			last = p
		}
	}
	return last, last.suite != 0
}

// proposals are what an offer of this side brings, each suite under a tag of its
// own: during a call the one in use, for some peers start anew when they see others.
func (l Local) proposals() []proposal {
	if used := l.Security.Suite; used.known() {
		return []proposal{{int(used), used, l.key(used, Key{})}}
	}
	all := make([]proposal, 0, offeredSuites)
	for s := Suite(1); s <= offeredSuites; s++ {
		all = append(all, proposal{int(s), s, l.key(s, Key{})})
	}
	return all
}

// chosen returns the proposal in an answer to an offer of this side. RFC 4568
// §5.1.3: it has tag and suite of one that was offered.
func (l Local) chosen(m *Media) (proposal, bool) {
	if len(m.Crypto) != 1 {
		return proposal{}, false
	}
	theirs, ok := m.Crypto[0].proposal()
	if !ok || theirs.tag != int(theirs.suite) {
		return proposal{}, false
	}
	if used := l.Security.Suite; used.known() {
		return theirs, theirs.suite == used
	}
	return theirs, theirs.suite <= offeredSuites
}
