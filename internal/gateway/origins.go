package gateway

import (
	"maps"
	"sync"
	"time"

	"github.com/callgw/callgw/dialplan"
)

// origin is what was asked for when a call was placed.
type origin struct {
	call  dialplan.Call
	agent string // who was named to speak; empty: the dialplan decides
}

// origins remembers calls out at carriers that end the stream of a call for a
// transfer: when that fails the call comes back as another one, of which the
// carrier tells the numbers alone.
type origins struct {
	mu   sync.Mutex
	kept map[string]keptOrigin // by the carrier's id
}

type keptOrigin struct {
	origin
	until time.Time
}

const (
	// originLife is how long a target may ring, and then some.
	originLife = 12 * time.Minute
	// maxOrigins bounds what is kept: 50 calls out per second that are all transferred
	// ring for a minute and a half.
	maxOrigins = 4096
)

// keep remembers o for a while. When there is too much to remember, the oldest is
// forgotten.
func (k *origins) keep(carrierCall string, o origin, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept == nil {
		k.kept = make(map[string]keptOrigin)
	}
	maps.DeleteFunc(k.kept, func(_ string, o keptOrigin) bool { return !now.Before(o.until) })
	if len(k.kept) >= maxOrigins {
		oldest, first := "", time.Time{}
		for id, o := range k.kept {
			if first.IsZero() || o.until.Before(first) {
				oldest, first = id, o.until
			}
		}
		delete(k.kept, oldest)
	}
	k.kept[carrierCall] = keptOrigin{o, now.Add(originLife)}
}

// take returns what is remembered of a call that has come back, and forgets it.
func (k *origins) take(carrierCall string, now time.Time) (origin, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	o, ok := k.kept[carrierCall]
	delete(k.kept, carrierCall)
	return o.origin, ok && now.Before(o.until)
}
