package mediastream

import (
	"slices"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// patience is how late an echo may be.
const patience = 2 * time.Second

// playhead knows how far the carrier has played what was sent to it.
//
// All positions are those at which something sent now arrives, since what
// counts is where a clear will cut. With d there and b back, a mark that was
// played at time p comes back at p+b, and a clear sent at t arrives at t+d, that
// is (t+d)-p = (t - echo) + (d+b) after the mark was played: elapsed time plus
// one round trip. Audio that finds the carrier dry begins to play on arrival,
// so before its first echo elapsed time alone is right.
//
// It is pure: time is an argument. Positions are bytes of the agent's stream;
// 0 ≤ heard ≤ sent, and heard never goes back.
type playhead struct {
	sent  int64 // behind the last byte written
	wire  int64 // bytes written, ever, with those that pad frames
	heard int64 // the most that was ever reported

	gen     uint64 // of marks: what a clear flushed carries an older one
	seq     uint64 // of the latest mark or probe
	pending []mark // not yet echoed, in order

	// While running, position began is where the carrier plays or played when
	// what was sent at zero arrived. A run ends when the carrier is dry.
	running bool
	zero    time.Time
	began   int64
	certain bool // the carrier was dry when the run began, whatever the clock says
	echoed  bool // a mark of this run has come back

	cut *cut // by the latest clear that had something to cut off

	trip    roundTrip
	probe   uint64 // seq of the probe under way, 0 if none
	probeAt time.Time
}

// mark is a place in the stream that the carrier will report.
type mark struct {
	seq  uint64
	end  int64
	wire int64 // bytes written when it was
	pad  int64 // of which, just before it, no audio
}

// clock returns where playout is by the clock alone.
func (h *playhead) clock(now time.Time) int64 {
	if !h.running {
		return h.sent
	}
	return min(h.began+media.Bytes(now.Sub(h.zero)), h.sent)
}

// position returns where the carrier will be when what is sent now arrives.
func (h *playhead) position(now time.Time) int64 {
	if !h.running {
		return h.heard
	}
	at := h.clock(now)
	if len(h.pending) > 0 {
		// This mark had not been played when the latest news was sent.
		at = min(at, h.pending[0].end+media.Bytes(h.trip.estimate()))
	}
	return max(at, h.heard)
}

// buffered returns how many bytes the carrier has yet to play, by the clock:
// a mark that got lost must not stop the writer.
func (h *playhead) buffered(now time.Time) int64 { return h.sent - h.clock(now) }

// idle tells that the carrier has certainly played everything.
func (h *playhead) idle() bool { return len(h.pending) == 0 }

// play books that the stream's bytes from position from on, n of them, are
// written now, followed by pad bytes of silence and a mark, whose seq it returns.
func (h *playhead) play(now time.Time, from, n, pad int64) uint64 {
	if h.idle() || h.clock(now) >= h.sent {
		h.running, h.certain, h.echoed = true, h.idle(), false
		h.zero, h.began = now, from
	}
	h.sent = from + n
	h.wire += n + pad
	h.seq++
	h.pending = append(h.pending, mark{h.seq, h.sent, h.wire, pad})
	return h.seq
}

// ask books a probe that is written now, a mark while nothing is buffered, and
// returns its seq. The carrier must be idle.
func (h *playhead) ask(now time.Time) uint64 {
	h.seq++
	h.probe, h.probeAt = h.seq, now
	return h.seq
}

// answer books the echo of a probe. It returns the round trip, or 0 if the
// probe is not the latest.
func (h *playhead) answer(now time.Time, seq uint64) time.Duration {
	if seq == 0 || seq != h.probe {
		return 0
	}
	h.probe = 0
	d := now.Sub(h.probeAt)
	if d > patience { // not at once: this carrier waits for audio before it
		return 0
	}
	h.trip.add(d)
	return d
}

// echo books that a mark has come back. It returns the position heard; news is
// false for marks that a clear flushed and for unknown ones.
func (h *playhead) echo(now time.Time, gen, seq uint64) (heard int64, news bool) {
	if gen != h.gen {
		return h.heard, false
	}
	last := -1
	for i := range h.pending {
		if h.pending[i].seq == seq {
			last = i
			break
		}
	}
	if last < 0 {
		return h.heard, false
	}
	// Marks are played in order: those before it are too.
	end := h.pending[last].end
	h.pending = h.pending[:copy(h.pending, h.pending[last+1:])]
	if end > h.began {
		h.align(now, end)
	}
	h.heard = max(h.heard, end)
	if h.idle() {
		h.running = false
	}
	return h.heard, true
}

// align corrects the clock by a mark's echo. A run's first echo sets it; of the
// later ones an early one is believed, as delays only add, and a late one in
// part, as it is either delayed or the carrier has paused.
func (h *playhead) align(now time.Time, end int64) {
	zero := now.Add(-h.trip.estimate()).Add(-media.Duration(end - h.began))
	late := zero.Sub(h.zero)
	switch {
	case h.echoed && late > 0:
		late /= 4
	case !h.echoed && h.certain && late < 0:
		// It cannot have begun to play before it was sent: the round trip is
		// shorter than the probes, which met with delays, say.
		h.trip.add(h.trip.estimate() + late)
		late = 0
	}
	h.zero = h.zero.Add(late)
	h.echoed = true
}

// overdue gives up on marks whose echo is so late that it will not come: some
// carriers lose them, and nothing may wait for one for ever. It returns the
// position that the clock gives instead, and how many were lost.
func (h *playhead) overdue(now time.Time) (heard int64, lost int) {
	latest := now.Add(-h.trip.estimate() - patience)
	for lost < len(h.pending) && h.zero.Add(media.Duration(h.pending[lost].end-h.began)).Before(latest) {
		h.heard = max(h.heard, h.pending[lost].end)
		lost++
	}
	if lost > 0 {
		h.pending = h.pending[:copy(h.pending, h.pending[lost:])]
		h.running = !h.idle()
	}
	return h.heard, lost
}

// clear books that a clear is sent now. It returns the position heard when it
// takes effect. The marks still under way belong to the past.
func (h *playhead) clear(now time.Time) (heard int64) {
	floor := h.heard
	h.heard = h.position(now)
	if !h.idle() {
		h.cut = &cut{h.wire, slices.Clone(h.pending), floor, h.heard, make(chan int64, 1)}
	}
	h.gen++
	h.pending = h.pending[:0]
	h.running = false
	return h.heard
}
