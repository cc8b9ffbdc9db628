// Package sdp makes and reads the offers and answers (RFC 3264) of calls that
// speak G.711 and telephone-event.
//
// It is pure: values in, values out. It opens nothing, starts nothing and asks
// no clock; only [NewSecret] asks for randomness. SRTP keys never print, but a
// description that was written or read contains them. [Parse] reads a description, [Answer] answers an offer, [Offer]
// makes one and [Accept] reads the answer to it; what both sides settled is a
// [Stream], which is all that sip/rtp needs to know. A peer's fault is
// [ErrMalformed] (400 in SIP) or [ErrNotAcceptable] (488).
//
// Descriptions are written with pion/sdp and read by this package's own reader:
// pion's refuses the whole description for one media type, transport or
// bandwidth it does not know, so that a fax line beside the audio would lose
// the call.
package sdp
