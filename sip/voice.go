package sip

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip/rtp"
	"github.com/callgw/callgw/sip/sdp"
)

var errNotRunning = errors.New("sip: the call is not running")

// socket is where a call's RTP comes and goes: an *rtp.Pair.
type socket interface {
	rtp.Conn
	LocalAddr() net.Addr
	Close() error
}

// voice is a call's media: what offer and answer settled, and the RTP session
// that follows it.
type voice struct {
	s     *Server
	trunk string // its name
	conn  socket

	mu      sync.Mutex
	local   sdp.Local
	peer    *sdp.Description // the peer's latest description, nil before the first
	stream  sdp.Stream
	settled bool        // stream holds
	law     media.Codec // of Run's audio, once that is fixed
	fixed   bool
	body    []byte // our description that goes into the next 2xx
	offer   bool   // body is an offer
	session *rtp.Session
	live    bool // start was called
	early   bool // before the answer: only towards the peer
}

// newVoice opens the RTP sockets of a call whose peer l leads to.
func (s *Server) newVoice(t Trunk, l link) (*voice, error) {
	conn, err := s.openRTP()
	if err != nil {
		return nil, fmt.Errorf("sip: %w", err)
	}
	own := addrPort(conn.LocalAddr())
	address := own.Addr()
	if address.IsUnspecified() || s.cfg.ExternalIP.IsValid() {
		address = s.advertised(l)
	}
	id := uint64(time.Now().UnixNano()) // RFC 8866 §5.2: a number that is not used again
	return &voice{s: s, trunk: t.Name, conn: conn, local: sdp.Local{
		Address: address,
		Port:    own.Port(),
		Codecs:  t.Codecs,
		SRTP:    t.SRTP,
		Secret:  sdp.NewSecret(),
		Origin:  sdp.Origin{ID: id, Version: id},
	}}, nil
}

// takeOffer reads the offer in an INVITE or UPDATE and prepares the answer. A
// request without one gets an offer of ours (RFC 3261 §13.3.1). On error nothing
// has changed.
func (v *voice) takeOffer(req *gosip.Request) error {
	body, err := sdp.Body(contentType(req), req.Body())
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if body == nil {
		local := v.next()
		v.local, v.body, v.offer = local, sdp.Offer(local, v.peer), true
		return nil
	}
	offer, err := sdp.Parse(body)
	if err != nil {
		return err
	}
	local := v.next()
	answer, stream, err := sdp.Answer(offer, local)
	if err != nil {
		return err
	}
	v.local, v.body, v.offer = local, answer, false
	v.settle(offer, stream)
	return nil
}

// next returns what this side says of itself in its next description: the same
// session, one version on, and first the law in which nothing has to be converted.
func (v *voice) next() sdp.Local {
	local := v.local
	if v.body != nil {
		local.Origin = local.Origin.Next()
	}
	if v.settled {
		local.Codecs = first(v.speaks(), local.Codecs)
		local.EventType = v.stream.Receive.Event
		local.Security = v.stream.Security
	}
	return local
}

// first returns the codecs, none meaning both, with law before the other if it is one
// of them.
func first(law media.Codec, codecs []media.Codec) []media.Codec {
	if len(codecs) == 0 {
		codecs = []media.Codec{media.PCMU, media.PCMA}
	}
	i := slices.Index(codecs, law)
	if i <= 0 {
		return codecs
	}
	return slices.Concat(codecs[i:i+1], codecs[:i], codecs[i+1:])
}

// makeOffer returns the offer of an INVITE of ours.
func (v *voice) makeOffer() []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.body, v.offer = sdp.Offer(v.local, nil), true
	return v.body
}

// repeat returns the offer that changes nothing: our description as the peer knows
// it (RFC 4028 §7.4), but for the order of the codecs.
func (v *voice) repeat() []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	local := v.next()
	local.Origin = v.local.Origin
	if v.offer {
		if same := sdp.Offer(local, v.peer); !bytes.Equal(same, v.body) {
			local.Origin = local.Origin.Next()
			v.body = sdp.Offer(local, v.peer)
		}
	}
	v.local = local
	return v.body
}

// answer returns the description for a 2xx, and whether it is an offer.
func (v *voice) answer() (body []byte, offer bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.body, v.offer
}

