// Package vad decides from the energy of G.711 audio when somebody speaks.
//
// It is pure: it holds no clock and starts no goroutine. Frames are the clock,
// one every 20 ms, and a frame's level is all a [Detector] sees of it, so that
// any source of levels will do. Nothing in it allocates after [New].
//
// It is meant for lines that carry one voice: it tells sound from silence and
// steady noise, not speech from music.
package vad
