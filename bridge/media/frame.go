package media

import "time"

// G.711 as it travels on every leg: 8000 samples a second, one byte a sample
// (ITU-T G.711), in frames of 20 ms (RFC 3551 §4.5 default ptime).
const (
	SampleRate          = 8000
	BytesPerMillisecond = SampleRate / 1000
	FrameDuration       = 20 * time.Millisecond
	FrameBytes          = 160
)

// Bytes returns how many bytes of G.711 sound for d, rounded down.
func Bytes(d time.Duration) int64 {
	return int64(d) * BytesPerMillisecond / int64(time.Millisecond)
}

// Duration returns how long n bytes of G.711 sound.
func Duration(n int64) time.Duration {
	return time.Duration(n) * time.Millisecond / BytesPerMillisecond
}
