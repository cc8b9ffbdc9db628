package mediastream

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// alarm lets the one goroutine that reads a socket also do what is due while
// nothing arrives. A WebSocket does not survive a read deadline; below it, a
// connection does.
type alarm interface {
	// due returns when ring is to be called unless something arrives.
	due() time.Time
	ring(now time.Time)
}

// alarmConn is the connection below a WebSocket. It rings while a read waits,
// and can send several messages at once. Alarm and cutoff are set by the
// goroutine that reads.
type alarmConn struct {
	net.Conn
	alarm  alarm     // may be nil
	cutoff time.Time // when reading ends, whatever arrives; zero: never

	mu      sync.Mutex
	holding bool
	held    []byte
}

var errCutoff = errors.New("mediastream: time is up")

// Read reads like the connection below, ringing the alarm when it is due.
func (c *alarmConn) Read(p []byte) (int, error) {
	for {
		now := time.Now()
		if !c.cutoff.IsZero() && !now.Before(c.cutoff) {
			return 0, errCutoff
		}
		deadline := c.cutoff
		if c.alarm != nil {
			if due := c.alarm.due(); deadline.IsZero() || due.Before(deadline) {
				deadline = due
			}
		}
		// What has arrived goes before what is due, however late we are: a
		// deadline in the past would not even look.
		if soon := now.Add(time.Millisecond); !deadline.IsZero() && deadline.Before(soon) {
			deadline = soon
		}
		if err := c.SetReadDeadline(deadline); err != nil {
			return 0, err
		}
		n, err := c.Conn.Read(p)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		if now := time.Now(); c.alarm != nil && !now.Before(c.alarm.due()) {
			c.alarm.ring(now)
		}
	}
}

// hold keeps what is written until release: a system call and a wake-up of the
// peer cost more than all else that is done for a message.
func (c *alarmConn) hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.holding = true
}

// release writes what was held. The connection must not be used if it fails.
func (c *alarmConn) release() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.holding = false
	_, err := c.Conn.Write(c.held)
	c.held = c.held[:0]
	return err
}

// Write implements [net.Conn].
func (c *alarmConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.holding {
		c.held = append(c.held, p...)
		return len(p), nil
	}
	return c.Conn.Write(p)
}
