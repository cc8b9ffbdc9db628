package bridge_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// TestWhatOperatorsDoIsInTheTimeline does everything once.
func TestWhatOperatorsDoIsInTheTimeline(t *testing.T) {
	for name, want := range map[string][]string{
		"shown": {
			"operator action=say instructions=Name the secret.",
			"operator action=message role=user respond=false text=My secret is 42.",
			"operator action=session members=instructions, voice",
			"operator action=pause", "operator action=resume",
			"operator action=dtmf digits=4",
			"operator action=transfer target=+1415***0111",
			"operator_failed action=transfer error=bridge: the call's leg cannot do that",
			"operator action=hang_up",
		},
		"hidden": {
			"operator action=say",
			"operator action=message role=user respond=false",
			"operator action=session members=instructions, voice",
			"operator action=pause", "operator action=resume",
			"operator action=dtmf digits=4",
			"operator action=transfer target=+1415***0111",
			"operator_failed action=transfer error=bridge: the call's leg cannot do that",
			"operator action=hang_up",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, provider := serve(t, realtimetest.Config{})
			l := newLeg()
			c := call(t, l, bridge.Agent{Providers: []realtime.Provider{provider}, HideTranscripts: name == "hidden"})
			await(t, l.answered, "the answer")
			o := c.Operator()
			for what, err := range map[string]error{
				"say":     o.Say("Name the secret."),
				"message": o.Append(realtime.Message("user", "My secret is 42."), false),
				"session": o.Update(realtime.Properties{Instructions: "Keep the secret.", Voice: "cedar"}),
			} {
				if err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
			o.PauseAudio(true)
			o.PauseAudio(false)
			if err := o.SendDigits(t.Context(), "4711"); err != nil {
				t.Error(err)
			}
			if err := o.Transfer(t.Context(), "+14155550111"); err == nil {
				t.Error("a leg that cannot has transferred")
			}
			o.HangUp()
			await(t, c.Ended(), "the end")
			if cause := l.cause(t); media.CauseOf(cause) != media.OperatorHungUp {
				t.Errorf("hung up for %v", cause)
			}
			var got []string
			for _, e := range c.Timeline() {
				if strings.HasPrefix(e.Name, "operator") {
					got = append(got, written(e))
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// written is an event in one line.
func written(e bridge.Event) string {
	line := e.Name
	for _, a := range e.Attrs {
		line += fmt.Sprintf(" %s=%v", a.Key, a.Value)
	}
	return line
}
