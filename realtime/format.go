package realtime

import "time"

// AudioFormat is how audio is coded on the wire, by its Beta name, which is
// also that of the configuration. All are mono.
type AudioFormat string

const (
	FormatULaw  AudioFormat = "g711_ulaw" // audio/pcmu, 8 kHz
	FormatALaw  AudioFormat = "g711_alaw" // audio/pcma, 8 kHz
	FormatPCM16 AudioFormat = "pcm16"     // audio/pcm, 24 kHz, little endian
)

// Rate returns the format's samples per second; the empty format is the
// provider's default, which is PCM.
func (f AudioFormat) Rate() int {
	if f == FormatULaw || f == FormatALaw {
		return 8000
	}
	return 24000
}

// Bytes returns the size of d of audio, in whole samples.
func (f AudioFormat) Bytes(d time.Duration) int64 {
	return int64(d) * int64(f.Rate()) / int64(time.Second) * int64(f.sampleSize())
}

// Duration returns how long n bytes of audio sound.
func (f AudioFormat) Duration(n int64) time.Duration {
	return time.Duration(n / int64(f.sampleSize()) * int64(time.Second) / int64(f.Rate()))
}

func (f AudioFormat) sampleSize() int {
	if f == FormatULaw || f == FormatALaw {
		return 1
	}
	return 2
}

// media returns the GA form of the format's name.
func (f AudioFormat) media() map[string]any {
	switch f {
	case FormatULaw:
		return map[string]any{"type": "audio/pcmu"} // no rate: G.711 is refused with one
	case FormatALaw:
		return map[string]any{"type": "audio/pcma"}
	default:
		return map[string]any{"type": "audio/pcm", "rate": 24000}
	}
}
