package rtp

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/bridge/pacer"
	"github.com/callgw/callgw/sip/sdp"
)

const (
	// maxDatagram is the longest datagram that is read whole.
	maxDatagram = 2048
	// tardy is how late the reader may wake before it looks into the socket for
	// what came meanwhile, and look how long it looks.
	tardy = 5 * time.Millisecond
	look  = time.Millisecond
)

// Session is the RTP of one call. Its methods may be called from any goroutine.
type Session struct {
	cfg      Config
	count    counters
	receiver *receiver // Run's own
	sender   *sender
	kicked   atomic.Bool // Run is to look at what is below
	peer     atomic.Pointer[peer]

	mu     sync.Mutex
	stream *sdp.Stream // what Run has not taken up yet
	live   bool        // Start was called
	ended  bool        // Run has returned
	slot   *pacer.Slot
}

// peer is a locked source.
type peer struct {
	source netip.AddrPort
	ssrc   uint32
}

// NewSession returns a session. Run must be called for it to work and to end.
func NewSession(cfg Config) *Session {
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	s := &Session{cfg: cfg}
	s.receiver = newReceiver(&s.cfg, &s.count)
	s.sender = newSender(&s.cfg, &s.count)
	if cfg.Stream.Ptime > 0 {
		s.stream = &cfg.Stream
	}
	s.kicked.Store(true)
	return s
}

// Start begins the audio of both ways: the call is answered. Before, the peer's
// source is learnt, but nothing is passed on and nothing is sent.
func (s *Session) Start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live || s.ended {
		return
	}
	s.live = true
	s.slot = s.cfg.Pacer.Add(s.sender)
	s.kick()
}

// Update takes what a later offer and answer settled: hold and resume, another
// address, which opens the source lock, other payload types.
func (s *Session) Update(stream sdp.Stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.sender.update(stream)
	s.stream = &stream
	s.kick()
}

// SendDigit presses a key: the far end gets telephone-events of that duration
// (0: DefaultPress; 40 ms to 8 s) while the agent's audio waits. Keys queue. The
// error is ErrNoEvents, ErrBusy, or that d is no key.
func (s *Session) SendDigit(d media.Digit, duration time.Duration) error {
	return s.sender.press(d, duration)
}

// Stats returns what was counted so far.
func (s *Session) Stats() Stats {
	c := &s.count
	stats := Stats{
		Received:   c.received.Load(),
		Lost:       c.lost.Load(),
		Reordered:  c.reordered.Load(),
		Duplicates: c.duplicates.Load(),
		Late:       c.late.Load(),
		Digits:     c.digits.Load(),
		Filled:     media.Duration(int64(c.filled.Load())),
		Jitter:     time.Duration(c.jitter.Load()) * sample / 16,
		RTCP:       c.rtcp.Load(),
		Sent:       c.sent.Load(),
		SentBytes:  c.sentBytes.Load(),
		Skipped:    c.skipped.Load(),
		SendErrors: c.sendErrors.Load(),
	}
	for i := range stats.Rejected {
		stats.Rejected[i] = c.rejected[i].Load()
	}
	if p := s.peer.Load(); p != nil {
		stats.Source, stats.SSRC = p.source, p.ssrc
	}
	return stats
}

// kick makes Run look up from the socket. Run arms its deadline first and looks
// at the flag after, so that either sees the other.
func (s *Session) kick() {
	s.kicked.Store(true)
	_ = s.cfg.Conn.SetReadDeadline(time.Unix(1, 0)) // a closed socket needs no kick
}

// Run reads the socket until ctx ends, then returns nil. The error wraps
// media.MediaTimeout when the peer's audio stopped, media.LegFailed when the
// socket failed. When Run has returned, the session is out of the pacer and
// calls nothing any more.
func (s *Session) Run(ctx context.Context) error {
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(woken)
		s.kick()
	})
	err := s.read(ctx)
	if !stop() {
		<-woken
	}

	s.mu.Lock()
	s.ended = true
	slot := s.slot
	s.slot = nil
	s.mu.Unlock()
	if slot != nil {
		slot.Remove()
	}
	if j := s.cfg.Metrics.Jitter; j != nil && s.count.received.Load() > 0 {
		j.Observe(s.Stats().Jitter.Seconds())
	}
	return err
}

// read is the reader's loop.
func (s *Session) read(ctx context.Context) error {
	buffer := make([]byte, maxDatagram)
	for {
		due := s.receiver.deadline()
		if err := s.cfg.Conn.SetReadDeadline(due); err != nil {
			return s.failed(ctx, err)
		}
		if s.kicked.Swap(false) {
			if ctx.Err() != nil {
				return nil
			}
			s.catchUp()
			continue
		}
		err := s.next(buffer)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = s.expire(buffer, due)
		}
		if err != nil {
			return s.failed(ctx, err)
		}
	}
}

// next reads one packet and takes it.
func (s *Session) next(buffer []byte) error {
	n, from, err := s.cfg.Conn.ReadFromUDPAddrPort(buffer)
	if err != nil {
		return err
	}
	if s.receiver.receive(time.Now(), from, buffer[:n]) {
		l := &s.receiver.lock
		s.peer.Store(&peer{l.source, l.ssrc})
		s.sender.follow(l.source)
	}
	return nil
}

// expire does what is due now that nothing came.
func (s *Session) expire(buffer []byte, due time.Time) error {
	if s.kicked.Load() || due.IsZero() {
		return nil
	}
	now := time.Now()
	if now.Sub(due) > tardy {
		// This process was late, not the peer: a read that is past its deadline
		// fails even when packets wait in the socket.
		if err := s.cfg.Conn.SetReadDeadline(now.Add(look)); err != nil {
			return err
		}
		if err := s.next(buffer); !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		now = time.Now()
	}
	if !s.receiver.expire(now) {
		return fmt.Errorf("rtp: nothing came for %v: %w", s.cfg.Timeout, media.MediaTimeout)
	}
	return nil
}

// catchUp takes up what Start and Update left for the reader.
func (s *Session) catchUp() {
	s.mu.Lock()
	stream, live := s.stream, s.live
	s.stream = nil
	s.mu.Unlock()
	now := time.Now()
	if stream != nil {
		s.receiver.update(now, *stream)
	}
	if live && !s.receiver.live {
		s.receiver.start(now)
	}
}

// failed says why the reader ends.
func (s *Session) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	if errors.Is(err, media.MediaTimeout) {
		return err
	}
	return fmt.Errorf("rtp: read: %w: %w", err, media.LegFailed)
}
