package mediastream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge/media"
)

// Stream is one call: from its webhook, when it rings, to the end of its
// socket. It is safe for concurrent use. It implements the bridge's leg and
// [media.Flusher].
type Stream struct {
	cfg     *Config
	profile *profile
	tokens  *tokens
	log     zerolog.Logger
	call    string // the carrier's ids
	account string
	params  url.Values // of the webhook
	headers map[string]string

	reply    chan string   // the webhook's answer, capacity 1
	attached chan struct{} // closed when the socket is there
	ended    chan struct{} // closed when the stream is to end
	stopped  chan struct{} // closed when Run has returned
	wake     chan struct{} // tells the writer that clearDue, capacity 1
	counters counters

	mu       sync.Mutex
	cause    error // why it ends; the first one stays
	over     bool  // ended is closed
	answered bool
	running  bool
	socket   *socket // from attached on
	start    start
	out      outbound
	head     playhead
	clearDue bool
}

// headerPrefix marks the parameters that carry a SIP call's X- headers.
const headerPrefix = "SipHeader_"

func newStream(cfg *Config, p *profile, t *tokens, params url.Values) *Stream {
	s := &Stream{
		cfg: cfg, profile: p, tokens: t,
		call: params.Get("CallSid"), account: params.Get("AccountSid"),
		params:   params,
		headers:  make(map[string]string),
		reply:    make(chan string, 1),
		attached: make(chan struct{}),
		ended:    make(chan struct{}),
		stopped:  make(chan struct{}),
		wake:     make(chan struct{}, 1),
	}
	for name, values := range params {
		if header, ok := strings.CutPrefix(name, headerPrefix); ok && len(values) > 0 {
			s.headers[header] = values[0]
		}
	}
	s.log = cfg.Log.With().Str("leg", p.name).Str("call_sid", s.call).Logger()
	return s
}

// CallSID returns the carrier's id of the call.
func (s *Stream) CallSID() string { return s.call }

// From returns the caller: a number in E.164, a client or SIP address, or a
// word such as "anonymous".
func (s *Stream) From() string { return s.params.Get("From") }

// To returns what the caller dialled.
func (s *Stream) To() string { return s.params.Get("To") }

// Trunk returns "": media streams come from their carrier, not from a trunk.
func (s *Stream) Trunk() string { return "" }

// Params returns a copy of the webhook's parameters.
func (s *Stream) Params() url.Values { return maps.Clone(s.params) }

// Headers returns a copy of the X- headers of a call that began as SIP, by
// their names as the carrier passes them on: "X-Customer".
func (s *Stream) Headers() map[string]string { return maps.Clone(s.headers) }

// Codec returns PCMU: other formats are refused.
func (s *Stream) Codec() media.Codec { return media.PCMU }

// Ring does nothing: the carrier lets the caller hear ringing until the answer.
func (s *Stream) Ring(context.Context) error { return nil }

// Answer answers the webhook and returns when the stream has begun. Errors wrap
// a cause: that of an earlier end, or media.NoAnswer if the stream does not
// begin before ctx ends or the token expires. Run must have been called.
func (s *Stream) Answer(ctx context.Context) error {
	token := s.tokens.issue(s)
	defer s.tokens.revoke(token)
	origin := s.cfg.origin()
	if !s.decide(connectTwiML(s.cfg.streamURL(s.profile.media), origin+s.profile.status, token)) {
		if err := s.err(); err != nil {
			return err
		}
		return errors.New("mediastream: answer: the call is answered")
	}
	expired := time.NewTimer(s.cfg.TokenTTL)
	defer expired.Stop()
	select {
	case <-s.attached:
		return nil
	case <-s.ended:
		return s.err()
	case <-ctx.Done():
		return fmt.Errorf("mediastream: answer: %w: %w", media.NoAnswer, context.Cause(ctx))
	case <-expired.C:
		return fmt.Errorf("mediastream: answer: no stream within %v: %w", s.cfg.TokenTTL, media.NoAnswer)
	}
}

// decide sends the webhook's answer. It returns false if there is one, or if
// the stream has ended.
func (s *Stream) decide(twiml string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answered || s.over {
		return false
	}
	s.answered = true
	s.reply <- twiml
	return true
}

// ringing tells that nothing has answered the webhook yet.
func (s *Stream) ringing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.answered && !s.over
}

