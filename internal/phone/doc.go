// Package phone is a phone that follows a script: it speaks recordings, hears
// and keeps what comes back, and measures how long that takes. It sits at the far
// end of a call that somebody else carries, in the place of a bridge: it is what
// a leg's Run calls Uplink and Downlink.
//
// It starts no goroutines.
package phone
