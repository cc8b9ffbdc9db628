package mediastream_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

func TestHowCallsFail(t *testing.T) {
	for name, tt := range map[string]struct {
		agent  int // seconds of audio
		fail   func(call *mediastreamtest.Call)
		want   media.Cause
		within time.Duration
	}{
		"the connection is lost": {
			fail: (*mediastreamtest.Call).Crash,
			want: media.LegFailed, within: 100 * ms,
		},
		"the socket stalls while audio plays": {
			agent: 60, fail: (*mediastreamtest.Call).Stall,
			want: media.LegFailed, within: mediastream.DefaultWriteTimeout + time.Second,
		},
		"the socket stalls while nothing plays": {
			fail: (*mediastreamtest.Call).Stall,
			want: media.LegFailed, within: 10*time.Second + mediastream.DefaultWriteTimeout,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan error, 1)
				down := newMouth(speech(tt.agent * media.SampleRate))
				g := newGateway(t, mediastream.Config{Handler: answer(&ear{}, down, nil, ended)})
				call, err := mediastreamtest.Dial(t.Context(), g.phone())
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				over := make(chan error, 1)
				go func() { over <- call.Run(ctx, &ear{}, newMouth()) }()
				time.Sleep(2 * time.Second)
				failed := time.Now()
				tt.fail(call)
				if err := <-ended; !errors.Is(err, tt.want) {
					t.Errorf("ended with %v, want %v", err, tt.want)
				}
				if took := time.Since(failed); took > tt.within {
					t.Errorf("took %v", took)
				}
				cancel()
				if err := <-over; !errors.Is(err, media.LegFailed) {
					t.Errorf("phone: %v", err)
				}
			})
		})
	}
}

func TestAStalledSocketDoesNotHoldTheHangup(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, g *gateway, s *mediastream.Stream){
		"hang-up": func(t *testing.T, _ *gateway, s *mediastream.Stream) {
			if err := s.Hangup(t.Context(), media.Shutdown); err != nil {
				t.Error(err)
			}
		},
		"hang-up in less time than that takes": func(t *testing.T, _ *gateway, s *mediastream.Stream) {
			ctx, cancel := context.WithTimeout(t.Context(), 200*ms)
			defer cancel()
			if err := s.Hangup(ctx, media.Shutdown); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		},
		"context": func(_ *testing.T, g *gateway, _ *mediastream.Stream) { g.stop() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan error, 1)
				streams := make(chan *mediastream.Stream, 1)
				down := newMouth(speech(60 * media.SampleRate))
				g := newGateway(t, mediastream.Config{Handler: answer(&ear{}, down, streams, ended)})
				call, err := mediastreamtest.Dial(t.Context(), g.phone())
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				over := make(chan error, 1)
				go func() { over <- call.Run(ctx, &ear{}, newMouth()) }()
				s := <-streams
				call.Stall()
				time.Sleep(time.Second) // until the writer is stuck
				began := time.Now()
				end(t, g, s)
				if err := <-ended; !errors.Is(err, media.Shutdown) {
					t.Errorf("ended with %v", err)
				}
				if took := time.Since(began); took > time.Second {
					t.Errorf("took %v", took)
				}
				cancel()
				<-over
			})
		})
	}
}

