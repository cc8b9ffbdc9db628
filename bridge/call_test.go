package bridge_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a Realtime server for a test.
func serve(t *testing.T, cfg realtimetest.Config) (*realtimetest.Server, realtime.Provider) {
	t.Helper()
	if cfg.Pace == nil {
		cfg.Pace = &realtimetest.Pace{}
	}
	server := realtimetest.New(cfg)
	listener := httptest.NewServer(server)
	t.Cleanup(func() {
		server.Close()
		listener.Close()
	})
	url := "ws" + strings.TrimPrefix(listener.URL, "http") + "/v1/realtime"
	return server, realtime.Provider{Name: "test", BaseURL: url, Model: "test"}
}

// call runs a call and checks, when the test is over, that nothing is left.
func call(t *testing.T, l bridge.Leg, agent bridge.Agent) *bridge.Call {
	t.Helper()
	agent.Name = "reception"
	c := bridge.New(bridge.Config{
		Facts: bridge.Facts{ID: "call-1", Leg: "test", From: "+14155550123", To: "+14155550100"},
		Leg:   l, Agent: agent,
		Log: zerolog.New(zerolog.NewTestWriter(t)),
	})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { _ = c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		await(t, c.Ended(), "the call to end")
	})
	return c
}

func await(t *testing.T, done <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("waited %v for %s", patience, what)
	}
}

// within is a context for one wait.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func session(t *testing.T, s *realtimetest.Server, n int) *realtimetest.Session {
	t.Helper()
	session, err := s.WaitSession(within(t), n)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func waitEvent(t *testing.T, s *realtimetest.Session, name string, n int) {
	t.Helper()
	if _, err := s.WaitEvent(within(t), name, n); err != nil {
		t.Fatal(err)
	}
}

// names returns the names of a call's events so far.
func names(c *bridge.Call) []string {
	var names []string
	for _, e := range c.Timeline() {
		names = append(names, e.Name)
	}
	return names
}

// loud returns d of caller audio that any detector takes for speech.
func loud(d time.Duration) []byte {
	p := make([]byte, media.Bytes(d))
	for i := range p {
		p[i] = byte(0x10 + 0x80*(i/8%2))
	}
	return p
}

func quiet(c media.Codec, d time.Duration) []byte {
	p := make([]byte, media.Bytes(d))
	c.FillSilence(p)
	return p
}

func TestTheGreetingIsHeardWithTheFirstFrame(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{})
	l := newLeg()
	call(t, l, bridge.Agent{
		Providers: []realtime.Provider{provider},
		Greeting:  bridge.Greeting{Say: "Greet the caller."},
	})
	await(t, l.answered, "the answer")
	want := realtimetest.GreetingAudio(realtimetest.PCMU)
	if got := l.await(t, 1); !bytes.Equal(got, want[:media.FrameBytes]) {
		t.Errorf("the first frame is not the beginning of the greeting: %d bytes", len(got))
	}
	s := session(t, server, 0)
	waitEvent(t, s, "response.done", 1)
	if v := s.Violations(); len(v) > 0 {
		t.Errorf("violations: %v", v)
	}
}

func TestACallIsAnsweredThoughItsGreetingDoesNotCome(t *testing.T) {
	_, provider := serve(t, realtimetest.Config{Voice: func(realtimetest.Turn) realtimetest.Reply { return realtimetest.Reply{} }})
	l := newLeg()
	c := bridge.New(bridge.Config{
		Facts: bridge.Facts{ID: "call-1"}, Leg: l,
		Agent:        bridge.Agent{Providers: []realtime.Provider{provider}, Greeting: bridge.Greeting{Say: "Greet."}},
		GreetingWait: 10 * time.Millisecond,
	})
	go func() { _ = c.Run(context.Background()) }()
	await(t, l.answered, "the answer")
	c.End(media.OperatorHungUp)
	await(t, c.Ended(), "the end")
}

func TestARecordedGreetingIsPlayedAndTold(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{})
	l := newLeg()
	clip := loud(100 * time.Millisecond)
	call(t, l, bridge.Agent{
		Providers: []realtime.Provider{provider},
		Greeting:  bridge.Greeting{Audio: clip, Text: "Hello."},
	})
	await(t, l.answered, "the answer")
	if got := l.await(t, 5); !bytes.Equal(got, clip) {
		t.Errorf("%d bytes played, want the recording's %d", len(got), len(clip))
	}
	waitEvent(t, session(t, server, 0), "conversation.item.create", 1)
}

