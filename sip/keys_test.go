package sip_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/siptest"
)

// keys returns the events that came, by their first packets: key and when.
func keys(packets [][]byte) (codes []int, ends int) {
	for _, p := range packets {
		if p[1]&0x7f != 101 {
			continue
		}
		if p[1]&0x80 != 0 { // the marker bit: a new event
			codes = append(codes, int(p[12]))
		}
		if p[13]&0x80 != 0 {
			ends++
		}
	}
	return codes, ends
}

func TestSendDigits(t *testing.T) {
	bubble(t, into(&record{}), func(r *rig) {
		p, d, c := r.talk()
		phone := r.net.Listen("10.0.1.1:40000")
		defer phone.Close()
		time.Sleep(time.Second)
		drained(phone)
		start := time.Now()
		if err := c.SendDigits(context.Background(), "19,#d"); err != nil {
			t.Errorf("SendDigits() = %v", err)
		}
		if took := time.Since(start); took < 1100*time.Millisecond || took > 1500*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		packets, _ := drained(phone)
		codes, ends := keys(packets)
		if diff := cmp.Diff([]int{1, 9, 11, 15}, codes); diff != "" || ends != 12 {
			t.Errorf("%d ends, keys %s", ends, diff)
		}
		if err := c.SendDigits(context.Background(), "1x"); err == nil {
			t.Error("x is a key")
		}
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
		if err := c.SendDigits(context.Background(), ","); !errors.Is(err, media.CallerHungUp) {
			t.Errorf("SendDigits() after the end = %v", err)
		}
	})
}

func TestSendDigitsToAPeerThatTakesNone(t *testing.T) {
	bubble(t, into(&record{}), func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Establish(siptest.SDPWith("10.0.1.1", 40000, "0"))
		c := <-r.calls
		time.Sleep(time.Second)
		if err := c.SendDigits(context.Background(), "1"); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("SendDigits() = %v", err)
		}
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
	})
}

func TestHowLongAKeyOfAnInfoIsPressed(t *testing.T) {
	for body, want := range map[string]time.Duration{
		"Signal=5\r\nDuration=160\r\n":      160 * time.Millisecond,
		"Signal= *\r\nduration = 2500 \r\n": 2500 * time.Millisecond,
		"Signal=5\r\n":                      0,
		"Signal=5\r\nDuration=soon\r\n":     0,
		"Signal=5\r\nDuration=-1\r\n":       0,
		"Signal=5\r\nDuration=70000\r\n":    0,
		"10":                                0,
		"":                                  0,
	} {
		if got := sip.InfoDuration(body); got != want {
			t.Errorf("%q: %v, want %v", body, got, want)
		}
	}
}
