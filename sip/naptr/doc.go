// Package naptr asks DNS servers for NAPTR records (RFC 3403), which the standard
// library does not know: by them a domain says over which transports its SIP servers
// are reached (RFC 3263 §4.1).
//
// A [Client] asks the servers of resolv.conf and remembers what they said for as long
// as they allow, failures for half a minute, silence for five minutes. What it reads may
// come from anybody who can reach its socket: answers are taken only to the very question
// that is open, and are bounded in size and number.
//
// The package imports nothing of this module, and owns no goroutines.
package naptr
