package realtime

import (
	"fmt"
	"time"

	"github.com/gorilla/websocket"
)

// missedPongs without a sign of life lose the session.
const missedPongs = 2

// writer is the one goroutine that writes to a socket: audio and control events
// in their order, pings, pongs and the close frame.
type writer struct {
	conn     *conn
	out      *outbox
	chunk    []byte // audio of one append
	appender *appender
	stats    *counters
	busy     chan struct{} // closed: stands in for wake while there may be more
}

func newWriter(c *conn, out *outbox, format AudioFormat, stats *counters) *writer {
	size := int(format.Bytes(chunkTime))
	busy := make(chan struct{})
	close(busy)
	return &writer{c, out, make([]byte, size), newAppender(size), stats, busy}
}

// run writes until the session closes (nil), stop is closed (nil), or the peer
// is gone.
func (w *writer) run(interval time.Duration, closing, stop <-chan struct{}) error {
	ping := time.NewTicker(interval)
	defer ping.Stop()
	missed := 0
	for {
		sent, err := w.step()
		if err != nil {
			return err
		}
		var wake <-chan struct{} = w.out.wake
		if sent {
			wake = w.busy
		}
		select {
		case <-closing:
			// The peer may never answer; whoever closes bounds the wait.
			_ = w.conn.control(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
			return nil
		case <-stop:
			return nil
		case <-ping.C:
			if missed++; w.conn.heard.Swap(false) {
				missed = 0
			}
			if missed == missedPongs {
				return ErrPingTimeout
			}
			if err := w.conn.control(websocket.PingMessage, nil); err != nil {
				return fmt.Errorf("ping: %w", err)
			}
		case <-wake:
		}
	}
}

// step writes one thing that waits and tells whether there was one.
func (w *writer) step() (bool, error) {
	pong, pinged, msg, n := w.out.next(w.chunk)
	switch {
	case pinged:
		if err := w.conn.control(websocket.PongMessage, pong); err != nil {
			return false, fmt.Errorf("pong: %w", err)
		}
	case msg != nil:
		if err := w.conn.write(msg); err != nil {
			return false, fmt.Errorf("write: %w", err)
		}
		w.stats.sent.Add(1)
	case n > 0:
		if err := w.conn.write(w.appender.encode(w.chunk[:n])); err != nil {
			return false, fmt.Errorf("append: %w", err)
		}
		w.stats.appends.Add(1)
	default:
		return false, nil
	}
	return true, nil
}
