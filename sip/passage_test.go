package sip_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/keytone"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/rtp"
)

func audio(first, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte((first + i) / 160)
	}
	return b
}

func TestPassage(t *testing.T) {
	p := sip.NewPassage()
	got := make([]byte, 160)
	p.Frame(audio(0, 160))
	if n := p.Next(got); n != 0 {
		t.Errorf("%d bytes before there was a reserve", n)
	}
	p.Frame(audio(160, 160))
	for i := range 2 {
		if n := p.Next(got); n != 160 || !bytes.Equal(got, audio(160*i, 160)) {
			t.Errorf("frame %d is %d of %v", i, n, got[:1])
		}
	}
	if n := p.Next(got); n != 0 {
		t.Errorf("%d bytes out of nothing", n)
	}
	p.Frame(audio(320, 160))
	if n := p.Next(got); n != 0 {
		t.Errorf("%d bytes right after a gap", n)
	}
}

// A burst, or a clock that runs fast, costs the oldest audio.
func TestPassageIsBounded(t *testing.T) {
	p := sip.NewPassage()
	for i := range 20 {
		p.Frame(audio(160*i, 160))
	}
	var heard []byte
	got := make([]byte, 160)
	for n := p.Next(got); n > 0; n = p.Next(got) {
		heard = append(heard, got[:n]...)
	}
	if !bytes.Equal(heard, audio(160*12, 160*8)) {
		t.Errorf("%d bytes from frame %d on", len(heard), heard[0])
	}
	p.Frame(audio(0, 5000))
	if n := p.Next(got); n != 160 {
		t.Errorf("%d bytes of a frame that is too long", n)
	}
}

func TestPassageKeepsEveryByteInOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	p := sip.NewPassage()
	var said, heard []byte
	for range 10000 {
		if len(said)-len(heard) < 500 {
			b := make([]byte, 1+random.IntN(480))
			for i := range b {
				b[i] = byte(random.Uint32())
			}
			p.Frame(b)
			said = append(said, b...)
		}
		b := make([]byte, 1+random.IntN(320))
		heard = append(heard, b[:p.Next(b)]...)
	}
	if !bytes.HasPrefix(said, heard) || len(heard) < len(said)-1280 {
		t.Errorf("of %d bytes %d were heard, not in order", len(said), len(heard))
	}
}

func TestPassageDoesNotAllocate(t *testing.T) {
	p, frame := sip.NewPassage(), make([]byte, 160)
	if n := testing.AllocsPerRun(1000, func() {
		p.Frame(frame)
		p.Next(frame)
	}); n != 0 {
		t.Errorf("%v allocations per frame", n)
	}
}

// handsetKeys is the far phone of a passage, which keeps the keys that are pressed.
type handsetKeys struct {
	err  error
	keys []string
}

func (h *handsetKeys) SendDigit(d media.Digit, held time.Duration) error {
	h.keys = append(h.keys, fmt.Sprint(d, " ", held))
	return h.err
}

func TestPassagePassesKeysOn(t *testing.T) {
	h := &handsetKeys{}
	p := sip.NewPassageTo(h, media.PCMU, zerolog.Nop())
	p.Released('9', time.Second) // pressed before there was a passage
	p.Digit('5')
	if len(h.keys) != 0 {
		t.Errorf("%v were pressed already", h.keys)
	}
	p.Released('5', 1700*time.Millisecond)
	p.Digit('#')
	p.Released('#', 0)
	if diff := cmp.Diff([]string{"5 1.7s", "# 0s"}, h.keys); diff != "" {
		t.Error(diff)
	}
}

func TestPassageSoundsKeysForWhoTakesNone(t *testing.T) {
	for _, law := range []media.Codec{media.PCMU, media.PCMA} {
		p := sip.NewPassageTo(&handsetKeys{err: rtp.ErrNoEvents}, law, zerolog.Nop())
		for _, d := range []media.Digit{'5', '6'} {
			p.Digit(d)
			p.Released(d, 130*time.Millisecond)
		}
		want := make([]byte, media.Bytes(2*190*time.Millisecond))
		law.FillSilence(want)
		for i, d := range []media.Digit{'5', '6'} {
			tone := keytone.New(d, 130*time.Millisecond)
			tone.Fill(want[i*1520:], law)
		}
		var heard []byte
		for i := range 30 { // the other phone goes on sending meanwhile
			frame, b := bytes.Repeat([]byte{byte(i)}, 160), make([]byte, 160)
			p.Frame(frame)
			n := p.Next(b)
			heard = append(heard, b[:n]...)
		}
		if !bytes.HasPrefix(heard, want) {
			t.Errorf("%s: %d bytes were heard, not as the keys sound", law, len(heard))
		}
		// What sounded in the place of audio did not make it late.
		if last := heard[len(heard)-1]; last != 28 {
			t.Errorf("%s: the last frame heard is %d of 29", law, last)
		}
	}
}

func TestPassageTellsOfKeysThatAreLost(t *testing.T) {
	var log bytes.Buffer
	p := sip.NewPassageTo(&handsetKeys{err: rtp.ErrBusy}, media.PCMU, zerolog.New(&log))
	p.Digit('5')
	p.Released('5', time.Second)
	if !strings.Contains(log.String(), "key not passed on") {
		t.Errorf("the log says %q", log.String())
	}
}