// talk has an agent with a long reply speak, and returns when it has begun.
func talk(t *testing.T, l bridge.Leg, inner *leg, agent bridge.Agent, server *realtimetest.Server) (*bridge.Call, *realtimetest.Session) {
	t.Helper()
	c := call(t, l, agent)
	await(t, inner.answered, "the answer")
	inner.speak(loud(600 * time.Millisecond))
	inner.speak(quiet(inner.codec, 700*time.Millisecond))
	s := session(t, server, 0)
	waitEvent(t, s, "response.done", 1)
	inner.awaitAudio(t)
	return c, s
}

func TestABargeInTruncatesAtExactlyWhatWasTaken(t *testing.T) {
	for _, codec := range []media.Codec{media.PCMU, media.PCMA} {
		t.Run(codec.String(), func(t *testing.T) {
			server, provider := serve(t, realtimetest.Config{Voice: realtimetest.Tone(20 * time.Second)})
			l := newLeg()
			l.codec = codec
			c, s := talk(t, l, l, bridge.Agent{Providers: []realtime.Provider{provider}}, server)
			const frames = 37
			if got := len(l.await(t, frames)); got != frames*media.FrameBytes {
				t.Fatalf("took %d bytes", got)
			}
			l.speak(loud(600 * time.Millisecond))
			waitEvent(t, s, "conversation.item.truncated", 1)
			if got := s.Truncations(); len(got) != 1 || got[0].AudioEndMS != 20*frames || got[0].Error != nil {
				t.Errorf("truncations %+v, want one at %d ms", got, 20*frames)
			}
			if got := l.take(5); len(got) != 0 {
				t.Errorf("%d bytes of the old reply after the barge-in", len(got))
			}
			if v := s.Violations(); len(v) > 0 {
				t.Errorf("violations: %v", v)
			}
			if n := count(names(c), bridge.EventBargeIn); n != 1 {
				t.Errorf("%d barge-ins in %v", n, names(c))
			}
		})
	}
}

// end ends a call, so that all its events are in its timeline.
func end(t *testing.T, c *bridge.Call) {
	t.Helper()
	c.End(media.OperatorHungUp)
	await(t, c.Ended(), "the end")
}

func count(names []string, name string) int {
	n := 0
	for _, other := range names {
		if other == name {
			n++
		}
	}
	return n
}

func TestALegThatBuffersSaysWhatWasHeard(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{Voice: realtimetest.Tone(20 * time.Second)})
	l := &bufferingLeg{leg: newLeg(), heard: 1234, flushes: make(chan struct{}, 1)}
	_, s := talk(t, l, l.leg, bridge.Agent{Providers: []realtime.Provider{provider}}, server)
	l.await(t, 20)
	l.speak(loud(600 * time.Millisecond))
	await(t, l.flushes, "the flush")
	waitEvent(t, s, "conversation.item.truncated", 1)
	if got := s.Truncations(); len(got) != 1 || got[0].AudioEndMS != 154 { // ⌊1234 / 8⌋
		t.Errorf("truncations %+v, want one at 154 ms", got)
	}
}

func TestItemsNeverHeardAreDeleted(t *testing.T) {
	tone := realtimetest.ToneAudio(realtimetest.PCMU, time.Second)
	server, provider := serve(t, realtimetest.Config{Voice: func(realtimetest.Turn) realtimetest.Reply {
		return realtimetest.Reply{Items: []realtimetest.Output{{Audio: tone}, {Audio: tone}, {Audio: tone}}}
	}})
	l := newLeg()
	_, s := talk(t, l, l, bridge.Agent{Providers: []realtime.Provider{provider}}, server)
	l.await(t, 50+10) // all of the first item, 200 ms of the second
	l.speak(loud(600 * time.Millisecond))
	waitEvent(t, s, "conversation.item.deleted", 1)
	outputs := s.Outputs()
	if len(outputs) != 3 {
		t.Fatalf("%d items spoken", len(outputs))
	}
	if got := s.Truncations(); len(got) != 1 || got[0].ItemID != outputs[1].ItemID || got[0].AudioEndMS != 200 {
		t.Errorf("truncations %+v, want one of %s at 200 ms", got, outputs[1].ItemID)
	}
	if got := s.Deletions(); len(got) != 1 || got[0].ItemID != outputs[2].ItemID {
		t.Errorf("deletions %+v, want one of %s", got, outputs[2].ItemID)
	}
}

