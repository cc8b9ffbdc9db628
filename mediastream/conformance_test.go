package mediastream_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

// seed is the private key of the Telnyx that the tests know.
var seed = bytes.Repeat([]byte{7}, ed25519.SeedSize)

// secrets returns what a gateway and a carrier know of each other.
func secrets(carrier mediastream.Carrier) (gateway, phone string) {
	if carrier == mediastream.Telnyx {
		key := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
		return base64.StdEncoding.EncodeToString(key), base64.StdEncoding.EncodeToString(seed)
	}
	return token, token
}

// bornOnSocket tells of carriers without a webhook.
func bornOnSocket(carrier mediastream.Carrier) bool {
	return carrier == mediastream.Asterisk || carrier == mediastream.Generic
}

// serveCarrier serves a handler for a carrier on an in-memory network.
func serveCarrier(t *testing.T, carrier mediastream.Carrier, cfg mediastream.Config) *gateway {
	t.Helper()
	return serveCarrierOn(t, carrier, cfg, newMemory())
}

// serveCarrierOn serves a handler for a carrier on network.
func serveCarrierOn(t *testing.T, carrier mediastream.Carrier, cfg mediastream.Config, network *memory) *gateway {
	t.Helper()
	secret, _ := secrets(carrier)
	cfg.Carrier, cfg.PublicURL, cfg.Validate, cfg.AuthTokens, cfg.Log = carrier, public, true, []string{"", secret}, zerolog.Nop()
	handler, err := mediastream.NewHandler(cfg)
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{Handler: handler, net: network}
	mux := http.NewServeMux()
	handler.Register(mux)
	server := http.Server{Handler: mux}
	ctx, cancel := context.WithCancelCause(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := handler.Run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	running.Go(func() {
		if err := server.Serve(g.net); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
	})
	g.stop = sync.OnceFunc(func() {
		cancel(media.Shutdown)
		_ = server.Close()
		running.Wait()
	})
	t.Cleanup(g.stop)
	return g
}

// phoneOf returns the configuration of a call by a carrier to g.
func (g *gateway) phoneOf(carrier mediastream.Carrier) mediastreamtest.Config {
	cfg := g.phone()
	cfg.Carrier = carrier
	_, cfg.AuthToken = secrets(carrier)
	cfg.WebhookURL = "http://gateway.test/" + string(carrier) + "/voice"
	if bornOnSocket(carrier) {
		cfg.WebhookURL = "http://gateway.test/" + string(carrier) + "/media"
		cfg.PublicURL = ""
	}
	return cfg
}

// everyCarrier runs a test for each carrier, on a false clock.
func everyCarrier(t *testing.T, test func(t *testing.T, carrier mediastream.Carrier)) {
	t.Helper()
	for _, carrier := range mediastream.Carriers() {
		t.Run(string(carrier), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, carrier) })
		})
	}
}

func TestConformanceAudioAndDigitsPassBothWays(t *testing.T) {
	everyCarrier(t, func(t *testing.T, carrier mediastream.Carrier) {
		said, agent := speech(10*media.SampleRate), speech(10*media.SampleRate+777)
		up, down, ended := &ear{}, newMouth(agent), make(chan error, 1)
		streams := make(chan *mediastream.Stream, 1)
		g := serveCarrier(t, carrier, mediastream.Config{Handler: answer(up, down, streams, ended)})
		cfg := g.phoneOf(carrier)
		cfg.Delay, cfg.Jitter, cfg.Record = 40*ms, 20*ms, true
		call, over := dial(t, cfg, &ear{}, newMouth(said))
		s := next(t, streams)
		if s.From() != cfg.From || s.To() != cfg.To {
			t.Errorf("call from %q to %q", s.From(), s.To())
		}
		for _, d := range "19*#" {
			time.Sleep(200 * ms)
			call.Digit(media.Digit(d))
		}
		time.Sleep(11 * time.Second)
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
		if got := bytes.TrimLeft(up.heard(), "\xFF"); !bytes.HasPrefix(got, said) {
			t.Errorf("the gateway heard %d bytes that differ from the %d said", len(got), len(said))
		}
		if got := string(up.pressed()); got != "19*#" {
			t.Errorf("pressed %q", got)
		}
		pieces := call.Recording()
		if len(pieces) != 1 || !bytes.Equal(bytes.TrimRight(pieces[0].Audio, "\xFF"), agent) {
			t.Errorf("the caller heard %d pieces, or not what the agent said", len(pieces))
		}
		if heard, taken := down.position(); heard != int64(len(agent)) || taken != heard {
			t.Errorf("heard %d of %d bytes taken, want %d", heard, taken, len(agent))
		}
		if stats := s.Stats(); stats.SilenceBytes > uint64(media.Bytes(200*ms)) || stats.Dropped != 0 {
			t.Errorf("stats: %+v", stats)
		}
	})
}

