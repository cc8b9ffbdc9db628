package mediastream_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

// dial places a call and runs it in the background.
func dial(t *testing.T, cfg mediastreamtest.Config, up media.Uplink, down media.Downlink) (*mediastreamtest.Call, <-chan error) {
	t.Helper()
	call, err := mediastreamtest.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- call.Run(t.Context(), up, down) }()
	return call, ended
}

func noViolations(t *testing.T, call *mediastreamtest.Call) {
	t.Helper()
	for _, v := range call.Violations() {
		t.Errorf("violation: %s", v)
	}
}

func TestAMinuteOfAudioPassesUntouchedBothWays(t *testing.T) {
	for name, network := range map[string]struct{ delay, jitter time.Duration }{
		"without delay":    {},
		"80 ms and jitter": {80 * time.Millisecond, 30 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				said, agent := speech(60*media.SampleRate), speech(60*media.SampleRate+777)
				up, down, ended := &ear{}, newMouth(agent), make(chan error, 1)
				streams := make(chan *mediastream.Stream, 1)
				g := newGateway(t, mediastream.Config{Handler: answer(up, down, streams, ended)})
				cfg := g.phone()
				cfg.Delay, cfg.Jitter, cfg.Record = network.delay, network.jitter, true
				phone := &ear{}
				call, over := dial(t, cfg, phone, newMouth(said))
				time.Sleep(61 * time.Second)
				s := <-streams
				if err := call.Hangup(t.Context(), media.CallerHungUp); err != nil {
					t.Error(err)
				}
				if err := <-over; media.CauseOf(err) != media.CallerHungUp {
					t.Errorf("phone ended with %v", err)
				}
				if err := <-ended; media.CauseOf(err) != media.CallerHungUp {
					t.Errorf("stream ended with %v", err)
				}
				noViolations(t, call)
				// The way of the first frame is heard as silence.
				if got := bytes.TrimLeft(up.heard(), "\xFF"); !bytes.HasPrefix(got, said) {
					t.Errorf("the gateway heard %d bytes that differ from the %d said", len(got), len(said))
				}
				pieces := call.Recording()
				if len(pieces) != 1 || !bytes.Equal(pieces[0].Audio, agent) {
					t.Errorf("the caller heard %d pieces, or not what the agent said", len(pieces))
				}
				if heard, taken := down.position(); heard != int64(len(agent)) || taken != heard {
					t.Errorf("heard %d of %d bytes taken, want %d", heard, taken, len(agent))
				}
				if stats := s.Stats(); stats.SilenceBytes > uint64(media.Bytes(200*time.Millisecond)) || stats.Dropped != 0 {
					t.Errorf("stats: %+v", stats)
				}
			})
		})
	}
}

func TestHangupClosesTheSocketWithTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up, down, ended := &ear{}, newMouth(), make(chan error, 1)
		streams := make(chan *mediastream.Stream, 1)
		g := newGateway(t, mediastream.Config{Handler: answer(up, down, streams, ended)})
		call, over := dial(t, g.phone(), &ear{}, newMouth())
		s := <-streams
		began := time.Now()
		if err := s.Hangup(t.Context(), media.AgentHungUp); err != nil {
			t.Error(err)
		}
		if err := s.Hangup(t.Context(), media.Shutdown); err != nil {
			t.Errorf("second hang-up: %v", err)
		}
		if err := <-ended; !errors.Is(err, media.AgentHungUp) {
			t.Errorf("stream ended with %v", err)
		}
		if err := <-over; !errors.Is(err, media.CallerHungUp) {
			t.Errorf("phone ended with %v", err)
		}
		if d := time.Since(began); d > time.Second {
			t.Errorf("took %v", d)
		}
		noViolations(t, call)
	})
}

func TestTheEndOfTheContextEndsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		streams := make(chan *mediastream.Stream, 1)
		g := newGateway(t, mediastream.Config{Handler: answer(&ear{}, newMouth(), streams, ended)})
		_, over := dial(t, g.phone(), &ear{}, newMouth())
		<-streams
		g.stop()
		if err := <-ended; !errors.Is(err, media.Shutdown) {
			t.Errorf("stream ended with %v", err)
		}
		if err := <-over; !errors.Is(err, media.CallerHungUp) {
			t.Errorf("phone ended with %v", err)
		}
	})
}

func TestAPhoneIsToldWhyItsCallFailed(t *testing.T) {
	for name, tt := range map[string]struct {
		cause media.Cause // the gateway's
		edit  func(cfg *mediastreamtest.Config)
		want  media.Cause
		text  string
	}{
		"busy":            {media.Busy, func(*mediastreamtest.Config) {}, media.Busy, "busy"},
		"rejected":        {media.NoRoute, func(*mediastreamtest.Config) {}, media.Rejected, "rejected"},
		"wrong token":     {0, func(cfg *mediastreamtest.Config) { cfg.AuthToken = "guess" }, media.LegFailed, "403"},
		"unsigned":        {0, func(cfg *mediastreamtest.Config) { cfg.AuthToken = "" }, media.LegFailed, "403"},
		"another account": {0, func(cfg *mediastreamtest.Config) { cfg.AccountSID = "AC1" }, media.LegFailed, "403"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, mediastream.Config{Handler: func(ctx context.Context, s *mediastream.Stream) {
					_ = s.Hangup(ctx, tt.cause)
				}})
				cfg := g.phone()
				tt.edit(&cfg)
				_, err := mediastreamtest.Dial(t.Context(), cfg)
				if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
					t.Errorf("%v, want %v and %q", err, tt.want, tt.text)
				}
			})
		})
	}
}

var _ interface {
	Codec() media.Codec
	Ring(context.Context) error
	Answer(context.Context) error
	Run(context.Context, media.Uplink, media.Downlink) error
	Hangup(context.Context, error) error
	media.Flusher
} = (*mediastream.Stream)(nil)
