package sip

import (
	"cmp"
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
	// From is the caller's number or user, or a whole SIP URI; "anonymous" withholds
	// it (RFC 3323). "" means callgw.
	From string
	// Name is the caller's name for display. It may be "".
	Name string
	// Asserted is the number, or the whole SIP URI, that P-Asserted-Identity vouches
	// for (RFC 3325): what carriers bill and check. "" means no such header.
	Asserted string
	// ID is the Call-ID, which must be new: see [NewCallID]. "" means one of its own.
	ID string
	// Trunk names the trunk whose codecs are offered; "" means those of Config.
	Trunk string
	// Headers are added to the INVITE.
	Headers map[string]string
	// Codecs are offered instead of the trunk's. None means the trunk's.
	Codecs []media.Codec
	// Fixed says that Run's audio is of the first law offered, whichever the far end
	// answers: for who must know before. Else the answer decides, and nothing has to be
	// converted.
	Fixed bool
	// RingTimeout is how long it may take until the call is answered. 0 means 3 min,
	// negative that only ctx ends it.
	RingTimeout time.Duration
	// Redirects is how many 3xx are followed at most. What exceeds it is an error
	// like other refusals, with the contacts; 0 means that none is followed.
	Redirects int
	// Early is told, by its law, of audio that comes before the answer, such as
	// announcements and ringing (183 with a session description), and returns who
	// hears it. It is told again when another phone of a forked call is heard. All
	// is over when Dial returns. nil means that nobody listens.
	Early func(codec media.Codec) media.Uplink
	// OnState is told of every provisional response as it comes, by its status, until
	// Dial returns. It must not block. It may be nil.
	OnState func(status int)
}

// ringTimeout is as long as proxies wait (RFC 3261 §16.6, timer C).
const ringTimeout = 3 * time.Minute

// Dial places a call and returns it when it is answered. A refusal is a
// [StatusError]; wrapped beside it is the media.Cause that comes closest. When
// ctx ends first, the call is cancelled (RFC 3261 §9.1) and the error wraps
// ctx's cause, or media.NoAnswer after RingTimeout; should the peer answer in that very moment, it is hung up at
// once. Run must be called on the returned call, or Hangup.
func (s *Server) Dial(ctx context.Context, out Dial) (*Call, error) {
	trunk, err := s.trunks.named(out.Trunk)
	if err != nil {
		return nil, err
	}
	return s.dialOver(ctx, trunk, out)
}

