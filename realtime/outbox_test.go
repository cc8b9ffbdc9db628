package realtime_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/callgw/callgw/realtime"
)

func TestControlEventsKeepTheirPlaceInTheAudio(t *testing.T) {
	o := realtime.NewOutbox(realtime.FormatULaw)
	var got strings.Builder
	post := func(msg string) {
		if err := o.Post(msg); err != nil {
			t.Fatal(err)
		}
	}
	post("first")
	o.Append([]byte("aaaa"))
	o.Append([]byte("bb"))
	post("commit")
	post("respond")
	o.Append([]byte("cccccccccccc"))
	post("last")
	for {
		msg, audio := o.Next(10)
		if msg == "" && len(audio) == 0 {
			break
		}
		fmt.Fprintf(&got, "[%s%s]", msg, audio)
	}
	const want = "[first][aaaabb][commit][respond][cccccccccc][cc][last]"
	if got.String() != want {
		t.Errorf("got %s, want %s", got.String(), want)
	}
}

func TestAudioThatCannotBeSentIsKeptForFiveSeconds(t *testing.T) {
	for format, rate := range map[realtime.AudioFormat]int{realtime.FormatULaw: 8000, realtime.FormatPCM16: 48000} {
		o := realtime.NewOutbox(format)
		frame := make([]byte, rate/50)
		dropped := 0
		for i := range 300 { // 6 s
			for j := range frame {
				frame[j] = byte(i)
			}
			dropped += o.Append(frame)
		}
		if dropped != rate {
			t.Errorf("%s: %d bytes dropped, want one second", format, dropped)
		}
		if _, audio := o.Next(len(frame)); audio[0] != 50 {
			t.Errorf("%s: the oldest audio left is of frame %d, want 50", format, audio[0])
		}
	}
}

func TestDroppedAudioDoesNotHoldBackWhatStoodBehindIt(t *testing.T) {
	o := realtime.NewOutbox(realtime.FormatULaw)
	o.Append(make([]byte, 800))
	if err := o.Post("commit"); err != nil {
		t.Fatal(err)
	}
	if dropped := o.Append(make([]byte, 50000)); dropped != 10800 {
		t.Errorf("dropped %d", dropped)
	}
	if msg, _ := o.Next(800); msg != "commit" {
		t.Errorf("got %q, want the commit whose audio is gone", msg)
	}
}

func TestAnIdleOutboxIsSmall(t *testing.T) {
	o := realtime.NewOutbox(realtime.FormatULaw)
	frame := make([]byte, 160)
	for range 1000 {
		o.Append(frame)
		o.Next(800)
	}
	if room := o.Room(); room > 1600 {
		t.Errorf("%d bytes for a call that keeps up", room)
	}
	o.Append(make([]byte, 40000))
	for {
		if _, audio := o.Next(800); len(audio) == 0 {
			break
		}
	}
	o.Append(frame)
	if room := o.Room(); room > 1600 {
		t.Errorf("%d bytes after a backlog is gone", room)
	}
}

func TestNoAudioIsLostOrReordered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := realtime.NewOutbox(realtime.FormatULaw)
		var in, out []byte
		lost := 0
		next := byte(0)
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				audio := make([]byte, rapid.IntRange(0, 50000).Draw(t, "n"))
				for i := range audio {
					audio[i] = next
					next = (next + 1) % 251
				}
				in = append(in, audio...)
				dropped := o.Append(audio)
				if dropped > 0 {
					// What goes is the oldest of what had not left.
					in = append(in[:len(out)], in[len(out)+dropped:]...)
				}
				lost += dropped
			},
			"next": func(t *rapid.T) {
				_, audio := o.Next(rapid.IntRange(1, 2000).Draw(t, "limit"))
				out = append(out, audio...)
			},
			"": func(t *rapid.T) {
				if !bytes.HasPrefix(in, out) {
					t.Fatalf("what left is not what came")
				}
				if len(in)-len(out) > 40000 {
					t.Fatalf("%d bytes wait", len(in)-len(out))
				}
			},
		})
	})
}