func TestSpeechWhileNothingSoundsTruncatesNothing(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{Voice: realtimetest.Tone(200 * time.Millisecond)})
	l := newLeg()
	c, s := talk(t, l, l, bridge.Agent{Providers: []realtime.Provider{provider}}, server)
	l.await(t, 10)
	l.speak(loud(600 * time.Millisecond))
	waitEvent(t, s, "input_audio_buffer.speech_started", 2)
	l.speak(quiet(l.codec, 700*time.Millisecond))
	waitEvent(t, s, "response.done", 2)
	if got := s.Truncations(); len(got) != 0 {
		t.Errorf("truncations %+v of what was wholly heard", got)
	}
	if count(names(c), bridge.EventBargeIn) != 0 {
		t.Errorf("a barge-in in %v", names(c))
	}
}

func TestAnAgentThatMayNotBeInterruptedFinishes(t *testing.T) {
	off := false
	for name, agent := range map[string]bridge.Agent{
		"barge_in off":             {BargeIn: bridge.BargeIn{Mode: bridge.BargeInOff}},
		"interrupt_response false": {Properties: realtime.Properties{TurnDetection: &realtime.TurnDetection{Type: "server_vad", InterruptResponse: &off}}},
	} {
		t.Run(name, func(t *testing.T) {
			server, provider := serve(t, realtimetest.Config{Voice: realtimetest.Tone(time.Second)})
			l := newLeg()
			agent.Providers = []realtime.Provider{provider}
			_, s := talk(t, l, l, agent, server)
			before := l.await(t, 10)
			l.speak(loud(600 * time.Millisecond))
			waitEvent(t, s, "input_audio_buffer.speech_started", 2)
			got := append(before, l.await(t, 40)...)
			if !bytes.Equal(got, realtimetest.ToneAudio(realtimetest.PCMU, time.Second)) {
				t.Errorf("%d bytes heard, not the whole reply", len(got))
			}
			if n := len(s.Truncations()); n != 0 {
				t.Errorf("%d truncations", n)
			}
		})
	}
}

func TestAProtectedGreetingIsHeardToItsEnd(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{Voice: realtimetest.Tone(time.Second)})
	l := newLeg()
	call(t, l, bridge.Agent{
		Providers: []realtime.Provider{provider},
		Greeting:  bridge.Greeting{Say: "Greet."},
		BargeIn:   bridge.BargeIn{ProtectGreeting: true},
	})
	await(t, l.answered, "the answer")
	s := session(t, server, 0)
	waitEvent(t, s, "response.done", 1)
	l.await(t, 10)
	l.speak(loud(600 * time.Millisecond))
	waitEvent(t, s, "input_audio_buffer.speech_started", 1)
	if got := len(l.await(t, 40)); got != 40*media.FrameBytes {
		t.Errorf("%d bytes of the protected greeting's rest", got)
	}
	err := s.Wait(within(t), func() bool { return s.Settings().Turns.InterruptResponse })
	if err != nil {
		t.Errorf("after the greeting the caller cannot interrupt: %v", err)
	}
}

func TestProvidersAreTriedInOrder(t *testing.T) {
	refusing, first := serve(t, realtimetest.Config{Fault: func(int) realtimetest.Fault { return realtimetest.Fault{Refuse: 503} }})
	keyed, second := serve(t, realtimetest.Config{Key: "right"})
	second.APIKey = "wrong"
	willing, third := serve(t, realtimetest.Config{})
	l := newLeg()
	call(t, l, bridge.Agent{Providers: []realtime.Provider{first, second, third}})
	await(t, l.answered, "the answer")
	for name, s := range map[string]*realtimetest.Server{"refusing": refusing, "keyed": keyed, "willing": willing} {
		if n := s.Handshakes(); n != 1 {
			t.Errorf("%d handshakes with the %s provider", n, name)
		}
	}
}

func TestWithoutAProviderTheCallIsRejected(t *testing.T) {
	_, provider := serve(t, realtimetest.Config{Fault: func(int) realtimetest.Fault { return realtimetest.Fault{Refuse: 503} }})
	l := newLeg()
	c := call(t, l, bridge.Agent{Providers: []realtime.Provider{provider}})
	if cause := l.cause(t); media.CauseOf(cause) != media.ProviderRefused {
		t.Errorf("hung up for %v", cause)
	}
	await(t, c.Ended(), "the end")
	select {
	case <-l.answered:
		t.Error("the call was answered")
	default:
	}
}

