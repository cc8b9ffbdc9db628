package sip

import (
	"context"
	"fmt"
	"strings"
	"time"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/callgw/callgw/bridge/media"
)

// Dial is a call to place.
type Dial struct {
	// To is the URI to call, such as "sip:+14155550123@192.0.2.1;transport=tcp", or,
	// with a trunk that has a server, a number there.
	To string
	// From is the caller's number or user, or a whole SIP URI. "" means callgw.
	From string
	// Trunk names the trunk whose codecs are offered; "" means those of Config.
	Trunk string
	// Headers are added to the INVITE.
	Headers map[string]string
	// Codecs are offered instead of the trunk's. None means the trunk's.
	Codecs []media.Codec
	// OnState is told of every provisional response as it comes, by its status.
	// It must not block. It may be nil.
	OnState func(status int)
}

// Dial places a call and returns it when it is answered. A refusal is a
// [StatusError]; wrapped beside it is the media.Cause that comes closest. When
// ctx ends first, the call is cancelled (RFC 3261 §9.1) and the error wraps
// ctx's cause; should the peer answer in that very moment, it is hung up at
// once. Run must be called on the returned call, or Hangup.
func (s *Server) Dial(ctx context.Context, out Dial) (*Call, error) {
	trunk, err := s.trunks.named(out.Trunk)
	if err != nil {
		return nil, err
	}
	uri, err := trunk.uri(out.To)
	if err != nil {
		return nil, fmt.Errorf("sip: dial: %w", err)
	}
	targets, err := s.targets(ctx, trunk.next(uri), link{})
	if err != nil {
		return nil, fmt.Errorf("sip: dial: %w: %w", media.LegFailed, err)
	}
	to, others, err := s.reachOne(ctx, targets)
	if err != nil {
		return nil, fmt.Errorf("sip: dial: %w: %w", media.LegFailed, err)
	}
	speaks := trunk.Trunk
	if len(out.Codecs) > 0 {
		speaks.Codecs = out.Codecs
	}
	v, err := s.newVoice(speaks, to)
	if err != nil {
		return nil, err
	}
	req, err := s.inviteTo(uri, to, out)
	if err != nil {
		v.close()
		return nil, err
	}
	trunk.dress(req)
	withSDP(req, v.makeOffer())
	a := &attempt{s: s, out: out, trunk: trunk, others: others, voice: v, result: make(chan *Call, 1), failed: make(chan error, 1), ringing: make(chan struct{})}
	if err := trunk.take(a, time.Now()); err != nil {
		v.close()
		return nil, err
	}
	a.ctx, a.stop = context.WithCancel(s.life)
	a.tx = s.begin(req, to)
	if !s.errands.start(a.run) {
		a.stop()
		s.clientTxs.remove(a.tx)
		trunk.leave(a)
		v.close()
		return nil, errShut
	}
	select {
	case c := <-a.result:
		return c, nil
	case err := <-a.failed:
		return nil, err
	case <-ctx.Done():
		return nil, a.giveUp(context.Cause(ctx))
	}
}

// inviteTo builds an INVITE outside a dialog (RFC 3261 §8.1.1).
func (s *Server) inviteTo(uri gosip.Uri, to link, out Dial) (*gosip.Request, error) {
	contact := s.contactFor(to, uri.IsEncrypted())
	from := gosip.Uri{Scheme: "sip", User: out.From, Host: contact.Address.Host}
	switch {
	case strings.HasPrefix(out.From, "sip:"):
		from = gosip.Uri{}
		if err := gosip.ParseUri(out.From, &from); err != nil {
			return nil, fmt.Errorf("sip: dial from %q: %w", out.From, err)
		}
	case out.From == "":
		from.User = "callgw"
	}
	req := gosip.NewRequest(gosip.INVITE, uri)
	req.AppendHeader(s.via(to))
	maxForwards(req)
	h := &gosip.FromHeader{Address: from}
	h.Params.Add("tag", newTag())
	req.AppendHeader(h)
	req.AppendHeader(&gosip.ToHeader{Address: gosip.Uri{Scheme: uri.Scheme, User: uri.User, Host: uri.Host, Port: uri.Port}})
	id := gosip.CallIDHeader(newTag() + newTag())
	req.AppendHeader(&id)
	req.AppendHeader(&gosip.CSeqHeader{SeqNo: 1, MethodName: gosip.INVITE})
	req.AppendHeader(contact)
	req.AppendHeader(header("Allow", allowed))
	req.AppendHeader(header("User-Agent", s.cfg.UserAgent))
	for name, value := range out.Headers {
		if strings.ContainsAny(name+value, "\r\n") {
			return nil, fmt.Errorf("sip: dial: header %q: line breaks are not allowed", name)
		}
		req.AppendHeader(header(name, value))
	}
	return req, nil
}
