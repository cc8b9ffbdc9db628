package bridge

import (
	"bytes"
	"testing"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/keytone"
)

func TestDigitsSoundOneAfterTheOther(t *testing.T) {
	var want []byte
	for _, d := range []media.Digit{'1', '#'} {
		tone := keytone.New(d, toneLength)
		sound := make([]byte, media.Bytes(toneLength+toneGap))
		media.PCMU.FillSilence(sound[tone.Fill(sound, media.PCMU):])
		want = append(want, sound...)
	}
	if got := dtmfTones("1#"); !bytes.Equal(got, want) {
		t.Errorf("%d bytes, want %d, or others", len(got), len(want))
	}
}

func TestWhatIsNoDigitIsLeftOut(t *testing.T) {
	if got := len(dtmfTones("x-1")); int64(got) != media.Bytes(toneLength+toneGap) {
		t.Errorf("%d bytes for one digit", got)
	}
	if got := len(dtmfTones(",")); int64(got) != media.Bytes(500e6) {
		t.Errorf("%d bytes for a pause", got)
	}
}