func TestACallerClockThatStaysTrue(t *testing.T) {
	for name, edit := range map[string]func(cfg *mediastreamtest.Config){
		"whole":           func(*mediastreamtest.Config) {},
		"silence skipped": func(cfg *mediastreamtest.Config) { cfg.SkipSilence = true },
		"silence skipped, far away": func(cfg *mediastreamtest.Config) {
			cfg.SkipSilence, cfg.Delay, cfg.Jitter = true, 100*ms, 30*ms
		},
		"a tenth lost": func(cfg *mediastreamtest.Config) {
			cfg.Lose = func(n int) bool { return n%10 == 9 }
		},
		"two seconds lost": func(cfg *mediastreamtest.Config) {
			cfg.Lose = func(n int) bool { return 200 <= n && n < 300 }
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				// Speech and silence by turns, silence at last.
				var said []byte
				for range 5 {
					said = append(said, speech(3*media.SampleRate)...)
					quiet := make([]byte, 2*media.SampleRate)
					media.PCMU.FillSilence(quiet)
					said = append(said, quiet...)
				}
				up, ended := &ear{}, make(chan error, 1)
				g := newGateway(t, mediastream.Config{Handler: answer(up, newMouth(), nil, ended)})
				cfg := g.phone()
				edit(&cfg)
				began := time.Now()
				call, over := dial(t, cfg, &ear{}, newMouth(said))
				time.Sleep(30 * time.Second)
				got, elapsed := up.heard(), media.Bytes(time.Since(began))
				if behind := media.Duration(elapsed - int64(len(got))); abs(behind) > 100*ms+cfg.Delay+cfg.Jitter {
					t.Errorf("%v behind the clock after %v", behind, time.Since(began))
				}
				var latest time.Time
				for _, at := range up.arrivals() {
					if !latest.IsZero() && at.Sub(latest) > 150*ms {
						t.Errorf("nothing was heard for %v", at.Sub(latest))
					}
					latest = at
				}
				if cfg.Lose == nil {
					for i := range 5 {
						turn := said[i*5*media.SampleRate:][:3*media.SampleRate]
						if !strings.Contains(string(got), string(turn)) {
							t.Errorf("turn %d has not arrived whole", i)
						}
					}
				}
				_ = call.Hangup(t.Context(), nil)
				<-over
				<-ended
				noViolations(t, call)
			})
		})
	}
}

func TestDuplicatesAndExchangesPassInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up, ended := &ear{}, make(chan error, 1)
		g := newGateway(t, mediastream.Config{Handler: answer(up, newMouth(), nil, ended)})
		cfg := g.phone()
		cfg.Duplicate, cfg.Swap = 7, 11
		call, over := dial(t, cfg, &ear{}, newMouth(speech(20*media.SampleRate)))
		time.Sleep(20 * time.Second)
		call.Digit('7')
		call.Digit('#')
		time.Sleep(100 * ms)
		_ = call.Hangup(t.Context(), nil)
		<-over
		<-ended
		if len(up.digits) != 2 || up.digits[0] != '7' || up.digits[1] != '#' {
			t.Errorf("digits %v", up.digits)
		}
		if drift := media.Duration(int64(len(up.heard()))) - 20*time.Second; abs(drift) > 5*time.Second {
			t.Errorf("drifted %v", drift)
		}
	})
}

func TestHangupAtTheCarrier(t *testing.T) {
	for name, tt := range map[string]struct {
		works bool
		want  error
	}{"works": {true, nil}, "fails": {false, media.CallerHungUp}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan error, 1)
				streams := make(chan *mediastream.Stream, 1)
				var call *mediastreamtest.Call
				g := newGateway(t, mediastream.Config{
					HangUp: func(_ context.Context, sid string) error {
						if !tt.works {
							return errors.New("401")
						}
						if sid != call.CallSID() {
							t.Errorf("call %s", sid)
						}
						go func() { _ = call.Hangup(t.Context(), media.OperatorHungUp) }()
						return nil
					},
					Handler: answer(&ear{}, newMouth(), streams, ended),
				})
				var over <-chan error
				call, over = dial(t, g.phone(), &ear{}, newMouth())
				s := <-streams
				if err := s.Hangup(t.Context(), media.AgentHungUp); err != nil {
					t.Error(err)
				}
				if err := <-ended; !errors.Is(err, media.AgentHungUp) {
					t.Errorf("ended with %v", err)
				}
				want := media.CallerHungUp // the gateway closed the socket
				if tt.works {
					want = media.OperatorHungUp // the carrier stopped the stream
				}
				if err := <-over; !errors.Is(err, want) {
					t.Errorf("the phone ended with %v, want %v", err, want)
				}
			})
		})
	}
}

