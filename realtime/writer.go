package realtime

import (
	"fmt"
	"time"

	"github.com/gorilla/websocket"
)

// missedPongs without a sign of life lose the connection.
const missedPongs = 2

// writer is the one goroutine that writes to a socket: audio and control events
// in their order, pings, pongs and the close frame.
type writer struct {
	link     *link
	out      *outbox
	chunk    []byte // audio of one append
	appender *appender
	stats    *counters
	busy     chan struct{} // closed: stands in for wake while there may be more
}

func newWriter(l *link, out *outbox, format AudioFormat, stats *counters) *writer {
	size := int(format.Bytes(chunkTime))
	busy := make(chan struct{})
	close(busy)
	return &writer{l, out, make([]byte, size), newAppender(size), stats, busy}
}

// run writes until the session closes (nil), stop is closed (nil), or the peer
// is gone.
func (w *writer) run(interval time.Duration, closing, stop <-chan struct{}) error {
	ping := time.NewTicker(interval)
	defer ping.Stop()
	missed := 0
	wake := w.out.wake
	for {
		more, owner, err := w.step()
		if err != nil {
			return err
		}
		if !owner && wake != nil {
			wake = nil
			w.out.signal() // it was for another writer
		}
		signal := (<-chan struct{})(wake)
		if more {
			signal = w.busy
		}
		select {
		case <-closing:
			w.goodbye()
			return nil
		case <-stop:
			if w.link.retired.Load() {
				w.goodbye()
			}
			return nil
		case payload := <-w.link.pings:
			if err := w.link.control(websocket.PongMessage, []byte(payload)); err != nil {
				return fmt.Errorf("pong: %w", err)
			}
		case <-ping.C:
			if missed++; w.link.heard.Swap(false) {
				missed = 0
			}
			if missed == missedPongs {
				return ErrPingTimeout
			}
			if err := w.link.control(websocket.PingMessage, nil); err != nil {
				return fmt.Errorf("ping: %w", err)
			}
		case <-signal:
		}
	}
}

// goodbye sends the close frame. The peer may never answer; whoever closes
// bounds the wait.
func (w *writer) goodbye() {
	_ = w.link.control(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
}

// step writes one thing that waits and tells whether there was one, and whether
// it is still for this writer to write.
func (w *writer) step() (more, owner bool, err error) {
	msg, n, owner := w.out.next(w.link, w.chunk)
	switch {
	case msg != nil:
		if err := w.link.conn.write(msg); err != nil {
			return false, owner, fmt.Errorf("write: %w", err)
		}
		w.stats.sent.Add(1)
	case n > 0:
		if err := w.link.conn.write(w.appender.encode(w.chunk[:n])); err != nil {
			return false, owner, fmt.Errorf("append: %w", err)
		}
		w.stats.appends.Add(1)
	default:
		return false, owner, nil
	}
	return true, owner, nil
}
