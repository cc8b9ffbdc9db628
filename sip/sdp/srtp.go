package sdp

import "fmt"

// SRTP says whether a call's audio is encrypted (RFC 3711), with keys that travel
// in the description (SDES, RFC 4568). The zero value is SRTPOff.
type SRTP uint8

const (
	// SRTPOff speaks RTP in the clear only: offers of SRTP are refused.
	SRTPOff SRTP = iota
	// SRTPOptional encrypts where the peer can. An offer of SRTP is answered with
	// SRTP, one of RTP with RTP; one of RTP that brings keys is answered with
	// keys, and so are the offers made here: opportunistic SRTP (RFC 8643), which
	// who knows nothing of it answers as plain RTP.
	SRTPOptional
	// SRTPRequired speaks SRTP only, offers RTP/SAVP, and takes nothing else,
	// opportunistic SRTP neither.
	SRTPRequired
)

var policies = [...]string{SRTPOff: "off", SRTPOptional: "optional", SRTPRequired: "required"}

// ParseSRTP reads a policy as configuration spells it. Empty means off.
func ParseSRTP(name string) (SRTP, error) {
	if name == "" {
		return SRTPOff, nil
	}
	for i, n := range policies {
		if n == name {
			return SRTP(i), nil
		}
	}
	return SRTPOff, fmt.Errorf("sdp: unknown SRTP policy %q: off, optional and required are supported", name)
}

// String returns the policy as configuration spells it.
func (p SRTP) String() string {
	if int(p) >= len(policies) {
		return policies[SRTPRequired]
	}
	return policies[p]
}

// Security is the SRTP that an offer and its answer settled. The zero value is
// RTP in the clear.
type Security struct {
	Suite Suite
	// Send is this side's master key and salt, Receive the peer's.
	Send, Receive Key
}

// On reports whether the audio is encrypted.
func (s Security) On() bool { return s.Suite != 0 }