// TestManyCallsLeaveNothingBehind lets calls on real sockets end in every way
// at every stage; TestMain finds what they leave.
func TestManyCallsLeaveNothingBehind(t *testing.T) {
	handler, err := mediastream.NewHandler(mediastream.Config{
		PublicURL: "http://gateway.test", Validate: true, AuthTokens: []string{token},
		StartTimeout: time.Second, TokenTTL: time.Second, Log: zerolog.Nop(),
		Handler: func(ctx context.Context, s *mediastream.Stream) {
			random := rand.New(rand.NewPCG(uint64(len(s.From())), uint64(s.CallSID()[33])))
			ctx, cancel := context.WithTimeoutCause(ctx, 3*time.Second, fmt.Errorf("test: %w", media.DurationLimit))
			defer cancel()
			var running sync.WaitGroup
			running.Go(func() {
				if err := s.Run(ctx, &ear{}, newMouth(speech(20000))); err == nil {
					t.Error("run returned nil")
				}
			})
			defer running.Wait()
			switch random.IntN(4) {
			case 0:
				_ = s.Hangup(ctx, media.Busy)
				return
			case 1:
				cancel()
				return
			}
			if err := s.Answer(ctx); err != nil {
				_ = s.Hangup(ctx, err)
				return
			}
			<-time.After(time.Duration(random.Int64N(int64(300 * ms))))
			s.Flush()
			if random.IntN(2) == 0 {
				_ = s.Hangup(ctx, media.AgentHungUp)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	handler.Register(mux)
	server := httptest.NewServer(mux)
	ctx, cancel := context.WithCancelCause(context.Background())
	var running, phones sync.WaitGroup
	running.Go(func() { _ = handler.Run(ctx) })
	for i := range 100 {
		phones.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.Int64N(int64(800*ms))))
			defer cancel()
			call, err := mediastreamtest.Dial(ctx, mediastreamtest.Config{
				WebhookURL: server.URL + "/twilio/voice", PublicURL: "http://gateway.test",
				From: strings.Repeat("1", i), AuthToken: token, Seed: uint64(i + 1),
			})
			if err != nil {
				return
			}
			if random.IntN(4) == 0 {
				call.Crash()
			}
			_ = call.Run(ctx, &ear{}, newMouth(speech(4000)))
			for _, v := range call.Violations() {
				t.Error(v)
			}
		})
	}
	phones.Wait()
	cancel(media.Shutdown)
	running.Wait()
	server.Close()
}

func TestACarrierThatReturnsNoMarks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down, ended := newMouth(speech(5*media.SampleRate)), make(chan error, 1)
		metrics, reg := newMetrics(t)
		g := newGateway(t, mediastream.Config{Metrics: metrics, Handler: answer(&ear{}, down, nil, ended)})
		ws := g.begin(t)
		messages := make(chan int, 1)
		go func() {
			n := 0
			for {
				if _, _, err := ws.ReadMessage(); err != nil {
					messages <- n
					return
				}
				n++
			}
		}()
		time.Sleep(15 * time.Second)
		if heard, taken := down.position(); heard != 5*media.SampleRate || taken != heard {
			t.Errorf("heard %d of %d", heard, taken)
		}
		if n := counted(t, reg, "callgw_mediastream_faults_total", "lost_mark"); n != 50 {
			t.Errorf("%v lost marks counted", n)
		}
		_ = ws.Close()
		if err := <-ended; !errors.Is(err, media.LegFailed) {
			t.Errorf("ended with %v", err)
		}
		if n := <-messages; n < 100 {
			t.Errorf("%d messages", n)
		}
	})
}

func TestShutdownDoesNotWaitForSocketsThatHaveNotBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, mediastream.Config{Handler: func(context.Context, *mediastream.Stream) {}})
		ws := g.open(t)
		send(t, ws, websocket.TextMessage, connected)
		synctest.Wait()
		began := time.Now()
		g.stop()
		if took := time.Since(began); took > time.Second {
			t.Errorf("took %v", took)
		}
		if _, _, err := ws.ReadMessage(); err == nil {
			t.Error("the socket is open")
		}
		_ = ws.Close()
	})
}
