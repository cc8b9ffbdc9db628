package mediastream

import (
	"errors"
	"math"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/callgw/callgw/bridge/media"
)

const (
	// goodbye is how long the peer may take to close its side after us.
	goodbye = 500 * time.Millisecond
	// closeWait bounds the writing of a close frame, and other last words.
	closeWait = 250 * time.Millisecond
)

// reader takes the carrier's messages. It never waits for anything else, as the
// carrier throws away audio that it cannot deliver.
type reader struct {
	s      *Stream
	socket *socket
	up     media.Uplink
	down   media.Downlink

	gaps    gaps
	coder   coder
	order   order
	alive   time.Time // the latest message of any kind
	message message
	audio   []byte
	silence [media.FrameBytes]byte
	trip    prometheus.Observer
}

func newReader(s *Stream, sock *socket, up media.Uplink, down media.Downlink) *reader {
	now := time.Now()
	r := &reader{s: s, socket: sock, up: up, down: down, gaps: newGaps(now), coder: newCoder(s.profile.binary), alive: now}
	r.trip = s.cfg.Metrics.roundTrip.WithLabelValues(string(s.Carrier()))
	media.PCMU.FillSilence(r.silence[:])
	sock.below.alarm, sock.below.cutoff = r, time.Time{}
	return r
}

// run reads until the socket is done with, and returns why.
func (r *reader) run() error {
	for early := range slices.Chunk(r.socket.early, media.FrameBytes*r.s.profile.binary.width()) {
		r.binary(time.Now(), early)
	}
	r.socket.early = nil
	for {
		text, binary, err := r.socket.next()
		if err != nil {
			err = readFault(err)
			if errors.Is(err, media.CallerHungUp) { // closed without a stop
				err = r.s.stopCause()
			}
			return err
		}
		now := time.Now()
		if r.finished(now) {
			continue
		}
		switch {
		case !binary:
			err = r.handle(now, text)
		case r.s.profile.binary == noBinary:
			err = faultBinary
		default:
			r.alive = now
			r.binary(now, text)
		}
		if err != nil {
			r.s.end(err)
		}
	}
}

// finished tells whether the stream is to end; from then on only the peer's
// close is waited for.
func (r *reader) finished(now time.Time) bool {
	if !r.s.isOver() {
		return false
	}
	if r.socket.below.cutoff.IsZero() {
		r.socket.below.cutoff = now.Add(goodbye)
	}
	return true
}

// due implements alarm.
func (r *reader) due() time.Time { return r.order.due(r.gaps.due()) }

// ring implements alarm.
func (r *reader) ring(now time.Time) {
	for r.order.late(now) {
		r.inOrder(now)
	}
	silence := r.gaps.idle(now)
	switch {
	case r.finished(now):
	case r.s.cfg.MediaTimeout > 0 && now.Sub(r.alive) >= r.s.cfg.MediaTimeout:
		r.s.end(faultSilent)
	default:
		r.passSilence(silence)
	}
}

// handle takes one message; an error ends the stream.
func (r *reader) handle(now time.Time, text []byte) error {
	m := &r.message
	if err := r.s.profile.parse(text, m); err != nil {
		return faultMalformed
	}
	r.alive = now
	if m.stream != nil && string(m.stream) != r.s.start.stream {
		return faultStream
	}
	switch m.event {
	case eventMedia:
		r.media(now, m)
	case eventMark:
		r.mark(now, m.mark)
	case eventDTMF:
		r.digit(m.digit)
	case eventStop:
		return r.s.stopCause()
	case eventStatus:
		r.status(now, m.unplayed)
	case eventPause, eventResume:
		r.s.pause(m.event == eventPause)
	case eventFault:
		r.drop(dropRefused)
		r.s.log.Debug().Bytes("message", text).Msg("carrier refuses a message")
	case eventTransferred, eventTransferFailed:
		r.s.decideTransfer(m)
	case eventStart, eventConnected:
		return faultOrder
	}
	return nil
}

func (r *reader) media(now time.Time, m *message) {
	if m.track != nil && string(m.track) != "inbound" {
		return // our own audio, where a carrier sends both tracks
	}
	audio, err := m.audio(r.audio)
	if err != nil || len(audio) == 0 {
		r.drop(dropPayload)
		return
	}
	r.audio = audio
	if !r.s.profile.shuffled || m.chunk <= 0 || m.chunk > maxChunk {
		r.pass(now, m.timestamp, m.stamped, audio)
		return
	}
	for r.order.crowded(m.chunk) {
		r.inOrder(now)
	}
	if !r.order.put(now, m.chunk, m.timestamp, m.stamped, audio) {
		r.drop(dropLate)
		return
	}
	for r.order.ready() {
		r.inOrder(now)
	}
}

// inOrder passes the next of the media messages that were put in order.
func (r *reader) inOrder(now time.Time) {
	f := r.order.take()
	r.pass(now, f.timestamp, f.stamped, f.audio)
}

// binary takes audio that comes without a message around it.
func (r *reader) binary(now time.Time, audio []byte) {
	r.audio = r.coder.appendIn(r.audio[:0], audio)
	if len(r.audio) > 0 {
		r.pass(now, 0, false, r.audio)
	}
}

// pass hands audio on, after the silence that is missing before it.
func (r *reader) pass(now time.Time, timestamp int64, stamped bool, audio []byte) {
	r.passSilence(r.gaps.audio(now, timestamp, stamped, len(audio)))
	r.s.counters.framesIn.Add(1)
	r.s.counters.bytesIn.Add(uint64(len(audio)))
	r.up.Frame(audio)
}

func (r *reader) passSilence(n int64) {
	if n <= 0 {
		return
	}
	r.s.counters.silence.Add(uint64(n))
	r.s.cfg.Metrics.silence.Add(float64(n))
	for ; n > 0; n -= media.FrameBytes {
		r.up.Frame(r.silence[:min(n, media.FrameBytes)])
	}
}

func (r *reader) mark(now time.Time, name []byte) {
	gen, seq, probe, ok := parseMark(name)
	if !ok {
		return // not ours; carriers may know others
	}
	r.s.mu.Lock()
	if probe {
		trip := r.s.head.answer(now, seq)
		r.s.mu.Unlock()
		r.observe(trip)
		return
	}
	heard, news := r.s.head.echo(now, gen, seq)
	r.s.mu.Unlock()
	if news {
		r.down.Heard(heard)
	}
}

// status takes the answer to a question how much is unplayed.
func (r *reader) status(now time.Time, frames int64) {
	frames = min(frames, math.MaxInt32) // no queue is that long
	r.s.mu.Lock()
	trip := r.s.asked.answer(now, &r.s.head, frames*media.FrameBytes)
	r.s.mu.Unlock()
	r.observe(trip)
}

// observe measures a round trip, 0 if there was none.
func (r *reader) observe(trip time.Duration) {
	if trip > 0 {
		r.trip.Observe(trip.Seconds())
	}
}

func (r *reader) digit(name []byte) {
	if len(name) == 1 {
		if d, ok := media.ParseDigit(name[0]); ok {
			r.s.counters.digits.Add(1)
			r.up.Digit(d)
			return
		}
	}
	r.drop(dropDigit)
}

func (r *reader) drop(reason string) {
	r.s.counters.dropped.Add(1)
	r.s.cfg.Metrics.faults[reason].Inc()
}
