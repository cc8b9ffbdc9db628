package realtime

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// link is one connection of a session that has passed the gate.
type link struct {
	*conn
	provider   Provider
	configured Properties // what its first session.update said
	effective  EffectiveSession
	welcome    []Event // what the server said at the gate; for the handler
	opened     time.Time

	stop    chan struct{}
	retired atomic.Bool // before stop: another one has taken its place
	writing sync.WaitGroup
	failed  error // of the writer, when it has ended
}

// write starts the link's writer.
func (l *link) write(s *Session) {
	l.writing.Go(func() {
		w := newWriter(l, s.out, s.cfg.Properties.InputAudioFormat, &s.stats)
		l.failed = w.run(s.cfg.PingInterval, s.closing, l.stop)
		switch {
		case l.failed == nil:
		case errors.Is(l.failed, ErrPingTimeout), errors.Is(l.failed, ErrWriteTimeout):
			l.drop() // wakes the reader
		default:
			// The peer has closed, and may have said why.
			l.expire(lastWords)
		}
	})
}

// cut ends the link at once.
func (l *link) cut() {
	l.drop() // wakes the writer
	close(l.stop)
	l.writing.Wait()
}

// retire ends the reading of a link that another one has replaced.
func (l *link) retire() {
	l.expire(0)
}

// farewell closes a retired link politely, within the time given.
func (l *link) farewell(within time.Duration) {
	late := time.AfterFunc(within, l.drop)
	defer late.Stop()
	close(l.stop) // the writer says goodbye
	l.writing.Wait()
	// The reader has given up, which it cannot take back; what still comes, up to
	// the peer's own end, is of no interest.
	l.expire(within)
	_, _ = io.Copy(io.Discard, l.ws.NetConn())
	l.drop()
}

// carry hands on what comes from a link until it ends, and returns when its
// goroutines are gone, those of a retired link excepted: they belong to aside.
// It is nil for a retired link.
func (s *Session) carry(ctx context.Context, l *link, aside *sync.WaitGroup) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l.write(s)
	if at, ok := s.recycleAt(l); ok {
		aside.Go(func() { s.recycle(ctx, l, at) })
	}
	err := s.readAll(l)
	if !s.isClosing() && s.current() != l {
		l.retired.Store(true)
		aside.Go(func() { l.farewell(s.cfg.CloseTimeout) })
		return nil
	}
	l.cut()
	if l.failed != nil && closeFrame(err) == nil {
		err = l.failed
	}
	return s.lost(err)
}
