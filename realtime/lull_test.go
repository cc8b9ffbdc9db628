package realtime_test

import (
	"testing"
	"time"

	"github.com/callgw/callgw/realtime"
)

// TestLittleIsKeptWhileNobodySpeaks: a call is mostly silence, and there are many.
func TestLittleIsKeptWhileNobodySpeaks(t *testing.T) {
	o := realtime.NewKeeper(realtime.FormatULaw, 15*time.Second)
	second := func(n int) {
		for range n * 50 {
			o.Append(make([]byte, 160))
			o.Next(800)
		}
	}
	second(20)
	if got := o.Kept(); got != 15*8000 {
		t.Errorf("%d bytes of a long turn are kept, want 15 s", got)
	}
	o.SetLull(2 * 8000)
	if got := o.Kept(); got != 2*8000 {
		t.Errorf("%d bytes are kept when the turn is over, want 2 s", got)
	}
	if got := o.Room(); got > 32<<10 {
		t.Errorf("%d bytes of memory for them", got)
	}
	second(20)
	if got, room := o.Kept(), o.Room(); got != 2*8000 || room > 32<<10 {
		t.Errorf("%d bytes kept in %d while nobody speaks", got, room)
	}
	o.SetLull(0) // the caller speaks: the beginning was among what was kept
	second(5)
	if got := o.Kept(); got != 7*8000 {
		t.Errorf("%d bytes of a turn of 5 s, want it and the 2 s before", got)
	}
}
