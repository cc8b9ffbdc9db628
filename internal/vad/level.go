package vad

import (
	"encoding/binary"
	"math"

	"github.com/callgw/callgw/bridge/media"
)

// Quiet is the level of digital silence, and the lowest that [Level] returns.
const Quiet = -90.0

// fullScale is the square of the largest 16-bit sample: 0 dBFS.
const fullScale = 32768 * 32768

// squares holds, for each law and each byte, the square of its linear value.
var squares = [2][256]uint32{
	media.PCMU: table(ulaw),
	media.PCMA: table(alaw),
}

func table(linear func(byte) int32) (t [256]uint32) {
	for i := range t {
		v := linear(byte(i))
		t[i] = uint32(v * v)
	}
	return t
}

// ulaw expands one byte to 16 bits (ITU-T G.711 table 2a).
func ulaw(b byte) int32 {
	b = ^b
	v := (int32(b&0x0F)<<3+0x84)<<(b>>4&7) - 0x84
	if b&0x80 != 0 {
		return -v
	}
	return v
}

// alaw expands one byte to 16 bits (ITU-T G.711 table 1a).
func alaw(b byte) int32 {
	b ^= 0x55
	v := int32(b&0x0F)<<4 + 8
	if e := b >> 4 & 7; e > 0 {
		v = (v + 0x100) << (e - 1)
	}
	if b&0x80 == 0 {
		return -v
	}
	return v
}

// Level returns the mean power of a frame of G.711 in dBFS: 0 for the loudest
// square wave, [Quiet] for silence or an empty frame.
func Level(codec media.Codec, frame []byte) float64 {
	t := &squares[codec&1]
	var sum uint64
	for _, b := range frame {
		sum += uint64(t[b])
	}
	return decibels(sum, len(frame))
}

// LevelPCM16 is [Level] for little-endian 16-bit samples at any rate.
func LevelPCM16(frame []byte) float64 {
	var sum uint64
	n := len(frame) / 2
	for i := range n {
		v := int64(int16(binary.LittleEndian.Uint16(frame[2*i:])))
		sum += uint64(v * v)
	}
	return decibels(sum, n)
}

func decibels(sum uint64, n int) float64 {
	if sum == 0 || n == 0 {
		return Quiet
	}
	return max(Quiet, 10*math.Log10(float64(sum)/float64(n)/fullScale))
}