func TestWithoutAProviderTheCallerHearsTheRecording(t *testing.T) {
	_, provider := serve(t, realtimetest.Config{Fault: func(int) realtimetest.Fault { return realtimetest.Fault{Refuse: 503} }})
	l := newLeg()
	sorry := loud(100 * time.Millisecond)
	c := call(t, l, bridge.Agent{
		Providers: []realtime.Provider{provider},
		Greeting:  bridge.Greeting{Say: "Greet."},
		OnFailure: bridge.Failure{Audio: sorry},
	})
	await(t, l.answered, "the answer")
	if got := l.await(t, 5); !bytes.Equal(got, sorry) {
		t.Errorf("%d bytes heard, want the recording's %d", len(got), len(sorry))
	}
	if cause := l.cause(t); media.CauseOf(cause) != media.ProviderRefused {
		t.Errorf("hung up for %v", cause)
	}
	await(t, c.Ended(), "the end")
}

func TestALostSessionEndsTheCall(t *testing.T) {
	for name, do := range map[string]realtimetest.Action{
		"dropped":    (*realtimetest.Session).Drop,
		"closed":     realtimetest.CloseWith(1011, "server_error"),
		"politely":   realtimetest.CloseWith(1000, ""),
		"by expiry":  func(s *realtimetest.Session) { s.Expire() },
		"fatal code": realtimetest.SendError(&realtimetest.Error{Type: "invalid_request_error", Code: "insufficient_quota"}),
	} {
		t.Run(name, func(t *testing.T) {
			_, provider := serve(t, realtimetest.Config{Fault: func(int) realtimetest.Fault {
				return realtimetest.Fault{Triggers: []realtimetest.Trigger{{On: "input_audio_buffer.append", Do: do}}}
			}})
			l := newLeg()
			c := call(t, l, bridge.Agent{Providers: []realtime.Provider{provider}})
			await(t, l.answered, "the answer")
			l.speak(quiet(l.codec, 20*time.Millisecond))
			if cause := l.cause(t); media.CauseOf(cause) != media.ProviderLost {
				t.Errorf("hung up for %v", cause)
			}
			await(t, c.Ended(), "the end")
		})
	}
}

func TestTheCallersEndClosesTheSession(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{})
	l := newLeg()
	c := call(t, l, bridge.Agent{Providers: []realtime.Provider{provider}})
	await(t, l.answered, "the answer")
	l.end <- fmt.Errorf("bye: %w", media.CallerHungUp)
	await(t, c.Ended(), "the end")
	s := session(t, server, 0)
	await(t, s.Done(), "the session's end")
	if end, _ := s.End(); !end.ByClient || end.Code != 1000 {
		t.Errorf("the session ended with %+v", end)
	}
}

func TestSidesThatDoNotEndAreCut(t *testing.T) {
	_, provider := serve(t, realtimetest.Config{Fault: func(int) realtimetest.Fault { return realtimetest.Fault{NoCloseReply: true} }})
	l := newLeg()
	l.stuck = true
	c := call(t, l, bridge.Agent{Providers: []realtime.Provider{provider}})
	await(t, l.answered, "the answer")
	began := time.Now()
	c.End(media.OperatorHungUp)
	await(t, c.Ended(), "the end")
	await(t, l.cut, "the cut")
	// One second of politeness and what a loaded machine adds to it.
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the end took %v", took)
	}
}

func TestTheFirstCauseWins(t *testing.T) {
	_, provider := serve(t, realtimetest.Config{})
	l := newLeg()
	c := call(t, l, bridge.Agent{Providers: []realtime.Provider{provider}})
	await(t, l.answered, "the answer")
	c.End(media.DurationLimit)
	c.End(media.OperatorHungUp)
	if cause := l.cause(t); cause != media.DurationLimit {
		t.Errorf("hung up for %v", cause)
	}
	await(t, c.Ended(), "the end")
}

func TestAFailedAnswerEndsTheCall(t *testing.T) {
	_, provider := serve(t, realtimetest.Config{})
	l := newLeg()
	l.answerErr = fmt.Errorf("no ACK: %w", media.LegFailed)
	c := call(t, l, bridge.Agent{Providers: []realtime.Provider{provider}})
	if cause := l.cause(t); !errors.Is(cause, media.LegFailed) {
		t.Errorf("hung up for %v", cause)
	}
	await(t, c.Ended(), "the end")
}

