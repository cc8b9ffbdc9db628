// Package transcode converts speech between the G.711 of a telephone line and
// what a Realtime server that has no G.711 speaks instead: the other law, or
// 16-bit little-endian PCM at 8, 16 or 24 kHz.
//
// A [Decoder] turns G.711 into PCM, an [Encoder] PCM into G.711, [AppendLaw] one
// law into the other. They belong at the edge of a session, and a law's table at
// that of a leg, and nowhere else: calls whose two sides agree on a law are never
// transcoded.
//
// # The filter
//
// Rates are converted by a polyphase FIR filter with linear phase: a sinc with
// its half-amplitude point at 4 kHz under a Kaiser window that reaches 14
// samples of 8 kHz to each side. Up to 3.4 kHz it is flat to 0.1 dB; from 4.6 kHz
// images and aliases lie 60 dB below, so that nothing folds into the telephone
// band. Between the two it falls. One in two or three of a decoder's samples
// is the line's sample itself.
//
// # Time
//
// Sample k of the line is sample ratio×k of the PCM, exactly: the filter shifts
// nothing. It looks ahead instead, so that the newest 1.75 ms ([Lookahead]) are
// withheld until more audio or a Flush follows. Over a stream that was flushed,
// byte counts are exact: n bytes of G.711 make 2×ratio×n bytes of PCM, and n
// samples of PCM make n/ratio bytes of G.711, rounded up.
//
// # Cost
//
// Everything is computed in integers, the same on every machine. Nothing
// allocates after construction as long as the destination has room.
//
// The package is pure: it holds no clock, starts no goroutine, and imports of
// this module only [github.com/callgw/callgw/bridge/media]. A converter
// follows one stream in one direction and is not safe for concurrent use.
package transcode