// attach gives the stream its socket. It returns the cause if it has ended.
func (s *Stream) attach(sock *socket, st start) error {
	quoted, err := json.Marshal(st.stream)
	if err != nil {
		return fmt.Errorf("mediastream: stream id: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return s.cause
	}
	s.socket, s.start, s.out = sock, st, newOutbound(s.profile, string(quoted))
	close(s.attached)
	return nil
}

// Run carries the call's audio until it ends and returns why: an error that
// wraps a media.Cause. It is called once, before Answer.
func (s *Stream) Run(ctx context.Context, up media.Uplink, down media.Downlink) error {
	s.mu.Lock()
	if s.running {
		s.mu.Unlock()
		return errors.New("mediastream: run: running already")
	}
	s.running = true
	s.mu.Unlock()
	defer close(s.stopped)

	select {
	case <-s.attached:
	case <-s.ended:
	case <-ctx.Done():
		s.end(context.Cause(ctx))
	}
	s.mu.Lock()
	sock := s.socket
	s.mu.Unlock()
	if sock == nil {
		return s.err()
	}
	var writing sync.WaitGroup
	writing.Go(func() { newWriter(s, sock, down).run(ctx) })
	s.end(newReader(ctx, s, sock, up, down).run())
	// The writer says goodbye, unless the socket is stalled.
	cut := time.AfterFunc(closeWait, func() { _ = sock.Close() })
	writing.Wait()
	cut.Stop()
	_ = sock.Close() // whatever ended the stream has been reported
	return s.err()
}

// Hangup ends the call for cause and returns when it is over: before the answer
// by a refusal, later by closing the socket. If that takes longer than ctx
// allows, the socket is cut. Only the first cause counts.
func (s *Stream) Hangup(ctx context.Context, cause error) error {
	s.because(cause)
	s.mu.Lock()
	sock, running, over := s.socket, s.running, s.over
	s.mu.Unlock()
	if s.cfg.HangUp != nil && sock != nil && !over {
		s.hangUpAtCarrier(ctx)
	}
	s.end(cause)
	switch {
	case running:
		select {
		case <-s.stopped:
			return nil
		case <-ctx.Done():
		}
		if sock != nil {
			_ = sock.Close()
		}
		return fmt.Errorf("mediastream: hang up: %w", context.Cause(ctx))
	case sock != nil:
		s.abandon()
	}
	return nil
}

// hangUpAtCarrier asks the carrier to end the call and waits for it to stop
// the stream, as closing the socket first would be logged as an error there.
func (s *Stream) hangUpAtCarrier(ctx context.Context) {
	if err := s.cfg.HangUp(ctx, s.call); err != nil {
		s.log.Debug().Err(err).Msg("hang-up at the carrier failed")
		return
	}
	patience := time.NewTimer(closeWait)
	defer patience.Stop()
	select {
	case <-s.ended:
	case <-patience.C:
	case <-ctx.Done():
	}
}

// abandon ends a stream that nobody runs.
func (s *Stream) abandon() {
	s.end(media.Internal)
	s.mu.Lock()
	sock, running := s.socket, s.running
	s.mu.Unlock()
	if sock != nil && !running {
		sock.sendClose(closeCode(s.err()), "")
		_ = sock.Close()
	}
}

// Flush implements [media.Flusher].
func (s *Stream) Flush() (heard int64) {
	now := time.Now()
	s.mu.Lock()
	if !s.head.idle() {
		s.clearDue = true
	}
	heard = s.head.clear(now)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default: // the writer will look anyway
	}
	return heard
}

// because sets the cause that the stream will end with, unless there is one.
func (s *Stream) because(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause == nil {
		s.cause = cause
	}
}

// end lets the stream end for cause, unless it has one.
func (s *Stream) end(cause error) {
	if cause == nil {
		cause = media.CallerHungUp
	}
	s.mu.Lock()
	first := !s.over
	if s.cause == nil {
		s.cause = cause
	}
	cause, s.over = s.cause, true
	s.mu.Unlock()
	if !first {
		return
	}
	var f *fault
	if errors.As(cause, &f) {
		s.cfg.Metrics.faults[f.reason].Inc()
		s.log.Debug().Err(cause).Msg("stream fails")
	}
	close(s.ended)
}

// lose counts marks that the carrier has not returned.
func (s *Stream) lose(marks int) {
	s.counters.dropped.Add(uint64(marks))
	s.cfg.Metrics.faults[dropMark].Add(float64(marks))
}

// isOver tells whether the stream is to end.
func (s *Stream) isOver() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// err returns why the stream ends, nil if it does not.
func (s *Stream) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}
