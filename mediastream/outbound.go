package mediastream

import (
	"encoding/base64"
	"strconv"
)

// outbound writes the messages of one stream.
type outbound struct {
	media, mark template
	clear       [][]byte
	status      []byte // nil if the round trip is measured by marks
	answer      []byte // nil if there is nothing to say
	hangup      []byte
	frame       int // audio goes out in multiples of it
	largest     int // audio that a message carries at most, 0: any
	binary      bool
	coder       coder
}

func newOutbound(p *profile, stream string) outbound {
	o := outbound{
		media:  p.outMedia.bind(stream),
		mark:   p.outMark.bind(stream),
		status: []byte(bind(p.outStatus, stream)),
		answer: []byte(bind(p.outAnswer, stream)),
		hangup: []byte(bind(p.outHangup, stream)),
		frame:  max(p.outFrame, 1),
		binary: p.binary != noBinary,
		coder:  newCoder(p.binary),
	}
	if p.single {
		o.largest = p.outFrame
	}
	for _, command := range p.outClear {
		o.clear = append(o.clear, []byte(bind(command, stream)))
	}
	return o
}

// padding returns how many bytes complete n bytes of audio to whole frames.
func (o *outbound) padding(n int) int { return (o.frame - n%o.frame) % o.frame }

// first returns how much of audio goes into the next message.
func (o *outbound) first(audio []byte) int {
	if o.largest == 0 {
		return len(audio)
	}
	return min(len(audio), o.largest)
}

// appendMedia appends the message that plays audio.
func (o *outbound) appendMedia(b, audio []byte) []byte {
	if o.binary {
		return o.coder.appendOut(b, audio)
	}
	b = append(b, o.media.before...)
	b = base64.StdEncoding.AppendEncode(b, audio)
	return append(b, o.media.after...)
}

// appendMark appends the message that asks for an echo when what precedes it
// has been played. Marks are named g<generation>.<seq>, probes p<seq>: unique
// in the stream, and flushed ones recognisable.
func (o *outbound) appendMark(b []byte, gen, seq uint64) []byte {
	b = append(b, o.mark.before...)
	b = append(b, 'g')
	b = strconv.AppendUint(b, gen, 10)
	b = append(b, '.')
	b = strconv.AppendUint(b, seq, 10)
	return append(b, o.mark.after...)
}

func (o *outbound) appendProbe(b []byte, seq uint64) []byte {
	b = append(b, o.mark.before...)
	b = append(b, 'p')
	b = strconv.AppendUint(b, seq, 10)
	return append(b, o.mark.after...)
}

// parseMark reads a name that appendMark or appendProbe wrote.
func parseMark(name []byte) (gen, seq uint64, probe, ok bool) {
	if len(name) == 0 {
		return 0, 0, false, false
	}
	kind, rest := name[0], name[1:]
	switch kind {
	case 'p':
		seq, rest, ok = leadingUint(rest)
		return 0, seq, true, ok && len(rest) == 0
	case 'g':
		gen, rest, ok = leadingUint(rest)
		if !ok || len(rest) == 0 || rest[0] != '.' {
			return 0, 0, false, false
		}
		seq, rest, ok = leadingUint(rest[1:])
		return gen, seq, false, ok && len(rest) == 0
	}
	return 0, 0, false, false
}

// leadingUint reads up to 18 digits.
func leadingUint(b []byte) (n uint64, rest []byte, ok bool) {
	i := 0
	for i < len(b) && i < 18 && '0' <= b[i] && b[i] <= '9' {
		n = n*10 + uint64(b[i]-'0')
		i++
	}
	return n, b[i:], i > 0
}
