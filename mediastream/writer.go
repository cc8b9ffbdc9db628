package mediastream

import (
	"errors"
	"net"
	"time"

	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/bridge/media"
)

const (
	// maxPiece is how much audio one message carries at most, and so how far
	// apart marks are: 100 ms.
	maxPiece = 5 * media.FrameBytes
	// last is how little the carrier must have left before the rest of the
	// audio, shorter than a frame, follows: more may come to complete it.
	last = 2 * media.FrameBytes
	// probeEvery is how often the round trip is measured while nothing plays,
	// probeFirst how often until firstProbes measurements have been taken: one
	// alone may have met with a delay.
	probeEvery  = 5 * time.Second
	probeFirst  = time.Second
	firstProbes = 4
)

// writer is the only one that writes messages to the socket. It keeps the
// carrier Config.Lead ahead of the caller's ear, so that a clear has little to
// do, and clear goes before everything else.
type writer struct {
	s      *Stream
	socket *socket
	down   media.Downlink
	lead   int64
	piece  int // bytes a message carries at most, whole frames

	gen     uint64                            // of what is held
	audio   [maxPiece + media.FrameBytes]byte // audio[:held] was taken and not yet written
	held    int
	taken   int64 // position behind what Next has handed out
	probeAt time.Time
	text    []byte
}

func newWriter(s *Stream, sock *socket, down media.Downlink) *writer {
	lead := media.Bytes(s.cfg.Lead)
	frames := lead / 3 / media.FrameBytes
	return &writer{
		s: s, socket: sock, down: down, lead: lead,
		piece:   min(max(int(frames), 1)*media.FrameBytes, maxPiece),
		probeAt: time.Now(),
	}
}

// run writes until the stream ends, and then says goodbye.
func (w *writer) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for !w.s.isOver() {
		wait, err := w.advance()
		if err != nil {
			w.s.end(writeFault(err))
			_ = w.socket.Close() // nothing more can be said on it
			return
		}
		timer.Reset(wait)
		select {
		case <-w.s.wake:
		case <-w.down.Ready():
		case <-timer.C:
		case <-w.s.ended:
		}
	}
	if hangup := w.s.out.hangup; len(hangup) > 0 && !w.s.isGone() {
		_ = w.write(websocket.TextMessage, hangup) // the close says it too
	}
	w.socket.sendClose(closeCode(w.s.err()), media.CauseOf(w.s.err()).String())
}

// advance writes what is due and returns how long nothing will be.
func (w *writer) advance() (wait time.Duration, err error) {
	now := time.Now()
	if err := w.sayAnswer(); err != nil {
		return 0, err
	}
	if text := w.s.takePosted(); text != nil {
		if err := w.write(websocket.TextMessage, text); err != nil {
			return 0, err
		}
	}
	buffered, err := w.control(now)
	if err != nil {
		return 0, err
	}
	if w.s.isPaused() {
		return probeFirst, nil
	}
	for {
		if room := w.lead - buffered; room < int64(w.piece) {
			return media.Duration(int64(w.piece) - room), nil
		}
		n := w.down.Next(w.audio[w.held:w.piece])
		w.taken += int64(n)
		total := w.held + n
		whole := total - total%media.FrameBytes
		if total < w.piece && buffered <= last {
			whole = total
		}
		if whole == 0 {
			w.held = total
			if total > 0 {
				return media.Duration(buffered - last), nil
			}
			return w.untilProbe(now), nil
		}
		now = time.Now()
		w.s.mu.Lock()
		if w.s.head.gen != w.gen {
			// A flush came between Next and here. What was taken before it must
			// not be written; all of it was, since audio of the next response
			// cannot be here yet.
			w.s.mu.Unlock()
			if buffered, err = w.control(now); err != nil {
				return 0, err
			}
			continue
		}
		pad := w.s.out.padding(whole)
		seq := w.s.head.play(now, w.taken-int64(total), int64(whole), int64(pad))
		buffered = w.s.head.buffered(now)
		w.s.mu.Unlock()
		w.probeAt = now.Add(probeEvery)
		media.PCMU.FillSilence(w.audio[whole : whole+pad]) // only if whole is all there is
		if err := w.play(w.audio[:whole+pad], seq); err != nil {
			return 0, err
		}
		w.held = copy(w.audio[:], w.audio[whole:total])
	}
}

// control writes the clear of a flush and the probes that are due. It returns
// how much the carrier has to play.
func (w *writer) control(now time.Time) (buffered int64, err error) {
	w.s.mu.Lock()
	head := &w.s.head
	heard, lost := head.overdue(now)
	clear := w.s.clearDue
	w.s.clearDue = false
	if head.gen != w.gen {
		w.gen, w.held = head.gen, 0
	}
	// A mark that follows a clear finds nothing buffered.
	var probe uint64
	asking := len(w.s.out.status) > 0
	if clear || head.idle() && !now.Before(w.probeAt) {
		if asking && clear {
			w.s.asked.ask(now, head.cut)
		} else if asking {
			w.s.asked.ask(now, nil)
		}
		probe = head.ask(now)
		w.probeAt = now.Add(probeEvery)
		if head.trip.n < firstProbes {
			w.probeAt = now.Add(probeFirst)
		}
	}
	buffered = head.buffered(now)
	w.s.mu.Unlock()
	if lost > 0 {
		w.s.lose(lost)
		w.down.Heard(heard)
	}
	if probe == 0 {
		return buffered, nil
	}
	w.socket.below.hold()
	if clear {
		w.s.counters.clears.Add(1)
		for _, command := range w.s.out.clear {
			if err := w.write(websocket.TextMessage, command); err != nil {
				return 0, err
			}
		}
	}
	switch {
	case !asking:
		w.text = w.s.out.appendProbe(w.text[:0], probe)
		if err := w.write(websocket.TextMessage, w.text); err != nil {
			return 0, err
		}
	case !clear: // which asks by itself
		if err := w.write(websocket.TextMessage, w.s.out.status); err != nil {
			return 0, err
		}
	}
	return buffered, w.socket.below.release()
}

// untilProbe returns how long to wait for audio before the next probe; while
// the carrier still plays, that is to be asked again.
func (w *writer) untilProbe(now time.Time) time.Duration {
	if !now.Before(w.probeAt) {
		w.probeAt = now.Add(time.Second)
	}
	return w.probeAt.Sub(now)
}

// play writes one piece of audio and its mark.
func (w *writer) play(audio []byte, seq uint64) error {
	w.socket.below.hold()
	kind := websocket.TextMessage
	if w.s.out.binary {
		kind = websocket.BinaryMessage
	}
	for len(audio) > 0 {
		n := w.s.out.first(audio)
		w.text = w.s.out.appendMedia(w.text[:0], audio[:n])
		if err := w.write(kind, w.text); err != nil {
			return err
		}
		w.s.counters.chunksOut.Add(1)
		w.s.counters.bytesOut.Add(uint64(n))
		audio = audio[n:]
	}
	w.text = w.s.out.appendMark(w.text[:0], w.gen, seq)
	if err := w.write(websocket.TextMessage, w.text); err != nil {
		return err
	}
	return w.socket.below.release()
}

func (w *writer) write(kind int, message []byte) error {
	if err := w.socket.SetWriteDeadline(time.Now().Add(w.s.cfg.WriteTimeout)); err != nil {
		return err
	}
	return w.socket.WriteMessage(kind, message)
}

func writeFault(err error) error {
	// The WebSocket hides the error, but not what it is.
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return faultStalled
	}
	return faultLost
}
