package bridge_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// says is a server that sends messages of its own when a session is set up.
func says(messages ...string) realtimetest.Config {
	return realtimetest.Config{Fault: func(int) realtimetest.Fault {
		return realtimetest.Fault{Triggers: []realtimetest.Trigger{{On: "session.updated", Do: func(s *realtimetest.Session) {
			for _, m := range messages {
				realtimetest.SendText(m)(s)
			}
		}}}}
	}}
}

// last is a message whose effect tells that those before it had theirs.
const last = `{"type":"conversation.item.input_audio_transcription.completed","item_id":"last","transcript":"that is all"}`

func TestWhatTheServerSetsOtherwiseIsToldOnce(t *testing.T) {
	const updated = `{"type":"session.updated","session":{"id":"s","audio":{"output":{"speed":1.5,"voice":"cedar"}}}}`
	_, provider := serve(t, says(updated, updated, last))
	speed := 1.25
	l := newLeg()
	var log bytes.Buffer
	heard := make(chan struct{})
	c := bridge.New(bridge.Config{
		Facts: bridge.Facts{ID: "call-1", Leg: "test"}, Leg: l, Log: zerolog.New(&log).Level(zerolog.WarnLevel),
		Agent: bridge.Agent{
			Providers:  []realtime.Provider{provider},
			Properties: realtime.Properties{Voice: "marin", Speed: &speed},
		},
		Observe: func(e bridge.Event) {
			if e.Name == bridge.EventTranscript {
				close(heard)
			}
		},
	})
	go func() { _ = c.Run(context.Background()) }()
	await(t, heard, "the last message")
	end(t, c)
	var told []any
	for _, e := range c.Timeline() {
		if e.Name == bridge.EventDiffers {
			told = append(told, e.Attrs[0].Value)
		}
	}
	if len(told) != 1 || told[0] != "audio.output.speed, audio.output.voice" {
		t.Errorf("told %q", told)
	}
	if n := strings.Count(log.String(), "otherwise than asked"); n != 1 {
		t.Errorf("%d warnings in %s", n, log.String())
	}
}

func TestWhatTheServerUsesIsCounted(t *testing.T) {
	const (
		transcribed = `{"type":"conversation.item.input_audio_transcription.completed","item_id":"i","transcript":"hello","usage":`
		done        = `{"type":"response.done","response":{"id":"r","status":`
	)
	_, provider := serve(t, says(
		transcribed+`{"type":"tokens","total_tokens":27,"input_tokens":20,"output_tokens":7}}`,
		transcribed+`{"type":"tokens","total_tokens":3,"input_tokens":-1,"output_tokens":3}}`,
		transcribed+`{"type":"duration","seconds":2.5}}`,
		done+`"completed"}}`, done+`"cancelled"}}`, done+`"cancelled"}}`, done+`"dreamt"}}`,
		last))
	reg := prometheus.NewPedanticRegistry()
	l := newLeg()
	heard := make(chan struct{})
	c := bridge.New(bridge.Config{
		Facts: bridge.Facts{ID: "call-1", Leg: "test"}, Leg: l, Metrics: bridge.NewMetrics(reg),
		Agent: bridge.Agent{Name: "a", Providers: []realtime.Provider{provider}},
		Observe: func(e bridge.Event) {
			if e.Name == bridge.EventTranscript && e.Attrs[1].Value == "last" {
				close(heard)
			}
		},
	})
	go func() { _ = c.Run(context.Background()) }()
	await(t, heard, "the last message")
	end(t, c)
	want := `
# HELP callgw_realtime_tokens_total Tokens used.
# TYPE callgw_realtime_tokens_total counter
callgw_realtime_tokens_total{agent="a",direction="input",kind="transcription",leg="test",provider="test",trunk=""} 20
callgw_realtime_tokens_total{agent="a",direction="output",kind="transcription",leg="test",provider="test",trunk=""} 10
# HELP callgw_realtime_transcription_seconds_total Caller audio transcribed by models that are billed by the second.
# TYPE callgw_realtime_transcription_seconds_total counter
callgw_realtime_transcription_seconds_total{agent="a",leg="test",provider="test",trunk=""} 2.5
# HELP callgw_responses_total Responses that ended, by how.
# TYPE callgw_responses_total counter
callgw_responses_total{agent="a",leg="test",provider="test",status="cancelled",trunk=""} 2
callgw_responses_total{agent="a",leg="test",provider="test",status="completed",trunk=""} 1
callgw_responses_total{agent="a",leg="test",provider="test",status="other",trunk=""} 1
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want),
		"callgw_realtime_tokens_total", "callgw_realtime_transcription_seconds_total", "callgw_responses_total"); err != nil {
		t.Error(err)
	}
}
