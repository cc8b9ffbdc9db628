package transcode_test

import (
	"bytes"
	"testing"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/transcode"
)

func TestAppendLaw(t *testing.T) {
	var every []byte
	for b := range 256 {
		every = append(every, byte(b))
	}
	for _, from := range laws {
		for _, to := range laws {
			out := transcode.AppendLaw([]byte{1, 2}, every, from, to)
			if len(out) != 258 || out[0] != 1 || out[1] != 2 {
				t.Fatalf("%v to %v: not appended", from, to)
			}
			if from == to {
				if !bytes.Equal(out[2:], every) {
					t.Errorf("%v changes on its way to itself", from)
				}
				continue
			}
			for b, recoded := range out[2:] {
				// The laws' steps differ by a factor of two at most, and the
				// widest is 1024: half of it is the error that cannot be avoided.
				before, after := int(linear(from, byte(b))), int(linear(to, recoded))
				if off := abs(after - before); off > max(16, abs(before)/24) {
					t.Errorf("%v %#02x is %d, as %v %d", from, b, before, to, after)
				}
			}
		}
	}
}

func TestSilenceIsSilenceInTheOtherLaw(t *testing.T) {
	for _, from := range laws {
		to := media.PCMU + media.PCMA - from
		got := linear(to, transcode.AppendLaw(nil, []byte{from.Silence()}, from, to)[0])
		if abs(int(got)) > 8 {
			t.Errorf("silence of %v is %d in %v", from, got, to)
		}
	}
}

func abs(v int) int { return max(v, -v) }
