package mediastream_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

func TestWebhooksMustBeSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		metrics, reg := newMetrics(t)
		g := newGateway(t, mediastream.Config{Metrics: metrics, Handler: func(context.Context, *mediastream.Stream) {
			t.Error("a call arrived")
		}})
		form := callForm()
		sign := func(key, url string) func(*http.Request) {
			return func(r *http.Request) {
				r.Header.Set("X-Twilio-Signature", mediastream.Sign(key, url, form))
				r.Header.Set("X-Forwarded-Host", "evil.example")
				r.Header.Set("X-Forwarded-Proto", "https")
			}
		}
		for name, edit := range map[string]func(*http.Request){
			"unsigned":                       func(*http.Request) {},
			"another token":                  sign("guess", public+"/twilio/voice"),
			"the URL we are reached by":      sign(token, "http://gateway.test/twilio/voice"),
			"the URL that headers speak of":  sign(token, "https://evil.example/twilio/voice"),
			"the path with a trailing slash": sign(token, public+"/twilio/voice/"),
		} {
			for _, path := range []string{"/twilio/voice", "/twilio/status"} {
				if status, _ := g.post(t, path, form, edit); status != http.StatusForbidden {
					t.Errorf("%s, %s: %d", path, name, status)
				}
			}
		}
		form.Set("AccountSid", "AC1")
		if status, _ := g.ring(t, form); status != http.StatusForbidden {
			t.Errorf("another account: %d", status)
		}
		form = url.Values{"AccountSid": {account}}
		if status, _ := g.ring(t, form); status != http.StatusBadRequest {
			t.Errorf("no call: %d", status)
		}
		for reason, want := range map[string]float64{"signature": 10, "account": 1, "bad_request": 1} {
			if n := counted(t, reg, "callgw_mediastream_rejected_total", reason); n != want {
				t.Errorf("%s: %v counted, want %v", reason, n, want)
			}
		}
	})
}

func TestWebhooksMustComeInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, mediastream.Config{Handler: func(context.Context, *mediastream.Stream) {
			t.Error("a call arrived")
		}})
		for _, path := range []string{"/twilio/voice", "/twilio/status"} {
			conn, err := g.net.DialContext(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			began := time.Now()
			if _, err := io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: x\r\n"+
				"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\na"); err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(conn)
			if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
				t.Errorf("%s: %q, %v", path, answer, err)
			}
			if took := time.Since(began); took < 5*time.Second || took > 6*time.Second {
				t.Errorf("%s: the connection was held for %v", path, took)
			}
		}
	})
}

func TestWebhooksMayBeHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, mediastream.Config{AnswerTimeout: 15 * time.Second, Handler: func(ctx context.Context, s *mediastream.Stream) {
			time.Sleep(12 * time.Second)
			_ = s.Hangup(ctx, media.Rejected)
		}})
		if status, body := g.ring(t, callForm()); status != http.StatusOK || !strings.Contains(body, `<Reject reason="rejected"/>`) {
			t.Errorf("%d %s", status, body)
		}
	})
}

func TestWebhooksByGetAreSignedOverTheirURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, mediastream.Config{Handler: func(ctx context.Context, s *mediastream.Stream) {
			_ = s.Hangup(ctx, fmt.Errorf("from %s: %w", s.From(), media.Rejected))
		}})
		target := "/twilio/voice?" + callForm().Encode() + "&x=O'Hara"
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://gateway.test"+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Twilio-Signature", mediastream.Sign(token, public+target, nil))
		status, body := g.do(t, r)
		if status != http.StatusOK || !strings.Contains(body, `<Reject reason="rejected"/>`) {
			t.Errorf("%d %s", status, body)
		}
	})
}

func TestAStreamTellsOfItsWebhook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		form := callForm()
		form.Set("SipHeader_X-Customer", "42")
		form.Set("StirVerstat", "TN-Validation-Passed-A")
		g := newGateway(t, mediastream.Config{Handler: func(ctx context.Context, s *mediastream.Stream) {
			if err := s.Ring(ctx); err != nil {
				t.Error(err)
			}
			got := []any{s.CallSID(), s.From(), s.To(), s.Trunk(), s.Codec(), s.Headers(), s.Params()}
			want := []any{
				callSID, "+14155550100", "+14155550123", "", media.PCMU,
				map[string]string{"X-Customer": "42"},
				maps.Clone(form),
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		}})
		// Left to itself, the call is refused.
		if _, body := g.ring(t, form); !strings.Contains(body, `<Reject reason="busy"/>`) {
			t.Errorf("body %s", body)
		}
	})
}

