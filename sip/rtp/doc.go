// Package rtp carries a call's G.711 between the phone and the call's bridge
// (RFC 3550, RFC 3551, RFC 4733), in the clear or encrypted (RFC 3711, RFC 7714).
//
// A [Session] is one call's RTP. Its reader restores the order of packets
// without delaying those in order, fills what is missing with silence, so that
// the uplink's bytes are a true 8 kHz clock, accepts packets only from the
// source it has locked to, and recognises keys. Its sender is a [pacer.Task]:
// every packet time it takes audio from the downlink, silence when there is
// none, and sends it. A [Reporter] exchanges RTCP reports for all sessions that
// name it. [Ports] hands out the sockets.
//
// The goroutine that calls [Session.Run] is the reader; the session starts no
// other. That which calls [Reporter.Run] does all the reporting, but for what comes
// to RTP's port (RFC 5761), which the reader takes. The package knows no SIP and no
// bridge; of SDP it takes the settled [sdp.Stream]. Packets are read and written
// without allocating.
package rtp