// dialOver is Dial over a trunk, which need not be there any more.
func (s *Server) dialOver(ctx context.Context, trunk *trunk, out Dial) (*Call, error) {
	if out.RingTimeout >= 0 {
		limit := cmp.Or(out.RingTimeout, ringTimeout)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, fmt.Errorf("not answered within %v: %w", limit, media.NoAnswer))
		defer cancel()
	}
	out.From = trunk.caller(out.From)
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
	if out.Fixed {
		v.fix()
	}
	req, err := s.inviteTo(uri, to, out)
	if err != nil {
		v.close()
		return nil, err
	}
	trunk.dress(req)
	withSDP(req, v.makeOffer())
	a := &attempt{s: s, out: out, trunk: trunk, login: trunk.loginFor(uri), others: others, voice: v, result: make(chan *Call, 1), failed: make(chan error, 1)}
	if err := trunk.take(a, time.Now()); err != nil {
		v.close()
		return nil, err
	}
	a.ctx, a.stop = context.WithCancel(s.life)
	a.id = dialogID{callID: callID(req), local: fromTag(req)}
	a.begin(req, to)
	s.attempts.add(a)
	if !s.errands.Start(a.run) {
		a.stop()
		s.attempts.remove(a)
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

// Dialable returns what is wrong with a call to place, as far as that is known before
// it is.
func (s *Server) Dialable(out Dial) error {
	trunk, err := s.trunks.named(out.Trunk)
	if err != nil {
		return err
	}
	if _, err := trunk.uri(out.To); err != nil {
		return fmt.Errorf("sip: dial: %w", err)
	}
	if _, err := uriOf(cmp.Or(out.From, "callgw"), "host"); err != nil {
		return fmt.Errorf("sip: dial from: %w", err)
	}
	if _, err := uriOf(cmp.Or(out.Asserted, "callgw"), "host"); err != nil {
		return fmt.Errorf("sip: dial: asserted identity: %w", err)
	}
	return nil
}

// inviteTo builds an INVITE outside a dialog (RFC 3261 §8.1.1).
func (s *Server) inviteTo(uri gosip.Uri, to link, out Dial) (*gosip.Request, error) {
	contact := s.contactFor(to, uri.IsEncrypted())
	from, err := uriOf(cmp.Or(out.From, "callgw"), contact.Address.Host)
	if err != nil {
		return nil, fmt.Errorf("sip: dial from: %w", err)
	}
	name, private := strings.Map(printable, out.Name), out.From == anonymous
	if private {
		// RFC 3323 §4.1.1.3; RFC 3325 §9.3: whom we assert is for the carrier alone.
		from, name = gosip.Uri{Scheme: "sip", User: anonymous, Host: "anonymous.invalid"}, "Anonymous"
	}
	req := gosip.NewRequest(gosip.INVITE, uri)
	req.AppendHeader(s.via(to))
	maxForwards(req)
	h := &gosip.FromHeader{DisplayName: name, Address: from}
	h.Params.Add("tag", newTag())
	req.AppendHeader(h)
	req.AppendHeader(&gosip.ToHeader{Address: gosip.Uri{Scheme: uri.Scheme, User: uri.User, Host: uri.Host, Port: uri.Port}})
	id := gosip.CallIDHeader(cmp.Or(out.ID, NewCallID()))
	req.AppendHeader(&id)
	req.AppendHeader(&gosip.CSeqHeader{SeqNo: 1, MethodName: gosip.INVITE})
	req.AppendHeader(contact)
	req.AppendHeader(header("Allow", allowed))
	req.AppendHeader(s.supported())
	for _, h := range s.wish(sessionTimer{}, 0) {
		req.AppendHeader(h)
	}
	if private {
		req.AppendHeader(header("Privacy", "id"))
	}
	if out.Asserted != "" {
		asserted, err := uriOf(out.Asserted, contact.Address.Host)
		if err != nil {
			return nil, fmt.Errorf("sip: dial: asserted identity: %w", err)
		}
		req.AppendHeader(header("P-Asserted-Identity", "<"+asserted.String()+">"))
	}
	req.AppendHeader(header("User-Agent", s.cfg.UserAgent))
	for name, value := range out.Headers {
		if strings.ContainsAny(name+value, "\r\n") {
			return nil, fmt.Errorf("sip: dial: header %q: line breaks are not allowed", name)
		}
		req.AppendHeader(header(name, value))
	}
	return req, nil
}

// NewCallID returns a Call-ID that no other call has.
func NewCallID() string { return newTag() + newTag() }

const anonymous = "anonymous"

// uriOf returns the URI of a number or user at host, or the one that is given.
func uriOf(text, host string) (gosip.Uri, error) {
	if !writable(text) {
		return gosip.Uri{}, fmt.Errorf("%q is neither a number nor a SIP URI", text)
	}
	if strings.HasPrefix(text, "sip:") || strings.HasPrefix(text, "sips:") {
		return parseURI(text)
	}
	if strings.ContainsAny(text, ":@;?") {
		return gosip.Uri{}, fmt.Errorf("%q is neither a number nor a SIP URI", text)
	}
	return gosip.Uri{Scheme: "sip", User: text, Host: host}, nil
}

// printable drops what would end a quoted string or a line.
func printable(r rune) rune {
	if r < ' ' || r == '"' || r == '\\' || r == 0x7f {
		return -1
	}
	return r
}
