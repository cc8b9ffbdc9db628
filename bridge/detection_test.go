package bridge_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/rs/zerolog"
	"github.com/zaf/g711"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/answering"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/callgw/callgw/test/fixtures"
)

// What callees sound like.
var (
	word     = fixtures.CallerInterrupt
	announce = slices.Concat(fixtures.CallerHello, fixtures.CallerInterrupt, fixtures.CallerHello, fixtures.CallerInterrupt)
	beep     = sine(1000, 400*time.Millisecond)
	pause    = quiet(media.PCMU, 3*time.Second)
)

// sine is a tone at -15 dBFS.
func sine(hz float64, d time.Duration) []byte {
	p := make([]byte, media.Bytes(d))
	for i := range p {
		p[i] = g711.EncodeUlawFrame(int16(8000 * math.Sin(2*math.Pi*hz*float64(i)/media.SampleRate)))
	}
	return p
}

// called is a call out whose callee a test plays.
type called struct {
	*bridge.Call
	leg     *leg
	session *realtimetest.Session
	metrics *prometheus.Registry
	seen    chan bridge.Event
	t       *testing.T
}

const (
	greet = "Greet."
	leave = "Leave a message."
)

// message is what the model says for a machine.
func message() []byte { return realtimetest.ToneAudio(realtimetest.PCMU, time.Second) }

// obedient says what instructions ask for, and repeats what it hears.
func obedient(turn realtimetest.Turn) realtimetest.Reply {
	if turn.Instructions == leave {
		return realtimetest.Speak(message(), "Call back.")
	}
	return realtimetest.Parrot(turn)
}

// callOut runs a call out until its answer.
func callOut(t *testing.T, d bridge.Detection) *called {
	t.Helper()
	return callOutAs(t, obedient, bridge.Agent{Greeting: bridge.Greeting{Say: greet}, Detection: d})
}

func callOutAs(t *testing.T, voice realtimetest.Voice, agent bridge.Agent) *called {
	t.Helper()
	server, provider := serve(t, realtimetest.Config{Voice: voice})
	agent.Name, agent.Providers = "reception", []realtime.Provider{provider}
	c := &called{leg: newLeg(), metrics: prometheus.NewRegistry(), seen: make(chan bridge.Event, 4096), t: t}
	c.Call = bridge.New(bridge.Config{
		Facts: bridge.Facts{ID: "call-1", Leg: "test"}, Leg: c.leg, Agent: agent,
		Log:     zerolog.New(zerolog.NewTestWriter(t)),
		Metrics: bridge.NewMetrics(c.metrics),
		Observe: func(e bridge.Event) { c.seen <- e },
	})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { _ = c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		await(t, c.Ended(), "the call to end")
	})
	c.session = session(t, server, 0)
	c.event(bridge.EventAnswered)
	t.Cleanup(func() {
		for _, v := range c.session.Violations() {
			if v.Event != "response.cancel" { // which may cross the response's end
				t.Errorf("violation: %v", v)
			}
		}
	})
	return c
}

// event waits for an event and returns its details.
func (c *called) event(name string) map[string]any {
	c.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case e := <-c.seen:
			if e.Name != name {
				continue
			}
			attrs := map[string]any{}
			for _, a := range e.Attrs {
				attrs[a.Key] = a.Value
			}
			return attrs
		case <-deadline:
			c.t.Fatalf("no %s, but %v", name, names(c.Call))
		}
	}
}

// answeredBy waits for the verdict.
func (c *called) answeredBy(want answering.Verdict, source string) {
	c.t.Helper()
	e := c.event(bridge.EventAnsweredBy)
	if e["by"] != want.String() || e["source"] != source {
		c.t.Errorf("answered by %v, says %v; want %v, %s", e["by"], e["source"], want, source)
	}
	if got := c.AnsweredBy(); got != want.String() {
		c.t.Errorf("the call says %q", got)
	}
	if n := testutil.CollectAndCount(c.metrics, "callgw_answered_by_total", "callgw_answer_detection_seconds"); n != 2 {
		c.t.Errorf("%d series count the verdict", n)
	}
}

// heardMessage hears the message out, with whatever comes before it.
func (c *called) heardMessage(want []byte) {
	c.t.Helper()
	c.event(bridge.EventMessage)
	if got := c.leg.await(c.t, len(want)/media.FrameBytes); !bytes.Equal(got, want) {
		c.t.Errorf("%d bytes heard, not the message's %d", len(got), len(want))
	}
	select {
	case cause := <-c.leg.hungUp:
		c.t.Fatalf("hung up before the message was heard: %v", cause)
	default:
	}
	if n := len(c.leg.take(1)); n > 0 { // the leg finds that there is no more
		c.t.Errorf("%d bytes after the message", n)
	}
	c.hangsUp()
}