func TestCallsThatAreNotAnswered(t *testing.T) {
	for name, tt := range map[string]struct {
		handler func(ctx context.Context, s *mediastream.Stream) error
		say     string
		want    string
		took    time.Duration
	}{
		"busy": {
			handler: func(ctx context.Context, s *mediastream.Stream) error { return s.Hangup(ctx, media.Busy) },
			want:    `<Response><Reject reason="busy"/></Response>`,
		},
		"no provider": {
			handler: func(ctx context.Context, s *mediastream.Stream) error {
				return s.Hangup(ctx, media.ProviderRefused)
			},
			want: `<Response><Reject reason="busy"/></Response>`,
		},
		"no route, with a sentence": {
			handler: func(ctx context.Context, s *mediastream.Stream) error { return s.Hangup(ctx, media.NoRoute) },
			say:     "This number is not in service.",
			want:    `<Response><Say>This number is not in service.</Say><Hangup/></Response>`,
		},
		"undecided": {
			handler: func(ctx context.Context, s *mediastream.Stream) error {
				if err := s.Run(ctx, &ear{}, newMouth()); !errors.Is(err, media.NoAnswer) {
					t.Errorf("run: %v", err)
				}
				if err := s.Answer(ctx); !errors.Is(err, media.NoAnswer) {
					t.Errorf("answer: %v", err)
				}
				return nil
			},
			want: `<Response><Reject reason="busy"/></Response>`,
			took: mediastream.DefaultAnswerTimeout,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, mediastream.Config{
					Say: func(media.Cause) string { return tt.say },
					Handler: func(ctx context.Context, s *mediastream.Stream) {
						if err := tt.handler(ctx, s); err != nil {
							t.Error(err)
						}
					},
				})
				began := time.Now()
				_, body := g.ring(t, callForm())
				if !strings.HasSuffix(strings.TrimSpace(body), tt.want) {
					t.Errorf("%s, want %s", body, tt.want)
				}
				if took := time.Since(began); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
			})
		})
	}
}

func TestACarrierThatGivesUpCancelsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		g := newGateway(t, mediastream.Config{Handler: func(ctx context.Context, s *mediastream.Stream) {
			ended <- s.Run(ctx, &ear{}, newMouth())
		}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := mediastreamtest.Dial(ctx, g.phone()); err == nil {
			t.Error("answered")
		}
		if err := <-ended; !errors.Is(err, media.CallerCancelled) {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestTheSameCallAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		metrics, reg := newMetrics(t)
		ended := make(chan error, 3)
		calls := 0
		g := newGateway(t, mediastream.Config{Metrics: metrics, Handler: func(ctx context.Context, s *mediastream.Stream) {
			if calls++; calls == 1 {
				ended <- s.Run(ctx, &ear{}, newMouth()) // rings for ever
				return
			}
			answer(&ear{}, newMouth(), nil, ended)(ctx, s)
		}})
		first := make(chan string)
		go func() {
			_, body := g.ring(t, callForm())
			first <- body
		}()
		synctest.Wait()
		ws := g.begin(t) // takes the place of the one that rings
		if body := <-first; !strings.Contains(body, "<Reject") {
			t.Errorf("the first was told %s", body)
		}
		if err := <-ended; !errors.Is(err, media.CallerCancelled) {
			t.Errorf("the first ended with %v", err)
		}
		if _, body := g.ring(t, callForm()); !strings.Contains(body, "<Reject") {
			t.Errorf("beside the running one: %s", body)
		}
		if n := counted(t, reg, "callgw_mediastream_rejected_total", "duplicate"); n != 1 {
			t.Errorf("%v counted", n)
		}
		send(t, ws, 1, `{"event":"stop","streamSid":"`+streamSID+`"}`)
		_ = closedWith(t, ws)
		if err := <-ended; !errors.Is(err, media.CallerHungUp) {
			t.Errorf("the second ended with %v", err)
		}
	})
}

func TestDraining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		g := newGateway(t, mediastream.Config{Handler: answer(&ear{}, newMouth(), nil, ended)})
		ws := g.begin(t)
		go func() { _ = closedWith(t, ws) }()
		g.Drain()
		g.Drain()
		other := callForm()
		other.Set("CallSid", "CA1")
		if _, body := g.ring(t, other); !strings.Contains(body, `<Reject reason="busy"/>`) {
			t.Errorf("a new call: %s", body)
		}
		time.Sleep(time.Minute)
		select {
		case err := <-ended:
			// Nothing was said for longer than the media timeout.
			if !errors.Is(err, media.MediaTimeout) {
				t.Errorf("the running call ended with %v", err)
			}
		default:
			t.Error("the running call goes on without a word from the carrier")
		}
	})
}

func TestMediaTimeoutCanBeOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		g := newGateway(t, mediastream.Config{MediaTimeout: -1, Handler: answer(&ear{}, newMouth(), nil, ended)})
		ws := g.begin(t)
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			_ = closedWith(t, ws)
		}()
		time.Sleep(time.Hour)
		select {
		case err := <-ended:
			t.Errorf("a silent call ended with %v", err)
		default:
		}
		send(t, ws, 1, `{"event":"stop","streamSid":"`+streamSID+`"}`)
		<-closed
		if err := <-ended; !errors.Is(err, media.CallerHungUp) {
			t.Errorf("the call ended with %v", err)
		}
	})
}

func TestStatusCallbacks(t *testing.T) {
	for name, tt := range map[string]struct {
		begin  bool
		fields url.Values
		want   error // how the call ends; nil: it goes on
	}{
		"ringing on":                 {false, url.Values{"CallStatus": {"ringing"}}, nil},
		"the caller gave up":         {false, url.Values{"CallStatus": {"no-answer"}, "SequenceNumber": {"2"}}, media.CallerCancelled},
		"the stream failed":          {false, url.Values{"StreamEvent": {"stream-error"}, "StreamError": {"31920"}}, media.LegFailed},
		"the stream began":           {true, url.Values{"StreamEvent": {"stream-started"}}, nil},
		"the call is over":           {true, url.Values{"CallStatus": {"completed"}, "SequenceNumber": {"3"}}, media.CallerHungUp},
		"a stream error in the call": {true, url.Values{"StreamEvent": {"stream-error"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan error, 1)
				events := make(chan mediastream.StatusEvent, 1)
				g := newGateway(t, mediastream.Config{
					Status: func(e mediastream.StatusEvent) { events <- e },
					Handler: func(ctx context.Context, s *mediastream.Stream) {
						if tt.begin {
							answer(&ear{}, newMouth(), nil, ended)(ctx, s)
							return
						}
						ended <- s.Run(ctx, &ear{}, newMouth())
					},
				})
				if tt.begin {
					ws := g.begin(t)
					go func() { _ = closedWith(t, ws) }()
				} else {
					cfg := g.phone()
					cfg.CallSID = callSID
					go func() { _, _ = mediastreamtest.Dial(t.Context(), cfg) }()
				}
				synctest.Wait()
				form := url.Values{"CallSid": {callSID}, "AccountSid": {account}}
				maps.Copy(form, tt.fields)
				status, _ := g.post(t, "/twilio/status", form, func(r *http.Request) {
					r.Header.Set("X-Twilio-Signature", mediastream.Sign(token, public+"/twilio/status", form))
				})
				if status != http.StatusNoContent {
					t.Errorf("status %d", status)
				}
				e := <-events
				sequence := -1
				if form.Has("SequenceNumber") {
					sequence = int(form.Get("SequenceNumber")[0] - '0')
				}
				want := mediastream.StatusEvent{
					CallSID: callSID, Status: form.Get("CallStatus"), Sequence: sequence,
					Stream: form.Get("StreamEvent"), Error: form.Get("StreamError"), Params: form,
				}
				if diff := cmp.Diff(want, e); diff != "" {
					t.Error(diff)
				}
				time.Sleep(time.Second)
				select {
				case err := <-ended:
					if tt.want == nil || !errors.Is(err, tt.want) {
						t.Errorf("ended with %v, want %v", err, tt.want)
					}
				default:
					if tt.want != nil {
						t.Error("goes on")
					}
				}
				g.stop()
			})
		})
	}
}

func TestConfigurations(t *testing.T) {
	handler := func(context.Context, *mediastream.Stream) {}
	for name, tt := range map[string]struct {
		cfg  mediastream.Config
		want []string // in the error; none: it is accepted
	}{
		"the least": {mediastream.Config{PublicURL: public + "/prefix/", Handler: handler}, nil},
		"empty":     {mediastream.Config{}, []string{"public URL", "no handler"}},
		"no scheme": {mediastream.Config{PublicURL: "voice.example.com", Handler: handler}, []string{"https://voice.example.com"}},
		"a query":   {mediastream.Config{PublicURL: public + "?a=b", Handler: handler}, []string{"public URL"}},
		"no token":  {mediastream.Config{PublicURL: public, Handler: handler, Validate: true, AuthTokens: []string{""}}, []string{"auth token"}},
		"bad times": {
			mediastream.Config{PublicURL: public, Handler: handler, Lead: time.Minute, TokenTTL: -1},
			[]string{"lead 1m0s", "token TTL"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := mediastream.NewHandler(tt.cfg)
			if (err == nil) != (len(tt.want) == 0) {
				t.Fatalf("error %v", err)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q lacks %q", err, part)
				}
			}
		})
	}
}
