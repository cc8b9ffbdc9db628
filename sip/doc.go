// Package sip is a SIP user agent (RFC 3261) for a telephony gateway: it takes
// calls and places them, and carries their audio.
//
// A [Server] owns the sockets. It hands every inbound INVITE whose offer can be
// answered to a handler as a [Call], whose methods are a leg's: Ring, Answer,
// Run, Hangup. [Server.Dial] places a call and returns the same type.
//
// A [Trunk] is whom it deals with: a carrier or PBX, known by its addresses, by a
// password, or by where it registers us. What strangers send is dropped as early as it
// can be told.
//
// Messages, their parser and the server transactions are those of
// github.com/emiago/sipgo; sockets, matching and dialogs are this package's own,
// because a telephone call depends on order: each socket's reader handles its
// messages one after the other, so that an ACK is seen before the BYE behind it,
// and what cannot be a message costs neither memory nor a goroutine. Media is
// negotiated by sip/sdp and carried by sip/rtp.
//
// The package never imports bridge, mediastream or realtime; bridge/media is all
// it shares with them. Its goroutines, those of registrations and keep-alives too,
// belong to [Server.Run], those of a call's audio to [Call.Run] until [Call.Transfer]
// has passed the call on: then they are the server's as well.
package sip
