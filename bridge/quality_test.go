package bridge_test

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// measuringLeg knows how its audio comes through.
type measuringLeg struct {
	*leg
	quality media.Quality
}

func (l *measuringLeg) Quality() media.Quality { return l.quality }

func TestACallTellsHowItSounded(t *testing.T) {
	for _, test := range []struct {
		name    string
		quality media.Quality
		attrs   []bridge.Attr
		logged  map[string]any
	}{
		{"nothing came", media.Quality{}, nil, nil},
		{"RTP with reports", media.Quality{
			Packets: 990, Lost: 10, Filled: 200 * time.Millisecond, Jitter: 1500 * time.Microsecond, MOS: 4.123,
			Timed: true, RoundTrip: 40 * time.Millisecond,
			Reported: true, RemoteLoss: .25, RemoteJitter: time.Millisecond, RemoteMOS: 2.5,
		}, []bridge.Attr{
			{"packets", uint64(990)},
			{"filled", 200 * time.Millisecond},
			{"lost", uint64(10)},
			{"loss", .01},
			{"jitter", 1500 * time.Microsecond},
			{"mos", 4.12},
			{"round_trip", 40 * time.Millisecond},
			{"remote_loss", .25},
			{"remote_jitter", time.Millisecond},
			{"remote_mos", 2.5},
		}, map[string]any{"loss": .01, "jitter_ms": 1.5, "mos": 4.12, "round_trip_ms": 40.0, "remote_loss": .25, "remote_mos": 2.5}},
		{"a media stream", media.Quality{Packets: 50, Timed: true, RoundTrip: 30 * time.Millisecond}, []bridge.Attr{
			{"packets", uint64(50)}, {"filled", time.Duration(0)}, {"round_trip", 30 * time.Millisecond},
		}, map[string]any{"round_trip_ms": 30.0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, provider := serve(t, realtimetest.Config{})
			l := &measuringLeg{newLeg(), test.quality}
			var log bytes.Buffer
			r := bridge.NewRegistry(0)
			c := bridge.New(bridge.Config{
				Facts: bridge.Facts{ID: "1", Leg: "test"}, Leg: l, Log: zerolog.New(&log).Level(zerolog.InfoLevel),
				Agent: bridge.Agent{Name: "a", Providers: []realtime.Provider{provider}},
			})
			done := make(chan error, 1)
			go func() { done <- r.Run(context.Background(), c) }()
			await(t, l.answered, "the answer")
			l.end <- media.CallerHungUp
			<-done
			var got []bridge.Attr
			events := c.Timeline()
			for i, e := range events {
				if e.Name != bridge.EventMedia {
					continue
				}
				if got = e.Attrs; i != len(events)-2 {
					t.Errorf("it is event %d of %d", i+1, len(events))
				}
			}
			if diff := cmp.Diff(test.attrs, got); diff != "" {
				t.Error(diff)
			}
			lines := bytes.Split(bytes.TrimSpace(log.Bytes()), []byte("\n"))
			var line map[string]any
			if err := json.Unmarshal(lines[len(lines)-1], &line); err != nil {
				t.Fatalf("%v: %s", err, log.String())
			}
			for _, key := range []string{"loss", "jitter_ms", "mos", "round_trip_ms", "remote_loss", "remote_mos"} {
				if diff := cmp.Diff(test.logged[key], line[key]); diff != "" {
					t.Errorf("the log says %s: %s", key, diff)
				}
			}
			past, ok := r.Past("1")
			if !ok || (past.Quality != nil) != (test.attrs != nil) {
				t.Errorf("what is remembered: %v, %+v", ok, past)
			}
		})
	}
}