// TestConformanceAFlushKnowsWhatTheCallerHasHeard compares what Flush says with
// what the carrier had played when the clear arrived.
func TestConformanceAFlushKnowsWhatTheCallerHasHeard(t *testing.T) {
	for _, network := range []struct{ delay, jitter time.Duration }{
		{0, 0}, {3 * ms, 0}, {3 * ms, 8 * ms}, {60 * ms, 0}, {60 * ms, 30 * ms}, {120 * ms, 0},
	} {
		t.Run(fmt.Sprint(network.delay, network.jitter), func(t *testing.T) {
			everyCarrier(t, func(t *testing.T, carrier mediastream.Carrier) {
				worst := 20*ms + 2*network.jitter
				if carrier == mediastream.Asterisk && network.delay+network.jitter < 15*ms {
					worst = 0 // it tells, and is waited for
				}
				interruptCarrier(t, carrier, network.delay, network.jitter, worst)
			})
		})
	}
}

func interruptCarrier(t *testing.T, carrier mediastream.Carrier, delay, jitter, worst time.Duration) {
	down, ended := newMouth(), make(chan error, 1)
	streams := make(chan *mediastream.Stream, 1)
	g := serveCarrier(t, carrier, mediastream.Config{Handler: answer(&ear{}, down, streams, ended)})
	cfg := g.phoneOf(carrier)
	cfg.Delay, cfg.Jitter = delay, jitter
	call, over := dial(t, cfg, &ear{}, newMouth())
	s := next(t, streams)
	random := rand.New(rand.NewPCG(7, uint64(delay)))
	var faults []time.Duration
	time.Sleep(500 * ms)
	for range 40 {
		for range 1 + random.IntN(8) {
			down.say(speech(media.FrameBytes * (1 + random.IntN(60))))
			time.Sleep(time.Duration(random.Int64N(int64(60 * ms))))
		}
		time.Sleep(time.Duration(random.Int64N(int64(2 * time.Second))))
		before, _ := down.position()
		down.hush()
		cleared := len(call.Clears())
		heard := s.Flush()
		if _, taken := down.position(); heard < before || heard > taken {
			t.Errorf("heard %d, reported %d, taken %d", heard, before, taken)
		}
		time.Sleep(500 * ms)
		if clears := call.Clears(); len(clears) > cleared { // else the turn had ended
			faults = append(faults, abs(media.Duration(heard-clears[cleared].Position)))
		}
	}
	if err := call.Hangup(t.Context(), media.CallerHungUp); err != nil {
		t.Error(err)
	}
	<-over
	<-ended
	noViolations(t, call)
	if len(faults) < 15 {
		t.Fatalf("only %d flushes to compare", len(faults))
	}
	slices.Sort(faults)
	t.Logf("%d interruptions: off by %v in the median, %v at most", len(faults), faults[len(faults)/2], faults[len(faults)-1])
	if got := faults[len(faults)-1]; got > worst {
		t.Errorf("off by %v, at most %v is allowed", got, worst)
	}
}

