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
	reports  *reports
	ptime    atomic.Int64
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
	if pair, ok := cfg.Conn.(*Pair); ok && cfg.RTCP == nil && cfg.Reporter != nil {
		cfg.RTCP = pair.Reports()
	}
	s := &Session{cfg: cfg}
	s.sender = newSender(&s.cfg, &s.count)
	s.reports = newReports(&s.cfg, &s.count, s.sender)
	s.receiver = newReceiver(&s.cfg, &s.count, s.reports)
	if cfg.Stream.Ptime > 0 {
		s.stream = &cfg.Stream
		s.reports.update(time.Now(), cfg.Stream)
		s.ptime.Store(int64(cfg.Stream.Ptime))
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
	if s.cfg.Reporter != nil {
		s.reports.begin(time.Now())
		s.cfg.Reporter.add(s.reports)
	}
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
	s.reports.update(time.Now(), stream)
	s.ptime.Store(int64(stream.Ptime))
	s.stream = &stream
	s.kick()
}

// SendDigit presses a key: the far end gets telephone-events of that duration
// (0: DefaultPress; 40 ms to a minute) while the agent's audio waits. Keys queue. The
// error is ErrNoEvents, ErrBusy, or that d is no key.
func (s *Session) SendDigit(d media.Digit, duration time.Duration) error {
	return s.sender.press(d, duration)
}

// Stats returns what was counted so far.
func (s *Session) Stats() Stats {
	stats := s.count.stats(time.Duration(s.ptime.Load()))
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
// calls nothing any more; its last report was its farewell.
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
	if s.cfg.Reporter != nil {
		s.cfg.Reporter.remove(s.reports)
	}
	s.reports.end(time.Now())
	s.observe()
	return err
}

// observe tells the metrics what is known at the end.
func (s *Session) observe() {
	stats, m := s.Stats(), &s.cfg.Metrics
	if m.Jitter != nil && stats.Received > 0 {
		m.Jitter.Observe(stats.Jitter.Seconds())
	}
	if m.Loss != nil && stats.Received > 0 {
		m.Loss.Observe(float64(stats.Lost) / float64(stats.Received+stats.Lost))
	}
	if m.MOS != nil && stats.MOS > 0 {
		m.MOS.Observe(stats.MOS)
	}
	if m.RoundTrip != nil && stats.Timed {
		m.RoundTrip.Observe(stats.RoundTrip.Seconds())
	}
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
		s.reports.follow(l.source, l.ssrc)
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
