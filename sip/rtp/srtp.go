package rtp

import (
	"errors"
	"net/netip"
	"time"

	pion "github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"github.com/callgw/callgw/sip/sdp"
)

const (
	// replayWindow is how many packets back one may still come, once (RFC 3711
	// §3.3.2 asks for 64 at least).
	replayWindow = 128
	// overhead is the longest authentication tag, or tag and index of SRTCP.
	overhead = 4 + 16
	// rekeying is how long the peer's old key serves beside the new one.
	rekeying = 2 * time.Second
	// guesses is how many packets are tried with several roll-over counters while
	// none was understood: who forges them must not have this side work for ever.
	guesses = 16
)

// newContext returns pion's context for one way, nil for a key that is none.
func newContext(suite sdp.Suite, key sdp.Key) *srtp.Context {
	var profile srtp.ProtectionProfile
	switch suite {
	case sdp.AEADAES256GCM:
		profile = srtp.ProtectionProfileAeadAes256Gcm
	case sdp.AEADAES128GCM:
		profile = srtp.ProtectionProfileAeadAes128Gcm
	case sdp.AESCM128HMACSHA180:
		profile = srtp.ProtectionProfileAes128CmHmacSha1_80
	case sdp.AESCM128HMACSHA132:
		profile = srtp.ProtectionProfileAes128CmHmacSha1_32
	case sdp.AES256CMHMACSHA180:
		profile = srtp.ProtectionProfileAes256CmHmacSha1_80
	case sdp.AES256CMHMACSHA132:
		profile = srtp.ProtectionProfileAes256CmHmacSha1_32
	}
	master, salt := suite.Split(key)
	c, err := srtp.CreateContext(master, salt, profile,
		srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow))
	if err != nil {
		return nil
	}
	return c
}

// sealer protects what is sent (RFC 3711). Its owner's lock guards it.
type sealer struct {
	on     bool
	suite  sdp.Suite
	key    sdp.Key // context is made of it, also while on is false
	ctx    *srtp.Context
	header pion.Header
}

// rekey takes what SDP settled. A key that stays keeps its roll-over counter,
// even over a time in the clear: no index may be used twice (RFC 3711 §9.1). It
// reports whether another key was in the place of this one.
func (s *sealer) rekey(security sdp.Security) (again bool) {
	s.on = security.On()
	if !s.on || s.suite == security.Suite && s.key.Equal(security.Send) {
		return false
	}
	again = s.suite != 0
	s.suite, s.key = security.Suite, security.Send
	s.ctx = newContext(s.suite, s.key)
	return again
}

// rtp protects a packet in place, b's capacity leaving room for the overhead. ok
// is false when it cannot be protected; then it must not be sent.
func (s *sealer) rtp(b []byte) (sealed []byte, ok bool) {
	if !s.on {
		return b, true
	}
	if s.ctx == nil {
		return nil, false
	}
	sealed, err := s.ctx.EncryptRTP(b[:0], b, &s.header)
	return sealed, err == nil
}

// rtcp is rtp for a compound RTCP packet.
func (s *sealer) rtcp(b []byte) (sealed []byte, ok bool) {
	if !s.on {
		return b, true
	}
	if s.ctx == nil {
		return nil, false
	}
	sealed, err := s.ctx.EncryptRTCP(b[:0], b, nil)
	return sealed, err == nil
}

// opener authenticates and decrypts what is received.
type opener struct {
	on     bool
	suite  sdp.Suite
	key    sdp.Key // ctx is made of it, also while on is false
	ctx    *srtp.Context
	old    *srtp.Context // of the key before, until
	until  time.Time
	buffer []byte // AEAD overwrites what it cannot authenticate
	header pion.Header

	fresh   bool // nothing was authenticated with ctx yet
	guesses int  // how many packets may still be guessed at
}

// rekey takes what SDP settled. Packets on their way under the old key are still
// understood for a while.
func (o *opener) rekey(now time.Time, security sdp.Security) {
	o.on = security.On()
	if !o.on || o.suite == security.Suite && o.key.Equal(security.Receive) {
		return
	}
	o.old, o.until = o.ctx, now.Add(rekeying)
	o.suite, o.key = security.Suite, security.Receive
	o.ctx, o.fresh, o.guesses = newContext(o.suite, o.key), true, guesses
	if o.buffer == nil {
		o.buffer = make([]byte, maxDatagram)
	}
}

// rtp returns the packet that b protects, in a buffer of the opener's own, or why
// there is none: Auth or Replay.
func (o *opener) rtp(now time.Time, b []byte) (plain []byte, why Reason, ok bool) {
	if !o.on {
		return b, 0, true
	}
	if o.ctx == nil {
		return nil, Auth, false
	}
	plain, err := o.ctx.DecryptRTP(o.buffer[:0], b, &o.header)
	if err != nil && o.fresh {
		plain, err = o.guess(b, err)
	}
	if err == nil {
		o.fresh = false
		return plain, 0, true
	}
	if o.old != nil && now.Before(o.until) {
		if plain, err := o.old.DecryptRTP(o.buffer[:0], b, &o.header); err == nil {
			return plain, 0, true
		}
	}
	return nil, reason(err, len(b)), false
}

// guess tries the key's first packet with other roll-over counters than 0, which a
// receiver begins with (RFC 3711 §3.3.1): with 1, for the sequence number may have
// wrapped before the first packet came, and with that of the key before, which goes
// on for some peers (RFC 3711 §3.3.1) and begins anew for others (RFC 4568 §7.1.4).
// With a wrong one, nothing of the stream would ever be understood.
func (o *opener) guess(b []byte, err error) ([]byte, error) {
	if o.guesses == 0 {
		return nil, err
	}
	o.guesses--
	ssrc := o.header.SSRC
	counters := [...]uint32{1, 1, 1}
	if o.old != nil {
		if roc, known := o.old.ROC(ssrc); known {
			counters = [...]uint32{1, roc, roc + 1}
		}
	}
	for i, roc := range counters {
		if i > 0 && roc <= counters[i-1] {
			continue
		}
		o.ctx.SetROC(ssrc, roc)
		plain, err := o.ctx.DecryptRTP(o.buffer[:0], b, &o.header)
		if err == nil {
			return plain, nil
		}
	}
	o.ctx.SetROC(ssrc, 0)
	return nil, err
}

// rtcp is rtp for a compound RTCP packet.
func (o *opener) rtcp(now time.Time, b []byte) (plain []byte, why Reason, ok bool) {
	if !o.on {
		return b, 0, true
	}
	if o.ctx == nil {
		return nil, Auth, false
	}
	plain, err := o.ctx.DecryptRTCP(o.buffer[:0], b, nil)
	if err != nil && o.old != nil && now.Before(o.until) {
		if plain, err := o.old.DecryptRTCP(o.buffer[:0], b, nil); err == nil {
			return plain, 0, true
		}
	}
	if err != nil {
		return nil, reason(err, len(b)), false
	}
	return plain, 0, true
}

// reason tells packets that cannot be authenticated from those that came before.
// pion's error for the latter has no name: it is what remains.
func reason(err error, length int) Reason {
	if errors.Is(err, srtp.ErrFailedToVerifyAuthTag) || length < headerBytes+overhead {
		return Auth
	}
	return Replay
}

// unmapped returns an IPv4 peer's address as one, whatever the socket's family.
func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
