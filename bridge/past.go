package bridge

import (
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// Past is what is remembered of a call that has ended.
type Past struct {
	Facts   Facts
	Agent   string
	Cause   media.Cause
	Refusal Refusal // of a call out
	// AnsweredBy is who has answered a call out, if that was found out.
	AnsweredBy string
	Answered   time.Time // zero: never
	Ended      time.Time
	// Quality is how the audio came through the network; nil: not known.
	Quality *media.Quality
}

// pastLimit is how many calls a registry remembers.
const pastLimit = 1000

// memory is the calls that ended last. Its zero value remembers none.
type memory struct {
	calls []Past
	next  int // the oldest, once there are pastLimit
}

func (m *memory) add(p Past) {
	if len(m.calls) < pastLimit {
		m.calls = append(m.calls, p)
		return
	}
	m.calls[m.next] = p
	m.next = (m.next + 1) % pastLimit
}

func (m *memory) find(id string) (Past, bool) {
	for _, p := range m.calls {
		if p.Facts.ID == id {
			return p, true
		}
	}
	return Past{}, false
}

// Remember adds a call that was refused before it was carried to those that have
// ended.
func (r *Registry) Remember(p Past) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.past.add(p)
}

// Past returns a call that has ended, of the last 1000.
func (r *Registry) Past(id string) (Past, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.past.find(id)
}

// past returns what there is to remember of a call that Run has returned from.
func (c *Call) past() Past {
	p := Past{
		Facts: c.cfg.Facts, Agent: c.cfg.Agent.Name, Cause: media.CauseOf(c.cause), Refusal: c.refusal(),
		AnsweredBy: c.AnsweredBy(), Answered: c.answeredAt, Ended: time.Now(),
	}
	if q, ok := c.Quality(); ok {
		p.Quality = &q
	}
	return p
}
