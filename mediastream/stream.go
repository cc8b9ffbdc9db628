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
	"github.com/callgw/callgw/internal/errands"
)

// Stream is one call: from its webhook, when it rings, to the end of its
// socket. It is safe for concurrent use. It implements the bridge's leg and
// [media.Flusher].
type Stream struct {
	cfg        *Config
	profile    *profile
	tokens     *tokens
	errands    *errands.Group
	departures *departures
	log        zerolog.Logger
	call       string // the carrier's ids
	account    string
	params     url.Values // of the webhook
	headers    map[string]string
	returned   bool    // from a failed transfer
	placed     *placed // nil: the call came in

	reply    chan string   // the webhook's answer, capacity 1
	attached chan struct{} // closed when the socket is there
	ended    chan struct{} // closed when the stream is to end
	stopped  chan struct{} // closed when Run has returned
	wake     chan struct{} // tells the writer that clearDue, capacity 1
	control  chan struct{} // full while the call is changed at the carrier, capacity 1
	counters counters

	mu       sync.Mutex
	cause    error // why it ends; the first one stays
	over     bool  // ended is closed
	answered bool
	running  bool
	parted   bool    // somebody else than Run closes the socket
	socket   *socket // from attached on
	start    start
	out      outbound
	head     playhead
	clearDue bool
	asked    inquiries
	told     bool // the carrier knows of the answer
	paused   bool // the carrier wants no audio

	sequence     int           // of the latest status callback; -1 before
	answeredBy   string        // who has, as far as it is known
	transferring bool          // the carrier was asked to
	dialling     *dialling     // somebody else, beside the call; nil: nobody is
	transfers    int           // that a program was asked for
	posted       []byte        // a message that the writer is to send; nil: none
	gone         bool          // the carrier has the call, or its stream, no longer
	completing   chan struct{} // closed when the carrier was asked to end the call; nil: not yet
	completed    bool          // it has agreed
}

// headerPrefix marks the parameters that carry a SIP call's X- headers.
const headerPrefix = "SipHeader_"

func newStream(h *Handler, params url.Values) *Stream {
	s := &Stream{
		cfg: &h.cfg, profile: h.profile, tokens: &h.tokens, errands: &h.errands, departures: &h.departures,
		call: params.Get("CallSid"), account: params.Get("AccountSid"),
		params:   params,
		headers:  make(map[string]string),
		reply:    make(chan string, 1),
		attached: make(chan struct{}),
		ended:    make(chan struct{}),
		stopped:  make(chan struct{}),
		wake:     make(chan struct{}, 1),
		control:  make(chan struct{}, 1),
		sequence: -1,
	}
	for name, values := range params {
		if header, ok := strings.CutPrefix(name, headerPrefix); ok && len(values) > 0 {
			s.headers[header] = values[0]
		}
	}
	s.log = s.cfg.Log.With().Str("leg", s.profile.name).Str("call_sid", s.call).Logger()
	return s
}

// CallSID returns the carrier's id of the call.
func (s *Stream) CallSID() string { return s.call }

// Carrier returns whose dialect the stream speaks: the name of its leg.
func (s *Stream) Carrier() Carrier { return Carrier(s.profile.name) }

// From returns the caller: a number in E.164, a client or SIP address, or a
// word such as "anonymous".
func (s *Stream) From() string { return s.params.Get("From") }

// To returns what the caller dialled.
func (s *Stream) To() string { return s.params.Get("To") }

// AnsweredBy returns who has answered a call out, as far as it is known: human,
// fax, machine_start, machine_end_beep, …; "" if it is not, or not asked for.
func (s *Stream) AnsweredBy() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answeredBy
}

// Trunk returns "": media streams come from their carrier, not from a trunk.
func (s *Stream) Trunk() string { return "" }

// Params returns a copy of the webhook's parameters.
func (s *Stream) Params() url.Values { return maps.Clone(s.params) }

// Headers returns a copy of the X- headers of a call that began as SIP, by
// their names as the carrier passes them on: "X-Customer".
func (s *Stream) Headers() map[string]string { return maps.Clone(s.headers) }

// Codec returns PCMU: other formats are refused.
func (s *Stream) Codec() media.Codec { return media.PCMU }

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
	p := s.profile
	if st.plain {
		p = p.plainly()
	}
	s.socket, s.start, s.out = sock, st, newOutbound(p, string(quoted))
	if p.capable && !st.can(capabilityHangUp) {
		s.out.hangup = nil
	}
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
	defer s.complete() // whatever has become of the socket
	watched := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		s.end(context.Cause(ctx))
		close(watched)
	})
	defer func() {
		if !unwatch() {
			<-watched
		}
	}()

	select {
	case <-s.attached:
	case <-s.ended:
	}
	s.mu.Lock()
	sock := s.socket
	if s.parted {
		sock = nil
	}
	s.mu.Unlock()
	if sock == nil {
		return s.err()
	}
	var writing sync.WaitGroup
	writing.Go(func() { newWriter(s, sock, down).run() })
	s.end(newReader(s, sock, up, down).run())
	// The writer says goodbye, unless the socket is stalled.
	cut := time.AfterFunc(closeWait, func() { _ = sock.Close() })
	writing.Wait()
	cut.Stop()
	_ = sock.Close() // whatever ended the stream has been reported
	return s.err()
}

// Flush implements [media.Flusher]. If the carrier tells exactly what was heard,
// it is waited for, but not longer than 30 ms.
func (s *Stream) Flush() (heard int64) {
	now := time.Now()
	s.mu.Lock()
	var told chan int64
	cutting := !s.head.idle()
	heard = s.head.clear(now)
	if cutting {
		s.clearDue = true
		told = s.head.cut.told
	}
	s.mu.Unlock()
	s.nudge()
	if !cutting || s.profile.outStatus == "" {
		return heard
	}
	patience := time.NewTimer(exactPatience)
	defer patience.Stop()
	select {
	case heard = <-told:
	case <-patience.C:
	case <-s.ended:
	}
	return heard
}

// nudge lets the writer look for what is to be done.
func (s *Stream) nudge() {
	select {
	case s.wake <- struct{}{}:
	default: // it will look anyway
	}
}

func (s *Stream) isPaused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.paused
}

// pause stops the writer from sending audio, or lets it go on.
func (s *Stream) pause(on bool) {
	s.mu.Lock()
	s.paused = on
	s.mu.Unlock()
	s.nudge()
}

// lose counts marks that the carrier has not returned.
func (s *Stream) lose(marks int) {
	s.counters.dropped.Add(uint64(marks))
	s.cfg.Metrics.faults[dropMark].Add(float64(marks))
}
