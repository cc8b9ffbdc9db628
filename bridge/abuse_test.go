package bridge_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// delta is an audio delta of n milliseconds.
func delta(response, item string, n int) []byte {
	audio := base64.StdEncoding.EncodeToString(loud(time.Duration(n) * time.Millisecond))
	return fmt.Appendf(nil, `{"type":"response.output_audio.delta","response_id":%q,"item_id":%q,"output_index":0,"content_index":0,"delta":%q}`,
		response, item, audio)
}

func TestARewoundPlayoutIsNotCountedBack(t *testing.T) {
	_, provider := serve(t, realtimetest.Config{Voice: realtimetest.Tone(20 * time.Second)})
	inner := newLeg()
	l := &bufferingLeg{leg: inner, heard: 3000, flushes: make(chan struct{}, 1)}
	c, notes := noted(t, l, instant(provider, 1, time.Minute))
	await(t, inner.answered, "the answer")
	inner.await(t, 25)
	c.FlushMeters(t)
	inner.speak(loud(100 * time.Millisecond))
	awaitNote(t, c, notes, bridge.EventPause)
	end(t, c)
}

func TestACountThatAServerGetsWrongIsNotPaidBack(t *testing.T) {
	u := realtime.Usage{}
	u.InputTokenDetails.CachedTokensDetails.AudioTokens = 500
	if got := (bridge.Prices{AudioIn: 32, AudioCached: 0.4}).Of(u); got < 0 {
		t.Errorf("a response cost %v", got)
	}
}

func TestAFarewellForTheCostIsHeardOut(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{})
	l := newLeg()
	call(t, l, bridge.Agent{
		Providers: []realtime.Provider{provider},
		Greeting:  bridge.Greeting{Say: "Greet."},
		Limits:    bridge.Limits{Cost: 0.000001},
		Prices:    map[string]bridge.Prices{"test": {AudioOut: 64}},
	})
	await(t, l.answered, "the answer")
	s := session(t, server, 0)
	waitEvent(t, s, "response.done", 2)
	spoken := 0
	for _, o := range s.Outputs() {
		spoken += len(o.Audio)
	}
	if got := len(l.await(t, spoken/media.FrameBytes)); got < spoken-media.FrameBytes {
		t.Errorf("%d bytes heard of %d", got, spoken)
	}
	l.hearOut(t)
}

func TestAudioOfACutResponseThatCameToItsEndIsDropped(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{})
	l := newLeg()
	c, notes := noted(t, l, bridge.Agent{Providers: []realtime.Provider{provider}})
	await(t, l.answered, "the answer")
	s := session(t, server, 0)
	text := func(message string) { s.SendFrame(1, []byte(message)) }
	text(`{"type":"response.created","response":{"id":"r1","status":"in_progress","conversation_id":"c"}}`)
	s.SendFrame(1, delta("r1", "i1", 1000))
	l.await(t, 10)
	text(`{"type":"input_audio_buffer.speech_started","item_id":"u1","audio_start_ms":0}`)
	text(`{"type":"response.done","response":{"id":"r1","status":"cancelled"}}`)
	s.SendFrame(1, delta("r1", "i1", 500))
	text(`{"type":"error","error":{"type":"invalid_request_error","code":"item_not_found","message":"the last of these"}}`)
	awaitNote(t, c, notes, bridge.EventError)
	if n := len(l.take(50)); n > 0 {
		t.Errorf("%d bytes of a response that was cut are heard", n)
	}
}

func TestAProtectedGreetingIsProtectedFromOurOwnTurns(t *testing.T) {
	_, provider := serve(t, realtimetest.Config{Voice: realtimetest.Tone(time.Second)})
	l := newLeg()
	agent := ownTurns(provider)
	agent.BargeIn.ProtectGreeting = true
	agent.Greeting = bridge.Greeting{Say: "Greet."}
	call(t, l, agent)
	await(t, l.answered, "the answer")
	l.await(t, 10)
	l.speak(loud(300 * time.Millisecond))
	if got := len(l.await(t, 40)); got != 40*media.FrameBytes {
		t.Errorf("%d bytes of the greeting's rest", got)
	}
}

func TestAnApologyThatCannotBeHeardEndsTheCall(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{Fault: func(n int) realtimetest.Fault {
		if n == 0 {
			return realtimetest.Fault{}
		}
		return realtimetest.Fault{Refuse: 401}
	}})
	l := newLeg()
	call(t, l, bridge.Agent{
		Providers: []realtime.Provider{provider},
		Limits:    bridge.Limits{Duration: time.Second},
		OnFailure: bridge.Failure{Audio: loud(100 * time.Millisecond)},
	})
	await(t, l.answered, "the answer")
	<-l.started
	l.up.Hold(true) // nothing is heard any more
	session(t, server, 0).Drop()
	if cause := l.cause(t); media.CauseOf(cause) != media.ProviderLost {
		t.Errorf("hung up for %v", cause)
	}
}

func TestEventsOfUnknownTypesDoNotCrowdACallOut(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{})
	l := newLeg()
	c, notes := noted(t, l, bridge.Agent{Providers: []realtime.Provider{provider}})
	await(t, l.answered, "the answer")
	s := session(t, server, 0)
	for range 4000 {
		s.SendFrame(1, []byte(`{"type":"some.new_event","text":"`+strings.Repeat("x", 20)+`"}`))
	}
	s.SendFrame(1, []byte(`{"type":"error","error":{"type":"invalid_request_error","code":"item_not_found"}}`))
	awaitNote(t, c, notes, bridge.EventError)
	if state := c.State(); state != bridge.Talking {
		t.Errorf("the call is %v", state)
	}
}
