// Package keytone makes the sound of telephone keys (DTMF, ITU-T Q.23), for far ends
// that take keys in the audio only.
//
// It is pure: no clock, no goroutines, and of this module it knows bridge/media alone.
package keytone
