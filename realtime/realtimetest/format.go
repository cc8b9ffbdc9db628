package realtimetest

import (
	"encoding/binary"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/vad"
	"github.com/zaf/g711"
)

// Format is how audio is coded on the wire, by its GA name.
type Format string

// The formats of the Realtime API.
const (
	PCMU  Format = "audio/pcmu" // µ-law, 8 kHz
	PCMA  Format = "audio/pcma" // A-law, 8 kHz
	PCM16 Format = "audio/pcm"  // 16 bits, little endian, 24 kHz
)

// betaNames are the formats' names in the Beta dialect.
var betaNames = map[Format]string{PCMU: "g711_ulaw", PCMA: "g711_alaw", PCM16: "pcm16"}

// Beta returns the format's name in the Beta dialect.
func (f Format) Beta() string { return betaNames[f] }

// BytesPerMS returns how many bytes sound for a millisecond.
func (f Format) BytesPerMS() int {
	if f == PCM16 {
		return 48
	}
	return media.BytesPerMillisecond
}

// ga is the format as the GA dialect writes it.
func (f Format) ga() object {
	if f == PCM16 {
		return object{{"type", PCM16}, {"rate", 24000}}
	}
	return object{{"type", f}}
}

func formatOfBeta(name string) Format {
	for f, n := range betaNames {
		if n == name {
			return f
		}
	}
	return ""
}

func (f Format) codec() media.Codec {
	if f == PCMA {
		return media.PCMA
	}
	return media.PCMU
}

// frameBytes is the size of a frame of the voice activity detection.
func (f Format) frameBytes() int {
	return f.BytesPerMS() * int(vad.FrameDuration.Milliseconds())
}

func (f Format) level(frame []byte) float64 {
	if f == PCM16 {
		return vad.LevelPCM16(frame)
	}
	return vad.Level(f.codec(), frame)
}

// Silence returns ms milliseconds of silence.
func (f Format) Silence(ms int) []byte {
	p := make([]byte, ms*f.BytesPerMS())
	if f != PCM16 {
		f.codec().FillSilence(p)
	}
	return p
}

// Convert returns audio in another format. Sample rates are converted by the
// simplest means that keep speech intelligible: this is a test server's voice.
func Convert(audio []byte, from, to Format) []byte {
	switch {
	case from == to:
		return audio
	case from == PCMU && to == PCMA:
		return g711.Ulaw2Alaw(audio)
	case from == PCMA && to == PCMU:
		return g711.Alaw2Ulaw(audio)
	case to == PCM16:
		return upsample(linear(audio, from))
	default:
		return compand(downsample(audio), to)
	}
}

func linear(audio []byte, law Format) []byte {
	if law == PCMA {
		return g711.DecodeAlaw(audio)
	}
	return g711.DecodeUlaw(audio)
}

func compand(pcm []byte, law Format) []byte {
	if law == PCMA {
		return g711.EncodeAlaw(pcm)
	}
	return g711.EncodeUlaw(pcm)
}

// upsample triples the rate by interpolating linearly.
func upsample(pcm []byte) []byte {
	out := make([]byte, 0, 3*len(pcm))
	var previous int
	for i := 0; i+1 < len(pcm); i += 2 {
		v := int(int16(binary.LittleEndian.Uint16(pcm[i:])))
		for k := 1; k <= 3; k++ {
			out = binary.LittleEndian.AppendUint16(out, uint16(int16(previous+(v-previous)*k/3)))
		}
		previous = v
	}
	return out
}

// downsample divides the rate by three, averaging.
func downsample(pcm []byte) []byte {
	out := make([]byte, 0, len(pcm)/3)
	for i := 0; i+5 < len(pcm); i += 6 {
		var sum int
		for k := 0; k < 6; k += 2 {
			sum += int(int16(binary.LittleEndian.Uint16(pcm[i+k:])))
		}
		out = binary.LittleEndian.AppendUint16(out, uint16(int16(sum/3)))
	}
	return out
}