func TestTheEndOfTheContextIsAShutdown(t *testing.T) {
	_, provider := serve(t, realtimetest.Config{})
	l := newLeg()
	c := bridge.New(bridge.Config{Facts: bridge.Facts{ID: "call-1"}, Leg: l, Agent: bridge.Agent{Providers: []realtime.Provider{provider}}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	await(t, l.answered, "the answer")
	cancel()
	if err := <-done; media.CauseOf(err) != media.Shutdown {
		t.Errorf("ended for %v", err)
	}
}

func TestLimitsEndACall(t *testing.T) {
	for name, c := range map[string]struct {
		limits bridge.Limits
		want   media.Cause
	}{
		"duration": {bridge.Limits{Duration: time.Millisecond}, media.DurationLimit},
		"silence":  {bridge.Limits{Silence: time.Millisecond}, media.SilenceLimit},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, provider := serve(t, realtimetest.Config{})
			l := newLeg()
			call(t, l, bridge.Agent{Providers: []realtime.Provider{provider}, Limits: c.limits})
			if c.want == media.DurationLimit {
				l.hearOut(t) // the farewell
			}
			if cause := l.cause(t); media.CauseOf(cause) != c.want {
				t.Errorf("hung up for %v", cause)
			}
		})
	}
}

func TestACallThatHasCostEnoughTakesItsLeave(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{})
	l := newLeg()
	call(t, l, bridge.Agent{
		Providers: []realtime.Provider{provider},
		Greeting:  bridge.Greeting{Say: "Greet."},
		Limits:    bridge.Limits{Cost: 0.000001},
		Prices:    map[string]bridge.Prices{"test": {AudioOut: 64}},
	})
	await(t, l.answered, "the answer")
	waitEvent(t, session(t, server, 0), "response.created", 2)
	l.hearOut(t)
	if cause := l.cause(t); media.CauseOf(cause) != media.CostLimit {
		t.Errorf("hung up for %v", cause)
	}
}

func TestALegThatConvertsIsToldOf(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{})
	l := newLeg()
	c, _ := talk(t, l, l, bridge.Agent{Providers: []realtime.Provider{provider}}, server)
	l.up.(media.Recoder).Recoded(media.PCMA)
	end(t, c)
	for _, e := range c.Timeline() {
		if e.Name != bridge.EventRecoded {
			continue
		}
		if diff := cmp.Diff([]bridge.Attr{{Key: "phone", Value: "pcma"}, {Key: "session", Value: "pcmu"}}, e.Attrs); diff != "" {
			t.Error(diff)
		}
		return
	}
	t.Errorf("timeline %v", names(c))
}

func TestHoldStopsBothDirections(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{Voice: realtimetest.Tone(20 * time.Second)})
	l := newLeg()
	c, s := talk(t, l, l, bridge.Agent{Providers: []realtime.Provider{provider}}, server)
	first := l.await(t, 5)
	heard := media.Bytes(1300 * time.Millisecond) // what talk said
	if err := s.Wait(within(t), func() bool { return s.InputBytes() == heard }); err != nil {
		t.Fatal(err)
	}
	l.up.Hold(true)
	if got := l.take(5); len(got) != 0 {
		t.Errorf("%d bytes while on hold", len(got))
	}
	l.speak(loud(time.Second))
	heard += media.Bytes(time.Second) // of silence, in which a turn ends
	if err := s.Wait(within(t), func() bool { return s.InputBytes() == heard }); err != nil {
		t.Fatal(err)
	}
	l.up.Hold(false)
	second := l.await(t, 5)
	want := realtimetest.ToneAudio(realtimetest.PCMU, 200*time.Millisecond)
	if !bytes.Equal(append(first, second...), want) {
		t.Error("the agent did not go on where it was stopped")
	}
	l.speak(quiet(l.codec, 20*time.Millisecond))
	if err := s.Wait(within(t), func() bool { return s.InputBytes() > heard }); err != nil {
		t.Fatal(err)
	}
	if got := s.InputBytes() - heard; got != media.FrameBytes {
		t.Errorf("%d bytes reached the model, want the frame after the hold", got)
	}
	end(t, c)
	if n := names(c); count(n, bridge.EventHold) != 1 || count(n, bridge.EventResume) != 1 {
		t.Errorf("timeline %v", n)
	}
}
