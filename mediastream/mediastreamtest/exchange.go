package mediastreamtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/bridge/media"
)

// exchange is a running call: the carrier's clock, its playout and its two
// directions of network. One goroutine does everything, each thing at its time.
type exchange struct {
	c    *Call
	up   media.Uplink
	down media.Downlink

	began   time.Time
	ticks   int64
	playout playout
	frame   [media.FrameBytes]byte

	toCarrier []arrival // on their way, at: when they arrive
	toGateway []message
	media     int // media messages, ever
	swapped   *frame
	paused    bool      // nothing is played
	stopping  error     // why the call is to end, once it is
	cutoff    time.Time // when to stop waiting for the gateway's close
}

// message is on its way to the gateway; one without text stands for the close.
type message struct {
	at time.Time
	frame
}

func newExchange(c *Call, up media.Uplink, down media.Downlink) *exchange {
	return &exchange{c: c, up: up, down: down, began: time.Now()}
}

func (x *exchange) run(ctx context.Context, inbox <-chan arrival) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	done := ctx.Done()
	for {
		now := time.Now()
		if err := x.advance(now); errors.Is(err, errWrite) {
			return x.explain(inbox, err)
		} else if err != nil {
			return err
		}
		timer.Reset(x.next().Sub(now))
		select {
		case <-timer.C:
		case a := <-inbox:
			if a.err != nil {
				if x.stopping != nil {
					return x.stopping
				}
				return ending(a.err)
			}
			a.at = x.arrives(a.at, len(x.toCarrier), func(i int) time.Time { return x.toCarrier[i].at })
			x.toCarrier = append(x.toCarrier, a)
		case step := <-x.c.control:
			switch step.kind {
			case hangUp:
				x.stop(now, step.cause)
			case press:
				x.send(now, x.c.tongue.digit(x.c, step.digit))
			case misspeak:
				x.send(now, step.frame)
			case crash:
				return fmt.Errorf("mediastreamtest: crashed: %w", media.LegFailed)
			case stall:
				// Nobody empties the inbox: the socket is not read either.
				return x.stall(ctx)
			}
		case <-done:
			x.stop(now, context.Cause(ctx))
			done = nil
		}
	}
}

// stall waits until the call is over for the carrier.
func (x *exchange) stall(ctx context.Context) error {
	for {
		select {
		case step := <-x.c.control:
			if step.kind == hangUp {
				return fmt.Errorf("mediastreamtest: stalled: %w", step.cause)
			}
		case <-ctx.Done():
			return fmt.Errorf("mediastreamtest: stalled: %w: %w", media.LegFailed, context.Cause(ctx))
		}
	}
}

var errWrite = errors.New("mediastreamtest: write")

// explain returns why a write failed, which the reader knows: most often the
// gateway has closed the socket.
func (x *exchange) explain(inbox <-chan arrival, failed error) error {
	if x.stopping != nil {
		return x.stopping
	}
	patience := time.NewTimer(time.Second)
	defer patience.Stop()
	for {
		select {
		case a := <-inbox:
			if a.err != nil {
				return ending(a.err)
			}
		case <-patience.C:
			return failed
		}
	}
}

// next returns when something is due.
func (x *exchange) next() time.Time {
	if x.stopping != nil && len(x.toGateway) == 0 {
		return x.cutoff
	}
	at := x.tickAt()
	if len(x.toCarrier) > 0 && x.toCarrier[0].at.Before(at) {
		at = x.toCarrier[0].at
	}
	if len(x.toGateway) > 0 && x.toGateway[0].at.Before(at) {
		at = x.toGateway[0].at
	}
	return at
}

func (x *exchange) tickAt() time.Time {
	return x.began.Add(time.Duration(x.ticks) * media.FrameDuration)
}

// advance does what is due, in the order in which it happens.
func (x *exchange) advance(now time.Time) error {
	if x.stopping != nil && len(x.toGateway) == 0 {
		if now.Before(x.cutoff) {
			return nil
		}
		return x.stopping
	}
	for at := x.next(); !at.After(now); at = x.next() {
		switch {
		case len(x.toGateway) > 0 && x.toGateway[0].at.Equal(at):
			f := x.toGateway[0].frame
			x.toGateway = x.toGateway[:copy(x.toGateway, x.toGateway[1:])]
			if f.text == nil {
				return x.close(now)
			}
			if err := x.c.write(f); err != nil {
				return fmt.Errorf("%w: %w: %w", errWrite, media.LegFailed, err)
			}
		case len(x.toCarrier) > 0 && x.toCarrier[0].at.Equal(at):
			a := x.toCarrier[0]
			x.toCarrier = x.toCarrier[:copy(x.toCarrier, x.toCarrier[1:])]
			x.obey(at, a.order)
		default:
			x.tick(at)
			x.ticks++
		}
	}
	return nil
}