// takeAnswer reads the answer to our offer.
func (v *voice) takeAnswer(kind string, body []byte) error {
	body, err := sdp.Body(kind, body)
	if err != nil {
		return err
	}
	if body == nil {
		return fmt.Errorf("%w: no answer to our offer", sdp.ErrNotAcceptable)
	}
	answer, err := sdp.Parse(body)
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	stream, err := sdp.Accept(v.local, answer)
	if err != nil {
		return err
	}
	v.settle(answer, stream)
	return nil
}

// settle makes stream what the RTP session does. Where the peer takes either law, the
// one that needs no converting is spoken. Callers hold mu.
func (v *voice) settle(peer *sdp.Description, stream sdp.Stream) {
	if v.fixed {
		stream = stream.Speaking(v.law)
	}
	v.peer, v.stream, v.settled = peer, stream, true
	if v.session != nil {
		v.session.Update(v.now())
	}
}

// fix makes the law agreed so far, or the one that our offer prefers, that of Run's
// audio, whatever the peer speaks later.
func (v *voice) fix() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.law, v.fixed = v.speaks(), true
}

// codec returns the law of Run's audio.
func (v *voice) codec() media.Codec {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.speaks()
}

// wire returns the law that is sent to the peer.
func (v *voice) wire() media.Codec {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.settled {
		return v.stream.Codec
	}
	return v.speaks()
}

// speaks is codec for those who hold mu.
func (v *voice) speaks() media.Codec {
	switch {
	case v.fixed:
		return v.law
	case v.settled:
		return v.stream.Codec
	case len(v.local.Codecs) > 0:
		return v.local.Codecs[0]
	}
	return media.PCMU
}

// start begins the audio of both ways: the call is answered.
func (v *voice) start() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.session != nil && v.early {
		v.session.Update(v.stream)
	}
	v.live, v.early = true, false
	if v.session != nil {
		v.session.Start()
	}
}

// startEarly begins the audio to the peer before the answer.
func (v *voice) startEarly() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.live {
		return
	}
	v.live, v.early = true, true
	if v.session != nil {
		v.session.Update(v.now())
		v.session.Start()
	}
}

// now returns the stream as it is to be carried. Before the answer nothing is
// taken from the peer, who need not send yet either.
func (v *voice) now() sdp.Stream {
	stream := v.stream
	if v.early {
		stream.Direction = stream.Direction.And(sdp.SendOnly)
	}
	return stream
}

// run carries audio until ctx ends, which is no error, or the peer's stops. recodes is
// told of a law of the peer's that is converted; it must not block.
func (v *voice) run(ctx context.Context, up *uplink, down *downlink, recodes func(wire media.Codec)) error {
	cfg := rtp.Config{
		Conn: v.conn, Uplink: up, Downlink: down,
		UplinkLaw: func(wire media.Codec) {
			if up.speaks(wire) {
				recodes(wire)
			}
		},
		DownlinkLaw: func(wire media.Codec) {
			if down.hears(wire) {
				recodes(wire)
			}
		},
		Pacer: v.s.cfg.Pacer, Timeout: v.s.cfg.MediaTimeout, Metrics: v.s.cfg.Metrics.rtp(v.trunk), Reporter: v.s.cfg.Reporter,
	}
	v.mu.Lock()
	if v.settled {
		cfg.Stream = v.now()
	}
	session := rtp.NewSession(cfg)
	v.session = session
	if v.live {
		session.Start()
	}
	v.mu.Unlock()
	return session.Run(ctx)
}

// drain throws away what came before the answer: early media of a call out,
// which nobody has asked for.
func (v *voice) drain() {
	const look = 2 * time.Millisecond
	var packet [1]byte
	if err := v.conn.SetReadDeadline(time.Now().Add(look)); err != nil {
		return
	}
	for {
		if _, _, err := v.conn.ReadFromUDPAddrPort(packet[:]); err != nil {
			return
		}
	}
}

func (v *voice) stats() rtp.Stats {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.session == nil {
		return rtp.Stats{}
	}
	return v.session.Stats()
}

func (v *voice) press(d media.Digit, duration time.Duration) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.session == nil {
		return errNotRunning
	}
	return v.session.SendDigit(d, duration)
}

func (v *voice) close() { _ = v.conn.Close() } // nothing to be done about it
