package mediastream_test

import (
	"strings"
	"testing"
	"time"

	"github.com/callgw/callgw/mediastream"
)

func TestMediaMessagesArePutInOrder(t *testing.T) {
	for name, tt := range map[string]struct {
		chunks  []int64
		want    string // in the order passed on
		refused int
	}{
		"in order":             {[]int64{1, 2, 3}, "abc", 0},
		"from any number":      {[]int64{7, 8}, "gh", 0},
		"two exchanged":        {[]int64{1, 3, 2, 4}, "abcd", 0},
		"one overtaken by six": {[]int64{1, 3, 4, 5, 6, 7, 8, 2, 9}, "abcdefghi", 0},
		"doubled":              {[]int64{1, 1, 2, 2, 4, 4, 3}, "abcd", 3},
		"late":                 {[]int64{5, 6, 4}, "ef", 1},
		"lost":                 {[]int64{1, 3, 4, 5, 6, 7, 8, 9, 10}, "acdefghij", 0},
		"a jump":               {[]int64{1, 20, 21}, "atu", 0},
		"a new beginning":      {[]int64{2000, 2001, 1, 2}, string([]rune{'a' + 1999, 'a' + 2000}) + "ab", 0},
	} {
		t.Run(name, func(t *testing.T) {
			var o mediastream.Order
			var got []string
			refused, now := 0, time.Now()
			for _, chunk := range tt.chunks {
				due, ok := o.Put(now, chunk, string(rune('a'+chunk-1)))
				got = append(got, due...)
				if !ok {
					refused++
				}
			}
			if strings.Join(got, "") != tt.want || refused != tt.refused {
				t.Errorf("%q with %d refused, want %q with %d", got, refused, tt.want, tt.refused)
			}
		})
	}
}

func TestAMissingMediaMessageIsWaitedForNotForLong(t *testing.T) {
	var o mediastream.Order
	now := time.Now()
	later := now.Add(time.Second)
	o.Put(now, 1, "a")
	if got := o.Due(later); !got.Equal(later) {
		t.Error("something is due although nothing waits")
	}
	o.Put(now, 3, "c")
	if got := o.Late(now.Add(59 * ms)); got != nil {
		t.Errorf("%q given up early", got)
	}
	due := o.Due(later)
	if got := o.Late(due); len(got) != 1 || got[0] != "c" || due.Sub(now) != 60*ms {
		t.Errorf("%q due after %v", got, due.Sub(now))
	}
	if due, ok := o.Put(now, 2, "b"); ok || due != nil {
		t.Error("the late one was taken")
	}
}

func TestNumbersBeyondAllBoundsDoNoHarm(t *testing.T) {
	b, _, s := newBenchOf(t, mediastream.Telnyx, nil)
	for _, chunk := range []string{"1", "9223372036854775807", "9007199254740992", "9007199254740993", "-5", "3", "2"} {
		text := `{"event":"media","media":{"chunk":"` + chunk + `","payload":"/v8="}}`
		if err := b.Handle([]byte(text)); err != nil {
			t.Errorf("%s: %v", chunk, err)
		}
	}
	if s.frames < 5 {
		t.Errorf("%d frames were passed on", s.frames)
	}
}
