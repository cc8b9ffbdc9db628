package sip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	gosip "github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip/rtp"
)

// Call is one dialog with its audio: the leg that a phone is on. An inbound one
// arrives ringing, an outbound one answered. Its methods may be called from any
// goroutine.
type Call struct {
	s     *Server
	log   zerolog.Logger
	trunk *trunk
	login Credentials    // answers challenges of the peer's side
	req   *gosip.Request // the INVITE
	voice *voice
	local string // our tag in responses to it
	// source is where the signalling comes from, or went to first.
	source netip.AddrPort

	// over ends when the call does; its cause is why.
	over context.Context
	end  context.CancelCauseFunc
	// settled is closed when the first 2xx is acknowledged.
	settled chan struct{}
	// wake tells Run that accepted has changed.
	wake chan struct{}

	mu        sync.Mutex
	d         dialog
	state     state
	cause     error     // why it ends: the first reason
	want      error     // a reason that Run shall hang up for
	tx        *serverTx // the INVITE, nil for outbound calls
	accepted  *accepted // a 2xx that waits for its ACK, or nil
	confirmed bool      // settled is closed
	offering  bool      // an offer of ours waits for its answer
	running   bool      // Run was called: it releases the call
	freed     sync.Once

	progress  *progress // a provisional response that waits for PRACK, or nil
	described bool      // our description went out in one

	referral   *referral     // a transfer by REFER, or nil
	moving     bool          // a transfer by a second call is under way
	joined     *joint        // with a second call: it is the relay's, not Run's; or nil
	handedOver chan struct{} // closed when Run is done with a call that was passed on

	timer   sessionTimer
	minSE   time.Duration // the peer's, as far as it has told
	updates bool          // the peer takes UPDATE

	up       uplink
	down     downlink
	recoding recoding
	audio    audio
}

// state is how far a call has come.
type state uint8

const (
	ringing  state = iota // no final response yet
	answered              // 2xx sent, no ACK yet
	talking               // acknowledged
	closing               // BYE or a failure response is on its way
	gone
)

// accepted is a 2xx to an INVITE, repeated until its ACK comes (RFC 3261
// §13.3.1.4).
type accepted struct {
	tx       *serverTx
	res      *gosip.Response
	sent     time.Time // first
	due      time.Time // next
	schedule resend
}

func newCall(s *Server, trunk *trunk, req *gosip.Request, d dialog, v *voice) *Call {
	c := &Call{
		s: s, trunk: trunk, login: trunk.Login, req: req, voice: v, local: d.id.local, source: d.link.remote, d: d,
		settled: make(chan struct{}), wake: make(chan struct{}, 1), handedOver: make(chan struct{}),
		log: s.log.With().Str("sip_call", d.id.callID).Str("trunk", trunk.Name).Logger(),
	}
	c.over, c.end = context.WithCancelCause(context.Background())
	return c
}

// ID returns the Call-ID of the INVITE.
func (c *Call) ID() string { return callID(c.req) }

// Trunk returns the name of the trunk that the call came or goes by, "" for
// none.
func (c *Call) Trunk() string { return c.trunk.Name }

// From returns the number or user that calls: of From's URI, in the form of E.164
// when the trunk has a country.
func (c *Call) From() string { return E164(party(c.req.From().Address), c.trunk.Country) }

// To returns the number or user that is called, in the same form: of the request's
// URI, else of To's (RFC 3261 §8.2.2.1). A registrar puts the Contact that we gave
// it into the request's URI; whom the caller meant is in To then.
func (c *Call) To() string {
	to, named := party(c.req.Recipient), party(c.req.To().Address)
	registered := c.trunk.Register != nil && to == c.trunk.Register.User
	if to == "" || registered && named != "" {
		to = named
	}
	return E164(to, c.trunk.Country)
}

// party returns the user of a sip URI or the number of a tel URI (RFC 3966).
func party(uri gosip.Uri) string {
	user := uri.User
	if uri.Scheme == "tel" {
		user = uri.Raw()
	}
	user, _, _ = strings.Cut(user, ";")
	if plain, err := url.PathUnescape(user); err == nil {
		return plain
	}
	return user
}

// Header returns the values of the INVITE's header of that name, in order.
func (c *Call) Header(name string) []string { return values(c.req, name) }

// Headers returns every header of the INVITE by its name as written, a compact name
// spelt out, except those that the trunk strips.
func (c *Call) Headers() map[string][]string {
	all := make(map[string][]string)
	for _, h := range c.req.Headers() {
		name := spelt(h.Name())
		if !slices.ContainsFunc(c.trunk.Strip, func(s string) bool { return strings.EqualFold(s, name) }) {
			all[name] = append(all[name], h.Value())
		}
	}
	return all
}

// RemoteAddr returns the address that the INVITE came from or went to.
func (c *Call) RemoteAddr() netip.AddrPort { return c.source }

// Codec returns the law of Run's audio, which stays the same during the call: that
// which was agreed on when the call came or was answered, or, where an offer of ours
// has no answer yet, the one preferred. Where the phone speaks the other, or changes to
// it, the call is converted.
func (c *Call) Codec() media.Codec { return c.voice.codec() }

// Stats returns what the call's RTP has counted so far.
func (c *Call) Stats() rtp.Stats { return c.voice.stats() }

// SendDigit presses a key towards the peer for that long (RFC 4733), 0 meaning
// the default of package rtp. It returns an error when the peer takes none.
func (c *Call) SendDigit(d media.Digit, duration time.Duration) error {
	return c.voice.press(d, duration)
}

// fail ends the call with err, or with the reason that was there before.
func (c *Call) fail(err error) {
	c.mu.Lock()
	if c.cause == nil {
		c.cause = err
	}
	err = c.cause
	c.state = gone
	c.accepted = nil
	running := c.running
	c.mu.Unlock()
	c.s.calls.remove(c) // what comes now is answered with 481
	c.trunk.leave(c)
	c.end(err)
	if !running {
		c.release()
	}
}

// release gives the call's port back.
func (c *Call) release() { c.freed.Do(c.voice.close) }

// because is why the call is over, as an error that wraps a media.Cause.
func (c *Call) because() error {
	err := context.Cause(c.over)
	var cause media.Cause
	if errors.As(err, &cause) {
		return err
	}
	return fmt.Errorf("%w: %w", media.Internal, err)
}

// signal wakes Run.
func (c *Call) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}
