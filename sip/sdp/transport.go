package sdp

// pick finds in a line the keys that this side can work with.
type pick func(*Media) (proposal, bool)

// transport decides whether the line's transport can be had and with which keys,
// none meaning in the clear. Otherwise it says why not.
func (l Local) transport(m *Media, pick pick) (p proposal, refusal string) {
	switch m.Proto {
	case "RTP/AVP", "RTP/AVPF":
		switch {
		case l.SRTP == SRTPRequired:
			return proposal{}, m.Proto + " where SRTP is required"
		case l.secures():
			p, _ = pick(m) // RFC 8643 §3: keys that nobody can use are ignored
		}
		return p, ""
	case "RTP/SAVP", "RTP/SAVPF":
		if !l.secures() {
			return proposal{}, m.Proto + " without SRTP here"
		}
		p, ok := pick(m)
		if !ok {
			return proposal{}, "no SRTP suite in common"
		}
		return p, ""
	}
	if m.Secure() {
		return proposal{}, m.Proto + " without DTLS here"
	}
	return proposal{}, "audio over " + m.Proto
}

// secures reports whether this side can encrypt.
func (l Local) secures() bool { return l.SRTP != SRTPOff && l.Secret != Secret{} }

// proto returns the transport of this side's first offer.
func (l Local) proto() string {
	if l.SRTP == SRTPRequired {
		return "RTP/SAVP"
	}
	return "RTP/AVP"
}
