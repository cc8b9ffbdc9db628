package bridge_test

import (
	"bytes"
	"context"
	"fmt"
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
		done        = `{"type":"response.done","response":{"id":"r`
	)
	_, provider := serve(t, says(
		transcribed+`{"type":"tokens","total_tokens":27,"input_tokens":20,"output_tokens":7}}`,
		transcribed+`{"type":"tokens","total_tokens":3,"input_tokens":-1,"output_tokens":3}}`,
		transcribed+`{"type":"duration","seconds":2.5}}`,
		transcribed+`{"type":"duration","seconds":1e300}}`,
		done+`1","status":"completed"}}`, done+`2","status":"cancelled"}}`, done+`3","status":"cancelled"}}`, done+`4","status":"dreamt"}}`,
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

// TestAResponseIsPaidForOnce has a server end a response again, and count its
// tokens beyond belief.
func TestAResponseIsPaidForOnce(t *testing.T) {
	usage := func(id string, in, cached, out string) string {
		return fmt.Sprintf(`{"type":"response.done","response":{"id":%q,"status":"completed","usage":{
			"input_token_details":{"text_tokens":%s,"audio_tokens":0,"cached_tokens_details":{"text_tokens":%s}},
			"output_token_details":{"audio_tokens":%s}}}}`, id, in, cached, out)
	}
	const most = "9223372036854775807"
	for name, c := range map[string]struct {
		says []string
		cost float64 // US dollars, at one for each token of input and 100 for each of output
		odd  float64 // messages that are counted as malformed
	}{
		"once":                      {[]string{usage("a", "7", "0", "1")}, 107, 0},
		"again":                     {[]string{usage("a", "7", "0", "1"), usage("a", "7", "0", "1")}, 107, 1},
		"again, later":              {[]string{usage("a", "7", "0", "1"), usage("b", "1", "0", "0"), usage("a", "7", "0", "1")}, 108, 1},
		"under a name used again":   {[]string{usage("a", "7", "0", "1"), `{"type":"response.created","response":{"id":"a"}}`, usage("a", "1", "0", "0")}, 108, 0},
		"less than nothing":         {[]string{usage("a", "-7", "0", "1")}, 100, 0},
		"more than there is":        {[]string{usage("a", most, "0", most)}, 0, 1},
		"a difference of extremes":  {[]string{usage("a", most, "-"+most, "0")}, 0, 1},
		"more than a number can be": {[]string{usage("a", "1e400", "0", "1")}, 100, 0},
	} {
		t.Run(name, func(t *testing.T) {
			_, provider := serve(t, says(append(c.says, last)...))
			reg := prometheus.NewPedanticRegistry()
			heard := make(chan struct{})
			call := bridge.New(bridge.Config{
				Facts: bridge.Facts{ID: "call-1"}, Leg: newLeg(), Metrics: bridge.NewMetrics(reg),
				Agent: bridge.Agent{
					Providers: []realtime.Provider{provider},
					Prices:    map[string]bridge.Prices{"test": {TextIn: 1e6, AudioOut: 100e6}},
				},
				Observe: func(e bridge.Event) {
					if e.Name == bridge.EventTranscript {
						close(heard)
					}
				},
			})
			go func() { _ = call.Run(context.Background()) }()
			await(t, heard, "the last message")
			end(t, call)
			if got := sumOf(t, reg, "callgw_realtime_cost_usd_total"); got != c.cost {
				t.Errorf("cost %v, want %v", got, c.cost)
			}
			if got := sumOf(t, reg, "callgw_realtime_errors_total"); got != c.odd {
				t.Errorf("%v errors, want %v", got, c.odd)
			}
		})
	}
}

// sumOf adds up the counters of a family.
func sumOf(t *testing.T, reg *prometheus.Registry, family string) (sum float64) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == family {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}
