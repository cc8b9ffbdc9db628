package realtime_test

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/callgw/callgw/realtime"
)

func drainOutbox(o *realtime.Outbox) (audio []byte) {
	for {
		_, chunk := o.Next(800)
		if len(chunk) == 0 {
			return audio
		}
		audio = append(audio, chunk...)
	}
}

func TestAudioThatIsNoItemYetLeavesAgain(t *testing.T) {
	o := realtime.NewKeeper(realtime.FormatULaw, 15*time.Second)
	o.Append([]byte("the first turn, the second t"))
	drainOutbox(o)
	if got := string(o.Committed(4, 14)); got != "first turn" {
		t.Errorf("the turn is %q", got)
	}
	o.Append([]byte("ur"))
	drainOutbox(o)
	o.Detach()
	o.Append([]byte("n"))
	if got := drainOutbox(o); string(got) != "n" {
		t.Errorf("left before there was a connection: %q", got)
	}
	o.Attach()
	o.Append([]byte(", and more"))
	if got := string(drainOutbox(o)); got != ", the second turn, and more" {
		t.Errorf("left again: %q", got)
	}
}

func TestTheOldestAudioIsNotKeptForEver(t *testing.T) {
	o := realtime.NewKeeper(realtime.FormatULaw, 15*time.Second)
	frame := make([]byte, 160)
	for i := range 60 * 50 {
		frame[0] = byte(i)
		if dropped := o.Append(frame); dropped != 0 {
			t.Fatalf("%d bytes dropped that nothing was lost of", dropped)
		}
		drainOutbox(o)
	}
	o.Attach()
	if n := len(drainOutbox(o)); n != 15*8000 {
		t.Errorf("%d bytes left again, want 15 s", n)
	}
	if room := o.Room(); room > 15*8000 {
		t.Errorf("%d bytes of memory", room)
	}
}

func TestARepairTakesLongerThanTheBacklogOfASlowSocket(t *testing.T) {
	o := realtime.NewKeeper(realtime.FormatULaw, 15*time.Second)
	o.Append(make([]byte, 8000))
	drainOutbox(o)
	o.Detach()
	if dropped := o.Append(make([]byte, 8*8000)); dropped != 0 {
		t.Errorf("%d bytes dropped", dropped)
	}
	o.Attach()
	if n := len(drainOutbox(o)); n != 9*8000 {
		t.Errorf("%d bytes left", n)
	}
	if dropped := o.Append(make([]byte, 8*8000)); dropped != 3*8000 {
		t.Errorf("%d bytes dropped once the server has caught up", dropped)
	}
}

func TestNothingIsLostOverConnections(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := realtime.NewKeeper(realtime.FormatULaw, 15*time.Second)
		var all []byte // appended
		var committed, left int
		next := byte(0)
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				audio := make([]byte, rapid.IntRange(0, 500).Draw(t, "n"))
				for i := range audio {
					audio[i] = next
					next = (next + 1) % 251
				}
				if o.Append(audio) > 0 {
					t.Fatal("dropped")
				}
				all = append(all, audio...)
			},
			"next": func(t *rapid.T) {
				_, audio := o.Next(rapid.IntRange(1, 700).Draw(t, "limit"))
				if !bytes.HasPrefix(all[left:], audio) {
					t.Fatalf("at %d left %v", left, audio)
				}
				left += len(audio)
			},
			"commit": func(t *rapid.T) {
				if committed > left {
					return // the new connection has not caught up
				}
				to := rapid.IntRange(committed, left).Draw(t, "to")
				if got := o.Committed(int64(committed), int64(to)); !bytes.Equal(all[committed:to], got) {
					t.Fatalf("the item is %v", got)
				}
				committed = to
			},
			"lose": func(*rapid.T) {
				o.Detach()
				o.Attach()
				left = committed
			},
		})
	})
}
