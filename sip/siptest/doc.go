// Package siptest is the other side of a SIP call for tests: a [Network] in
// memory that loses, doubles, delays and reorders datagrams as told, and a
// [Peer] on it that sends and expects what a script says.
//
// Everything runs on channels and timers, so that inside testing/synctest
// minutes of signalling pass in milliseconds, and no packet leaves the process.
// It imports sipgo's messages and nothing of this module.
package siptest
