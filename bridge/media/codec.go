package media

import (
	"fmt"
	"strings"
)

// Codec is one of the two G.711 laws. The zero value is PCMU.
type Codec uint8

const (
	PCMU Codec = iota // µ-law, RTP payload type 0
	PCMA              // A-law, RTP payload type 8
)

// ParseCodec reads a codec's name as SDP and configuration spell it, in any
// case: "pcmu" or "pcma".
func ParseCodec(name string) (Codec, error) {
	switch strings.ToLower(name) {
	case "pcmu":
		return PCMU, nil
	case "pcma":
		return PCMA, nil
	}
	return 0, fmt.Errorf("media: unknown codec %q: pcmu and pcma are supported", name)
}

// String returns the codec's name in lower case.
func (c Codec) String() string {
	if c == PCMA {
		return "pcma"
	}
	return "pcmu"
}

// PayloadType returns the static RTP payload type (RFC 3551 §6).
func (c Codec) PayloadType() uint8 {
	if c == PCMA {
		return 8
	}
	return 0
}

// Silence returns the byte that sounds as zero.
func (c Codec) Silence() byte {
	if c == PCMA {
		return 0xD5
	}
	return 0xFF
}

// FillSilence overwrites p with silence.
func (c Codec) FillSilence(p []byte) {
	s := c.Silence()
	for i := range p {
		p[i] = s
	}
}