func (c *called) hangsUp() {
	c.t.Helper()
	if cause := c.leg.cause(c.t); media.CauseOf(cause) != media.AnsweringMachine {
		c.t.Errorf("hung up for %v", cause)
	}
	await(c.t, c.Ended(), "the end")
}

// knows tells whether the model was told a text by the system.
func (c *called) knows(text string) bool {
	return slices.ContainsFunc(c.session.Items(), func(it realtimetest.Item) bool {
		return it.Role == "system" && it.Content[0].Text == text
	})
}

func TestAHumanIsSpokenToAtOnce(t *testing.T) {
	c := callOut(t, bridge.Detection{By: bridge.DetectedInAudio, OnMachine: bridge.LeaveMessage})
	want := realtimetest.GreetingAudio(realtimetest.PCMU)[:10*media.FrameBytes]
	if got := c.leg.await(t, 10); !bytes.Equal(got, want) {
		t.Error("the greeting waits for a verdict")
	}
	c.leg.speak(slices.Concat(word, pause))
	c.answeredBy(answering.Human, "detector")
	waitEvent(t, c.session, "response.done", 2) // to what was said
}

func TestAMachineGetsTheMessageAfterItsBeep(t *testing.T) {
	const told = "A machine has answered."
	c := callOut(t, bridge.Detection{
		By: bridge.DetectedInAudio, OnMachine: bridge.LeaveMessage, Message: bridge.Greeting{Say: leave},
		Tell: map[answering.Verdict]string{answering.Machine: told},
	})
	c.leg.await(t, 10) // the agent speaks while it is not known
	c.leg.speak(slices.Concat(announce, announce))
	c.answeredBy(answering.Machine, "detector")
	if err := c.session.Wait(within(t), func() bool { return c.knows(told) }); err != nil {
		t.Fatalf("the model was not told: %v", err)
	}
	if n := len(c.leg.take(50)); n > 0 { // it was silenced before
		t.Errorf("the agent goes on for %d bytes", n)
	}
	for what, err := range map[string]error{
		"say":     c.Say("Anything."),
		"respond": c.Append(realtime.Message("user", "Hm?"), true),
	} {
		if !errors.Is(err, bridge.ErrHushed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	c.leg.speak(slices.Concat(announce, quiet(media.PCMU, 300*time.Millisecond), beep, pause))
	if how := c.event(bridge.EventMachineOver)["how"]; how != "beep" {
		t.Errorf("the machine is over by %v", how)
	}
	c.heardMessage(message())
	if got, most := c.session.InputBytes(), int64(2*len(announce)); got > most {
		t.Errorf("the model hears the machine on: %d bytes, at most %d were before the verdict", got, most)
	}
}

func TestAMachineGetsARecording(t *testing.T) {
	recording := loud(500 * time.Millisecond)
	for name, end := range map[string]struct {
		heard []byte
		how   string
	}{
		"after its beep": {slices.Concat(beep, pause), "beep"},
		"after a pause":  {pause, "pause"},
	} {
		t.Run(name, func(t *testing.T) {
			c := callOut(t, bridge.Detection{
				By: bridge.DetectedInAudio, OnMachine: bridge.LeaveMessage,
				Message: bridge.Greeting{Audio: recording, Text: "Call back."},
			})
			c.leg.speak(slices.Concat(announce, end.heard))
			c.answeredBy(answering.Machine, "detector")
			if how := c.event(bridge.EventMachineOver)["how"]; how != end.how {
				t.Errorf("the machine is over by %v", how)
			}
			c.heardMessage(recording)
		})
	}
}

func TestWhatAnswersMayBeHungUp(t *testing.T) {
	for name, c := range map[string]struct {
		on    bridge.OnMachine
		heard []byte
		by    answering.Verdict
	}{
		"a machine":                   {bridge.HangUpAtOnce, announce, answering.Machine},
		"a fax":                       {bridge.HangUpAtOnce, sine(2100, 2*time.Second), answering.Fax},
		"a fax, which takes no words": {bridge.LeaveMessage, sine(2100, 2*time.Second), answering.Fax},
	} {
		t.Run(name, func(t *testing.T) {
			call := callOut(t, bridge.Detection{By: bridge.DetectedInAudio, OnMachine: c.on, Message: bridge.Greeting{Say: leave}})
			call.leg.speak(c.heard)
			call.answeredBy(c.by, "detector")
			call.hangsUp()
		})
	}
}

func TestAMachineMayBeSpokenTo(t *testing.T) {
	c := callOut(t, bridge.Detection{By: bridge.DetectedInAudio})
	c.leg.speak(slices.Concat(announce, pause))
	c.answeredBy(answering.Machine, "detector")
	if how := c.event(bridge.EventMachineOver)["how"]; how != "pause" {
		t.Errorf("the machine is over by %v", how)
	}
	waitEvent(t, c.session, "response.done", 2)
	if s := c.State(); s != bridge.Talking {
		t.Errorf("the call is %v", s)
	}
}

func TestTheAgentMayWaitForAHuman(t *testing.T) {
	for name, heard := range map[string][]byte{
		"who speaks":        slices.Concat(word, pause),
		"who says nothing":  quiet(media.PCMU, 6*time.Second),
		"a machine as well": slices.Concat(announce, pause),
	} {
		t.Run(name, func(t *testing.T) {
			c := callOut(t, bridge.Detection{By: bridge.DetectedInAudio, WaitForHuman: true})
			if n := len(c.leg.take(10)); n > 0 {
				t.Errorf("%d bytes before anybody has spoken", n)
			}
			if n := len(c.session.Outputs()); n > 0 {
				t.Errorf("%d items before anybody has spoken", n)
			}
			c.leg.speak(heard)
			c.event(bridge.EventAnsweredBy)
			want := realtimetest.GreetingAudio(realtimetest.PCMU)
			if got := c.leg.await(t, len(want)/media.FrameBytes); !bytes.HasPrefix(want, got) {
				t.Error("the greeting is not heard")
			}
			c.leg.speak(slices.Concat(word, pause))
			waitEvent(t, c.session, "response.done", 2) // the agent replies as it would
		})
	}
}

// TestWhoWaitsForAHumanRepliesToIt has no greeting: what was said while the agent
// waited is what it speaks to.
func TestWhoWaitsForAHumanRepliesToIt(t *testing.T) {
	for name, turns := range map[string]*realtime.TurnDetection{
		"turns of the provider": nil,
		"turns of ours":         {Type: "none"},
	} {
		t.Run(name, func(t *testing.T) {
			c := callOutAs(t, obedient, bridge.Agent{
				Properties: realtime.Properties{TurnDetection: turns},
				Detection:  bridge.Detection{By: bridge.DetectedInAudio, WaitForHuman: true},
			})
			c.leg.speak(slices.Concat(word, pause))
			c.answeredBy(answering.Human, "detector")
			c.leg.await(t, 20)
			if n := len(c.session.Outputs()); n != 1 {
				t.Errorf("the agent has spoken %d times", n)
			}
		})
	}
}

// TestTheAgentsEchoHasNotAnswered sends back what the agent says.
func TestTheAgentsEchoHasNotAnswered(t *testing.T) {
	c := callOutAs(t, obedient, bridge.Agent{
		Greeting: bridge.Greeting{Say: greet}, BargeIn: bridge.BargeIn{Mode: bridge.BargeInOff},
		Detection: bridge.Detection{By: bridge.DetectedInAudio},
	})
	for range len(realtimetest.GreetingAudio(realtimetest.PCMU)) / media.FrameBytes {
		frame := c.leg.await(t, 1)
		for i, b := range frame {
			frame[i] = g711.EncodeUlawFrame(g711.DecodeUlawFrame(b) / 8)
		}
		c.leg.speak(frame)
	}
	c.leg.speak(quiet(media.PCMU, 6*time.Second))
	c.answeredBy(answering.Unknown, "detector")
}

func TestACarrierMayTellWhoHasAnswered(t *testing.T) {
	for name, test := range map[string]struct {
		by    answering.Verdict
		over  answering.End
		leave bool
	}{
		"a human":                      {answering.Human, answering.Running, false},
		"a machine after its beep":     {answering.Machine, answering.Beep, true},
		"a machine after some silence": {answering.Machine, answering.Pause, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := callOut(t, bridge.Detection{By: bridge.DetectedByCarrier, OnMachine: bridge.LeaveMessage, Message: bridge.Greeting{Say: leave}})
			c.leg.speak(announce) // which is not listened to
			c.Answered(test.by, test.over)
			c.answeredBy(test.by, "carrier")
			if test.leave {
				c.heardMessage(message())
			}
		})
	}
}

func TestACarrierIsNotAskedWhereNobodyAsksIt(t *testing.T) {
	c := callOut(t, bridge.Detection{})
	c.Answered(answering.Machine, answering.Beep)
	c.leg.speak(slices.Concat(announce, beep, pause))
	waitEvent(t, c.session, "response.done", 2)
	if who := c.AnsweredBy(); who != "" {
		t.Errorf("answered by %s", who)
	}
}

func TestListeningAllocatesNothing(t *testing.T) {
	c := callOut(t, bridge.Detection{By: bridge.DetectedInAudio})
	frame := word[:media.FrameBytes]
	<-c.leg.started
	c.PauseAudio(true) // the session's own is measured elsewhere
	if n := testing.AllocsPerRun(40, func() { c.leg.up.Frame(frame) }); n > 0 {
		t.Errorf("%v allocations a frame", n)
	}
}
