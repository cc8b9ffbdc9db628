package sip

import (
	"context"
	"errors"
	"time"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip/sdp"
)

// invite takes an INVITE outside a dialog: it is refused here, or becomes a
// Call that Handler serves.
func (s *Server) invite(t *serverTx, from link, trunk *trunk) {
	req := t.req
	if s.calls.merged(req) {
		// RFC 3261 §8.2.2.2: the same INVITE by another way.
		s.answer(t, gosip.StatusLoopDetected)
		return
	}
	replaces := values(req, "Replaces")
	if s.draining.Load() && len(replaces) == 0 {
		s.reject(t, trunk.Name, media.Shutdown, gosip.StatusServiceUnavailable)
		return
	}
	if req.Contact() == nil && fromTag(req) != "" {
		// §8.1.1.8: without it nothing can be sent to the peer. Clients of RFC
		// 2543, which had no tags either, are reached by their From.
		s.reject(t, trunk.Name, media.LegFailed, gosip.StatusBadRequest)
		return
	}
	if f := content(req); f != nil {
		s.reject(t, trunk.Name, media.NotAcceptable, f.status, f.headers...)
		return
	}
	if f := s.tooShort(req); f != nil {
		s.answer(t, f.status, f.headers...) // the peer asks again
		return
	}
	if len(replaces) > 0 {
		s.replace(t, from, trunk, replaces)
		return
	}
	// The peer stops repeating its INVITE, which may wait for a while (§8.2.6.1).
	s.respond(t, reply(req, gosip.StatusTrying, ""))

	v, err := s.newVoice(trunk.Trunk, from)
	if err != nil {
		s.log.Warn().Err(err).Msg("call rejected")
		s.reject(t, trunk.Name, media.Busy, gosip.StatusServiceUnavailable)
		return
	}
	if err := v.takeOffer(req); err != nil {
		v.close()
		s.log.Info().Err(err).Str("trunk", trunk.Name).Stringer("peer", from.remote).Msg("call refused: its offer cannot be answered")
		status, headers := refusal(err)
		s.reject(t, trunk.Name, media.NotAcceptable, status, headers...)
		return
	}
	v.fix()
	c := newCall(s, trunk, req, uasDialog(req, from, newTag()), v)
	c.tx, c.updates = t, lists(req, "Allow", "UPDATE")
	if err := trunk.take(c, time.Now()); err != nil {
		v.close()
		s.rare.Info().Err(err).Stringer("peer", from.remote).Msg("call refused")
		s.reject(t, trunk.Name, media.Busy, gosip.StatusServiceUnavailable)
		return
	}
	t.setCall(c)
	s.calls.add(c)
	if !s.handlers.Start(func() { c.handled(s.cfg.Handler) }) {
		c.refuse(media.Shutdown, media.Shutdown.SIPStatus())
		c.release()
	}
}

// refusal returns the response to an offer that cannot be answered.
func refusal(err error) (status int, headers []gosip.Header) {
	switch {
	case errors.Is(err, sdp.ErrMalformed):
		return gosip.StatusBadRequest, nil
	case errors.Is(err, sdp.ErrUnsupported):
		return gosip.StatusUnsupportedMediaType, []gosip.Header{header("Accept", sdpType)} // RFC 3261 §21.4.13
	}
	return gosip.StatusNotAcceptableHere, nil
}

// handled runs handler and makes sure that nothing of the call is left when it
// returns.
func (c *Call) handled(handler func(context.Context, *Call)) {
	handler(c.s.serving, c)
	if err := c.Hangup(context.Background(), media.Internal); err != nil {
		c.log.Debug().Err(err).Msg("hang-up not answered")
	}
	if !c.isPassed() {
		c.release()
	}
}

// response makes a response of the dialog's, with the headers that tell the
// peer how to reach it and what it can do (RFC 3261 §12.1.1, §13.3.1.4).
func (c *Call) response(req *gosip.Request, status int) *gosip.Response {
	return c.s.reply(req, status, c.local,
		c.d.contact(c.s), header("Allow", allowed), c.s.supported())
}
