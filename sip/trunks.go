package sip

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// trunk is a Trunk while it works.
type trunk struct {
	Trunk
	// servers are the addresses of its registrar: calls come from there.
	servers    atomic.Pointer[[]netip.Addr]
	registered atomic.Bool

	mu    sync.Mutex
	lines map[any]struct{} // who holds one of MaxCalls: calls, and attempts at one
	pace  bucket           // of CallsPerSecond
}

// take gives owner a line, or says that the trunk has no more to give.
func (t *trunk) take(owner any, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.MaxCalls > 0 && len(t.lines) >= t.MaxCalls {
		return fmt.Errorf("sip: trunk %s has %d calls: %w", t.Name, len(t.lines), media.Busy)
	}
	if rate := float64(t.CallsPerSecond); rate > 0 && !t.pace.take(now, rate, rate) {
		return fmt.Errorf("sip: trunk %s: more than %d calls per second: %w", t.Name, t.CallsPerSecond, media.Busy)
	}
	if t.lines == nil {
		t.lines = make(map[any]struct{})
	}
	t.lines[owner] = struct{}{}
	return nil
}

// pass moves a line from one owner to the next. Nothing happens when from has none.
func (t *trunk) pass(from, to any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.lines[from]; ok {
		delete(t.lines, from)
		t.lines[to] = struct{}{}
	}
}

// leave gives owner's line back, if it has one.
func (t *trunk) leave(owner any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.lines, owner)
}

// has reports whether addr is the trunk's.
func (t *trunk) has(addr netip.Addr) bool {
	if slices.ContainsFunc(t.From, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return true
	}
	servers := t.servers.Load()
	return servers != nil && slices.Contains(*servers, addr)
}

// known reports whether its calls are known by more than their password.
func (t *trunk) known() bool { return len(t.From) > 0 || t.Register != nil }

// trunks are all there are.
type trunks struct {
	list    []*trunk
	unknown *trunk // of sources that are nobody's, and of calls out without a trunk
}

func newTrunks(cfg *Config) (*trunks, error) {
	ts := &trunks{unknown: &trunk{Trunk: Trunk{Codecs: cfg.Codecs}}}
	for _, t := range cfg.Trunks {
		if ts.find(t.Name) != nil {
			return nil, fmt.Errorf("sip: two trunks are named %q", t.Name)
		}
		complete, err := t.complete(cfg)
		if err != nil {
			return nil, err
		}
		ts.list = append(ts.list, &trunk{Trunk: complete})
	}
	return ts, nil
}

// at returns the first trunk that addr belongs to, or nil.
func (ts *trunks) at(addr netip.Addr) *trunk {
	for _, t := range ts.list {
		if t.has(addr) {
			return t
		}
	}
	return nil
}

// facing returns the trunk that a server belongs to, by its name or address, or
// nil: whose authorities vouch for it.
func (ts *trunks) facing(host string, addr netip.Addr) *trunk {
	for _, t := range ts.list {
		for _, text := range []string{t.Server, t.Proxy} {
			if uri, err := parseURI(text); err == nil && strings.EqualFold(strings.Trim(uri.Host, "[]"), host) {
				return t
			}
		}
	}
	return ts.at(addr)
}

// byPassword returns those whose calls may come from anywhere.
func (ts *trunks) byPassword() []*trunk {
	var list []*trunk
	for _, t := range ts.list {
		if t.Caller.given() && !t.known() {
			list = append(list, t)
		}
	}
	return list
}

func (ts *trunks) find(name string) *trunk {
	for _, t := range ts.list {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// named returns the trunk of that name, "" being the one of nobody.
func (ts *trunks) named(name string) (*trunk, error) {
	if name == "" {
		return ts.unknown, nil
	}
	if t := ts.find(name); t != nil {
		return t, nil
	}
	names := make([]string, len(ts.list))
	for i, t := range ts.list {
		names[i] = t.Name
	}
	return nil, fmt.Errorf("sip: no trunk is named %q: there are %s", name, strings.Join(names, ", "))
}