// obey does what a message of the gateway asks for.
func (x *exchange) obey(at time.Time, o order) {
	echo := func(name string) { x.echo(at, name) }
	switch o.event {
	case "media":
		x.playout.media(o.audio)
	case "mark":
		switch {
		case !x.playout.mark(o.mark):
		case o.framed: // looked at when the next frame is due
			x.playout.marks = append(x.playout.marks, queuedMark{o.mark, x.playout.received})
		default:
			echo(o.mark)
		}
	case "clear":
		x.clear(at, o.framed)
	case "status":
		x.send(at, x.c.tongue.status(x.c, (x.playout.received-x.playout.taken)/media.FrameBytes))
	case "pause":
		x.paused = true
	case "continue":
		x.paused = false
	case "transfer":
		x.c.cfg.Program.transfer(x.c, o)
	case "hangup":
		if p := x.c.cfg.Program; p != nil {
			p.book("hangup")
		}
		x.c.released = true
		x.stop(at, fmt.Errorf("mediastreamtest: the gateway hangs up: %w", media.CallerHungUp))
	}
}

// clear drops what is not played; framed: but for the frame that sounds.
func (x *exchange) clear(at time.Time, framed bool) {
	// Of the frame that sounds, only what has passed is heard.
	passed := media.Bytes(at.Sub(x.tickAt()) + media.FrameDuration)
	cut := max(x.playout.current-passed, 0)
	if framed {
		cut = 0
	}
	found := Clear{At: at, Played: x.playout.played - cut, Position: x.playout.taken - cut}
	var marks []string
	found.Dropped = cut + x.playout.clear(func(name string) { marks = append(marks, name) })
	for _, f := range x.c.tongue.cleared(x.c, marks) {
		x.send(at, f)
	}
	x.c.mu.Lock()
	defer x.c.mu.Unlock()
	x.c.clears = append(x.c.clears, found)
}

// tick is one frame of the carrier's clock: 20 ms of audio each way.
func (x *exchange) tick(at time.Time) {
	n := 0
	if !x.paused {
		n = x.playout.play(x.frame[:], func(name string) { x.echo(at, name) })
	}
	x.record(at, x.frame[:n])
	media.PCMU.FillSilence(x.frame[n:])
	x.up.Frame(x.frame[:])
	if x.stopping != nil {
		return
	}
	n = x.down.Next(x.frame[:])
	media.PCMU.FillSilence(x.frame[n:])
	if x.c.cfg.SkipSilence && silent(x.frame[:]) {
		return
	}
	x.speak(at, x.frame[:])
}

// speak sends caller audio, with the faults that are configured.
func (x *exchange) speak(at time.Time, audio []byte) {
	number := x.media
	x.media++
	if x.c.cfg.Lose != nil && x.c.cfg.Lose(number) {
		return
	}
	stamp := x.ticks * media.FrameDuration.Milliseconds()
	f := x.c.tongue.media(x.c, x.media, stamp, audio)
	every := func(n int) bool { return n > 0 && number%n == n-1 }
	if every(x.c.cfg.Swap) && x.swapped == nil {
		x.swapped = &f
		return
	}
	x.send(at, f)
	if every(x.c.cfg.Duplicate) {
		x.send(at, f)
	}
	if x.swapped != nil {
		x.send(at, *x.swapped)
		x.swapped = nil
	}
}

func (x *exchange) echo(at time.Time, name string) {
	x.send(at, x.c.tongue.played(x.c, name))
}

// send puts a message on its way to the gateway.
func (x *exchange) send(now time.Time, f frame) {
	if x.stopping == nil {
		x.post(now, f)
	}
}

func (x *exchange) post(now time.Time, f frame) {
	at := x.arrives(now, len(x.toGateway), func(i int) time.Time { return x.toGateway[i].at })
	x.toGateway = append(x.toGateway, message{at, f})
}

// arrives returns when a message that leaves now arrives: delayed, and not
// before the one ahead of it.
func (x *exchange) arrives(now time.Time, n int, at func(int) time.Time) time.Time {
	due := now.Add(x.c.cfg.Delay)
	if x.c.cfg.Jitter > 0 {
		due = due.Add(time.Duration(x.c.random.Int64N(int64(x.c.cfg.Jitter))))
	}
	if n > 0 && at(n-1).After(due) {
		return at(n - 1)
	}
	return due
}

// stop begins the end of the call.
func (x *exchange) stop(now time.Time, cause error) {
	if x.stopping != nil {
		return
	}
	for _, f := range x.c.tongue.stop(x.c) {
		x.send(now, f)
	}
	x.post(now, frame{})
	if cause == nil {
		cause = media.CallerHungUp
	}
	x.stopping = cause
}

// close closes the socket politely: the gateway's close is waited for.
func (x *exchange) close(now time.Time) error {
	x.cutoff = now.Add(time.Second)
	goodbye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	if err := x.c.ws.WriteControl(websocket.CloseMessage, goodbye, x.cutoff); err != nil {
		return x.stopping // the gateway was faster
	}
	return nil
}

func (x *exchange) record(at time.Time, audio []byte) {
	if !x.c.cfg.Record || len(audio) == 0 {
		return
	}
	x.c.mu.Lock()
	defer x.c.mu.Unlock()
	if n := len(x.c.recording); n > 0 {
		piece := &x.c.recording[n-1]
		if end := piece.At.Add(media.Duration(int64(len(piece.Audio)))); at.Sub(end) < media.FrameDuration {
			piece.Audio = append(piece.Audio, audio...)
			return
		}
	}
	x.c.recording = append(x.c.recording, Piece{At: at, Audio: append([]byte(nil), audio...)})
}

func silent(frame []byte) bool {
	for _, b := range frame {
		if b != 0xFF && b != 0x7F {
			return false
		}
	}
	return true
}
