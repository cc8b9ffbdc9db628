package mediastreamtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/bridge/media"
)

// Call is one call, answered. Run carries it.
type Call struct {
	cfg      Config
	tongue   tongue
	random   *rand.Rand
	ws       *websocket.Conn
	stream   string
	sequence int // of the messages to the gateway

	control chan control
	done    chan struct{} // closed when Run has returned
	phone   bool          // it was the phone that ended the stream; set before done is closed
	// released tells that the gateway has asked for the end; set before done is
	// closed.
	released bool

	mu         sync.Mutex
	violations []string
	clears     []Clear
	recording  []Piece
}

// Clear is what a clear message found.
type Clear struct {
	At       time.Time
	Played   int64 // bytes played since the call began
	Dropped  int64 // bytes that it dropped
	Position int64 // where in all that was received the caller's hearing was cut
}

// Piece is audio that the caller heard without a break.
type Piece struct {
	At    time.Time // when it began to play
	Audio []byte
}

// control is a step of the script.
type control struct {
	kind  controlKind
	cause error
	digit media.Digit
	frame frame
}

type controlKind uint8

const (
	hangUp controlKind = iota
	press
	misspeak
	stall
	crash
)

// CallSID returns the carrier's id of the call.
func (c *Call) CallSID() string { return c.cfg.CallSID }

// Run carries the call until it ends and returns why: an error that wraps a
// media.Cause, media.CallerHungUp if the gateway closed the socket. The caller
// hears frames of 20 ms, silence when nothing plays, in up; what the caller
// says is asked of down, a frame every 20 ms. It is called once.
func (c *Call) Run(ctx context.Context, up media.Uplink, down media.Downlink) error {
	defer close(c.done)
	var reading sync.WaitGroup
	inbox := make(chan arrival)
	gone := make(chan struct{})
	reading.Go(func() { c.read(inbox, gone) })
	x := newExchange(c, up, down)
	err := x.run(ctx, inbox)
	c.phone = x.stopping != nil
	close(gone)
	_ = c.ws.Close() // err says why
	reading.Wait()
	return err
}

// Hangup ends the call as a caller does: stop, then the socket closes. It
// returns when Run has, or when ctx ends.
func (c *Call) Hangup(ctx context.Context, cause error) error {
	return c.tell(ctx, control{kind: hangUp, cause: cause}, true)
}

// Digit presses a key.
func (c *Call) Digit(d media.Digit) {
	_ = c.tell(context.Background(), control{kind: press, digit: d}, false) // no matter if it is over
}

// Misspeak sends a message, of WebSocket's type kind, as no carrier should.
func (c *Call) Misspeak(kind int, text []byte) {
	_ = c.tell(context.Background(), control{kind: misspeak, frame: frame{kind, text}}, false)
}

// Stall lets the carrier stop reading, writing and playing, with the connection
// up.
func (c *Call) Stall() {
	_ = c.tell(context.Background(), control{kind: stall}, false)
}

// Crash drops the connection without a word.
func (c *Call) Crash() {
	_ = c.tell(context.Background(), control{kind: crash}, false)
}

func (c *Call) tell(ctx context.Context, step control, wait bool) error {
	select {
	case c.control <- step:
	case <-c.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if !wait {
		return nil
	}
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("mediastreamtest: hang up: %w", context.Cause(ctx))
	}
}

// Violations returns the gateway's breaches of the protocol.
func (c *Call) Violations() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.violations...)
}

// Clears returns what each clear message found.
func (c *Call) Clears() []Clear {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Clear(nil), c.clears...)
}

// Recording returns what the caller heard, if Config.Record. Silence in which
// nothing played is not part of it.
func (c *Call) Recording() []Piece {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Piece(nil), c.recording...)
}

// arrival is a message from the gateway, or the end of the socket.
type arrival struct {
	at    time.Time
	order order
	err   error
}

// read reads the socket until it ends.
func (c *Call) read(inbox chan<- arrival, gone <-chan struct{}) {
	for {
		kind, text, err := c.ws.ReadMessage()
		a := arrival{at: time.Now(), err: err}
		if err == nil {
			var fault error
			if a.order, fault = c.tongue.read(c, kind, text); fault != nil {
				c.mu.Lock()
				c.violations = append(c.violations, fault.Error())
				c.mu.Unlock()
				continue
			}
		}
		select {
		case inbox <- a:
		case <-gone:
			return
		}
		if err != nil {
			return
		}
	}
}

func (c *Call) write(f frame) error {
	if err := c.ws.SetWriteDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	return c.ws.WriteMessage(f.kind, f.text)
}

// ending says why the socket ended.
func ending(err error) error {
	var closed *websocket.CloseError
	if errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure {
		return fmt.Errorf("mediastreamtest: the gateway closed the stream: %d %s: %w", closed.Code, closed.Text, media.CallerHungUp)
	}
	return fmt.Errorf("mediastreamtest: connection lost: %w: %w", media.LegFailed, err)
}
