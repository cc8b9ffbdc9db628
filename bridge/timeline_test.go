package bridge_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/bridge"
)

// TestATimelineOfADayKeepsItsBeginningAndItsEnd has an operator do something every
// second of a day.
func TestATimelineOfADayKeepsItsBeginningAndItsEnd(t *testing.T) {
	for name, text := range map[string]string{
		"of little": "",
		"of much":   strings.Repeat("é", 500_000),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen := 0
				c := bridge.New(bridge.Config{Leg: newLeg(), Observe: func(bridge.Event) { seen++ }})
				o := c.Operator()
				o.HangUp()
				const day = 24 * 60 * 60
				for range day {
					time.Sleep(time.Second)
					_ = o.Say(text) // there is no session
				}
				events := c.Timeline()
				if want := 2 + 2*day; seen != want {
					t.Errorf("%d events were observed, want %d", seen, want)
				}
				if len(events) > 4097 {
					t.Errorf("%d events are kept", len(events))
				}
				bytes, told := 0, 0
				for i, e := range events {
					if i > 0 && e.Offset < events[i-1].Offset {
						t.Errorf("event %d is at %v, the one before at %v", i, e.Offset, events[i-1].Offset)
					}
					for _, a := range e.Attrs {
						if text, ok := a.Value.(string); ok {
							bytes += len(text)
							if text != strings.ToValidUTF8(text, "") {
								t.Fatal("a text was cut within a character")
							}
						}
					}
					if e.Name == bridge.EventOmitted {
						told += e.Attrs[0].Value.(int)
						if before, after := events[i-1].Offset, events[i+1].Offset; after-before < 20*time.Hour {
							t.Errorf("left out between %v and %v", before, after)
						}
					}
				}
				if bytes > 1<<20 {
					t.Errorf("%d bytes of text are kept", bytes)
				}
				if got := len(events) - 1 + told; got != seen {
					t.Errorf("%d events are kept or told to be left out, of %d", got, seen)
				}
				if a, b := events[0].Name, events[1].Attrs[0].Value; a != bridge.EventArrived || b != "hang_up" {
					t.Errorf("it begins with %v, %v", a, b)
				}
				if last := events[len(events)-1]; last.Name != bridge.EventOperatorFailed || last.Offset != day*time.Second {
					t.Errorf("it ends with %+v", last)
				}
			})
		})
	}
}
