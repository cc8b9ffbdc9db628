package sip

import (
	"maps"
	"slices"
	"sync"

	gosip "github.com/emiago/sipgo/sip"
)

// calls are the dialogs that exist, and who serves them.
type calls struct {
	met *acquaintances // those that are spoken with

	mu       sync.Mutex
	byDialog map[dialogID]*Call
	byInvite map[inviteID]*Call
}

// inviteID is what two copies of an INVITE that came by different ways share
// (RFC 3261 §8.2.2.2).
type inviteID struct{ callID, from, cseq string }

func inviteOf(req *gosip.Request) inviteID {
	return inviteID{callID(req), fromTag(req), cseq(req)}
}

func (cs *calls) add(c *Call) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.byDialog == nil {
		cs.byDialog = make(map[dialogID]*Call)
		cs.byInvite = make(map[inviteID]*Call)
	}
	cs.byDialog[c.d.id] = c
	if c.invited() {
		cs.met.meet(c.source.Addr())
	}
	if c.tx != nil {
		cs.byInvite[inviteOf(c.req)] = c
	}
}

func (cs *calls) remove(c *Call) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.byDialog[c.d.id] == c && c.invited() {
		cs.met.part(c.source.Addr())
	}
	delete(cs.byDialog, c.d.id)
	if id := inviteOf(c.req); cs.byInvite[id] == c {
		delete(cs.byInvite, id)
	}
}

// invited reports whether there is more to the call than that somebody calls: we have
// called, or they are known by a trunk.
func (c *Call) invited() bool { return c.tx == nil || c.trunk != c.s.trunks.unknown }

// move makes c known by another dialog. The caller holds c's lock.
func (cs *calls) move(c *Call, to dialogID) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	delete(cs.byDialog, c.d.id)
	cs.byDialog[to] = c
}

// of returns the call whose dialog req belongs to, or nil.
func (cs *calls) of(req *gosip.Request) *Call {
	return cs.with(dialogID{callID(req), toTag(req), fromTag(req)})
}

// with returns the call of that dialog, or nil.
func (cs *calls) with(id dialogID) *Call {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.byDialog[id]
}

// merged reports whether another copy of this INVITE is already a call.
func (cs *calls) merged(req *gosip.Request) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.byInvite[inviteOf(req)] != nil
}

func (cs *calls) count() int {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return len(cs.byDialog)
}

// all returns the calls that exist now.
func (cs *calls) all() []*Call {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return slices.Collect(maps.Values(cs.byDialog))
}
