package media_test

import (
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

func TestBytesAndDurationAreInverse(t *testing.T) {
	for _, d := range []time.Duration{0, time.Millisecond, 20 * time.Millisecond, time.Hour} {
		if got := media.Duration(media.Bytes(d)); got != d {
			t.Errorf("Duration(Bytes(%v)) = %v", d, got)
		}
	}
	if got := media.Bytes(media.FrameDuration); got != media.FrameBytes {
		t.Errorf("a frame of %v has %d bytes, want %d", media.FrameDuration, got, media.FrameBytes)
	}
}

func TestDigitsRoundTripThroughTheirEventCodes(t *testing.T) {
	seen := 0
	for c := range 256 {
		d, ok := media.ParseDigit(byte(c))
		if !ok {
			continue
		}
		seen++
		event, ok := d.Event()
		if back, ok2 := media.DigitOf(event); !ok || !ok2 || back != d {
			t.Errorf("digit %v: event %d gives back %v", d, event, back)
		}
	}
	if seen != 20 { // 0-9 * # A-D a-d
		t.Errorf("%d bytes parse as digits, want 20", seen)
	}
	if _, ok := media.DigitOf(16); ok {
		t.Error("event 16 (flash) is not a digit")
	}
}

func TestCodecNames(t *testing.T) {
	for name, want := range map[string]media.Codec{"pcmu": media.PCMU, "PCMA": media.PCMA} {
		got, err := media.ParseCodec(name)
		if err != nil || got != want {
			t.Errorf("ParseCodec(%q) = %v, %v", name, got, err)
		}
	}
	if _, err := media.ParseCodec("opus"); err == nil {
		t.Error("opus was accepted")
	}
}