func TestConformanceHangUpByTheGateway(t *testing.T) {
	everyCarrier(t, func(t *testing.T, carrier mediastream.Carrier) {
		ended, streams := make(chan error, 1), make(chan *mediastream.Stream, 1)
		goodbye := speech(2*media.SampleRate + 80)
		down := newMouth(goodbye)
		g := serveCarrier(t, carrier, mediastream.Config{Handler: answer(&ear{}, down, streams, ended)})
		cfg := g.phoneOf(carrier)
		cfg.Record, cfg.Delay = true, 30*ms
		call, over := dial(t, cfg, &ear{}, newMouth())
		s := next(t, streams)
		for { // as a bridge waits for a farewell
			if heard, _ := down.position(); heard == int64(len(goodbye)) {
				break
			}
			time.Sleep(10 * ms)
		}
		began := time.Now()
		if err := s.Hangup(t.Context(), media.AgentHungUp); err != nil {
			t.Error(err)
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
		if pieces := call.Recording(); len(pieces) != 1 || !bytes.Equal(bytes.TrimRight(pieces[0].Audio, "\xFF"), goodbye) {
			t.Error("the goodbye was not heard whole")
		}
		noViolations(t, call)
	})
}

func TestConformanceCallsThatAreNotTaken(t *testing.T) {
	everyCarrier(t, func(t *testing.T, carrier mediastream.Carrier) {
		g := serveCarrier(t, carrier, mediastream.Config{
			Handler: func(ctx context.Context, s *mediastream.Stream) { _ = s.Hangup(ctx, media.Busy) },
		})
		call, err := mediastreamtest.Dial(t.Context(), g.phoneOf(carrier))
		switch {
		case !bornOnSocket(carrier):
			var refused *mediastreamtest.RejectedError
			if !errors.As(err, &refused) {
				t.Errorf("%v is no rejection", err)
			}
		case err != nil:
			t.Error(err)
		default:
			if err := call.Run(t.Context(), &ear{}, newMouth()); !errors.Is(err, media.CallerHungUp) {
				t.Error(err)
			}
		}
	})
}

func TestConformanceASentenceInsteadOfATone(t *testing.T) {
	everyCarrier(t, func(t *testing.T, carrier mediastream.Carrier) {
		if bornOnSocket(carrier) {
			return // which can say nothing
		}
		g := serveCarrier(t, carrier, mediastream.Config{
			Say:     func(media.Cause) string { return `All lines <busy> & "more".` },
			Handler: func(ctx context.Context, s *mediastream.Stream) { _ = s.Hangup(ctx, media.Busy) },
		})
		_, err := mediastreamtest.Dial(t.Context(), g.phoneOf(carrier))
		var refused *mediastreamtest.RejectedError
		if !errors.As(err, &refused) || refused.Said != `All lines <busy> & "more".` {
			t.Errorf("%v", err)
		}
	})
}

func TestConformanceStrangersAreNotServed(t *testing.T) {
	everyCarrier(t, func(t *testing.T, carrier mediastream.Carrier) {
		g := serveCarrier(t, carrier, mediastream.Config{
			Handler: func(context.Context, *mediastream.Stream) { t.Error("served") },
		})
		for _, secret := range []string{"", "Z3Vlc3M="} {
			cfg := g.phoneOf(carrier)
			cfg.AuthToken = secret
			call, err := mediastreamtest.Dial(t.Context(), cfg)
			if carrier == mediastream.Generic && err == nil { // which shows its secret late
				err = call.Run(t.Context(), &ear{}, newMouth())
				if !strings.Contains(err.Error(), "1008") {
					t.Errorf("secret %q: %v", secret, err)
				}
				continue
			}
			if !errors.Is(err, media.LegFailed) || !strings.Contains(err.Error(), "403") && !strings.Contains(err.Error(), "401") {
				t.Errorf("secret %q: %v", secret, err)
			}
		}
	})
}

// pressed returns the digits that have come.
func (e *ear) pressed() []media.Digit {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.digits)
}

func TestAnUnknownCarrierIsNamed(t *testing.T) {
	_, err := mediastream.NewHandler(mediastream.Config{
		Carrier: "acme", PublicURL: public, Handler: func(context.Context, *mediastream.Stream) {},
	})
	if want := fmt.Sprint(mediastream.Carriers()); err == nil || !strings.Contains(err.Error(), want) {
		t.Error(err)
	}
}
