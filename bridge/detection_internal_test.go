package bridge

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/bridge/answering"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime"
)

// TestADetectionThatBringsNothingEnds has a callee of whom no audio comes, and a
// carrier that says nothing.
func TestADetectionThatBringsNothingEnds(t *testing.T) {
	for _, by := range []DetectedBy{DetectedInAudio, DetectedByCarrier} {
		t.Run(by.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := New(Config{Leg: &flushedLeg{check: func() {}}, Agent: Agent{
					Detection: Detection{By: by, OnMachine: LeaveMessage, Timing: answering.Config{Timeout: 10 * time.Second}},
				}})
				c.answered()
				for range 13 {
					time.Sleep(time.Second)
					c.checkCallee(time.Now())
					if who := c.AnsweredBy(); who != "" {
						t.Fatalf("%s after %v", who, time.Since(c.answeredAt))
					}
				}
				time.Sleep(time.Second)
				c.checkCallee(time.Now())
				if who := c.AnsweredBy(); who != "unknown" {
					t.Errorf("answered by %q", who)
				}
				if c.isEnding() {
					t.Error("the call ends for it")
				}
			})
		})
	}
}

// TestAMachineThatDoesNotEndGetsItsMessage lets the detection end while a machine
// speaks: without a session there is nobody who could say it.
func TestAMachineThatDoesNotEndGetsItsMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Config{Leg: &flushedLeg{check: func() {}}, Agent: Agent{
			Detection: Detection{By: DetectedByCarrier, OnMachine: LeaveMessage},
		}})
		c.learn(answering.Machine, answering.Running, time.Second) // before the answer is known
		c.answered()
		if who := c.AnsweredBy(); who != "machine" {
			t.Fatalf("answered by %q", who)
		}
		time.Sleep(answering.DefaultTimeout + verdictMargin)
		c.checkCallee(time.Now())
		if !c.isEnding() || media.CauseOf(c.cause) != media.AnsweringMachine {
			t.Errorf("ending %v for %v", c.isEnding(), c.cause)
		}
	})
}

// TestAMachineHearsNothingButTheMessage has responses that begin before the agent
// is silenced and after.
func TestAMachineHearsNothingButTheMessage(t *testing.T) {
	c := New(Config{Leg: &flushedLeg{check: func() {}}, Agent: Agent{Detection: Detection{By: DetectedByCarrier, OnMachine: LeaveMessage}}})
	c.answered()
	says := func(response string, marked bool) (heard int64) {
		before := c.queue.State().Received
		r := realtime.Response{ID: response}
		if marked {
			r.Metadata = map[string]string{goodbyeMark: "1"}
		}
		receive := (*receiver)(c)
		receive.Event(realtime.ResponseCreated{Response: r})
		receive.Event(realtime.OutputItemAdded{ResponseID: response, Item: realtime.Item{ID: "of_" + response, Type: "message"}})
		receive.Audio(realtime.AudioDelta{ResponseID: []byte(response), ItemID: []byte("of_" + response), Audio: make([]byte, 160)})
		return c.queue.State().Received - before
	}
	if n := says("greeting", false); n != 160 {
		t.Fatalf("%d bytes of the greeting", n)
	}
	c.learn(answering.Machine, answering.Running, time.Second)
	if s := c.queue.State(); s.Sounding() || s.Generating {
		t.Errorf("the greeting goes on: %+v", s)
	}
	if n := says("late", false); n != 0 || c.queue.State().Generating {
		t.Errorf("%d bytes of a response that nobody asked for", n)
	}
	if n := says("message", true); n != 160 {
		t.Errorf("%d bytes of the message", n)
	}
}
