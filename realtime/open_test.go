package realtime_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/realtime"
)

func TestRefusalsAreToldApart(t *testing.T) {
	const created = `{"type":"session.created","session":{"id":"s"}}`
	closeWith := func(p *peer, code int, reason string) {
		_ = p.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(time.Second))
		p.drain()
	}
	for _, c := range []struct {
		name   string
		script func(*peer)
		want   error
		retry  bool
	}{
		{
			"a bad key: upgraded, then an error and 3000",
			func(p *peer) {
				p.send(`{"type":"error","error":{"type":"invalid_request_error","code":"invalid_api_key","message":"Incorrect API key","param":null,"event_id":null}}`)
				closeWith(p, 3000, "invalid_request_error.invalid_api_key")
			},
			&realtime.RefusedError{Detail: realtime.ErrorDetail{Type: "invalid_request_error", Code: "invalid_api_key", Message: "Incorrect API key"}},
			false,
		},
		{
			"closed with 4004 alone",
			func(p *peer) { closeWith(p, 4004, "invalid_request_error.model_not_found") },
			&realtime.RefusedError{
				Detail: realtime.ErrorDetail{Type: "invalid_request_error", Code: "model_not_found"},
				Close:  4004, Reason: "invalid_request_error.model_not_found",
			},
			false,
		},
		{
			"closed because the service restarts",
			func(p *peer) { closeWith(p, websocket.CloseServiceRestart, "be right back.") },
			&realtime.RefusedError{Close: 1012, Reason: "be right back."},
			true,
		},
		{
			"the first update is refused without saying which",
			func(p *peer) {
				p.send(created)
				p.expect("session.update")
				p.send(`{"type":"error","error":{"type":"invalid_request_error","code":"unknown_parameter","param":"session.x","message":"Unknown parameter"}}`)
				p.drain()
			},
			&realtime.RefusedError{Detail: realtime.ErrorDetail{Type: "invalid_request_error", Code: "unknown_parameter", Param: "session.x", Message: "Unknown parameter"}},
			false,
		},
		{
			"out of capacity",
			func(p *peer) {
				p.send(`{"type":"error","error":{"type":"server_error","code":"server_error","message":"busy"}}`)
				p.drain()
			},
			&realtime.RefusedError{Detail: realtime.ErrorDetail{Type: "server_error", Code: "server_error", Message: "busy"}},
			true,
		},
		{
			"another output format is echoed",
			func(p *peer) {
				p.send(created)
				p.expect("session.update")
				p.send(`{"type":"session.updated","session":{"audio":{"input":{"format":{"type":"audio/pcmu"}},"output":{"format":{"type":"audio/pcm","rate":24000}}}}}`)
				p.drain()
			},
			&realtime.FormatError{Direction: "output", Asked: "g711_ulaw", Echoed: "pcm16"},
			false,
		},
		{
			"the socket breaks before session.created",
			func(p *peer) { _ = p.ws.NetConn().Close() },
			&realtime.LostError{},
			true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSession(t, realtime.Config{Providers: providers(t, c.script), Properties: ulaw})
			err := s.Open(t.Context())
			if diff := cmp.Diff(c.want, err, cmpopts.IgnoreFields(realtime.LostError{}, "Err")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := realtime.Retryable(err); got != c.retry {
				t.Errorf("retryable = %v", got)
			}
			if err := s.Run(t.Context()); !errors.Is(err, realtime.ErrNotOpen) {
				t.Errorf("Run = %v", err)
			}
		})
	}
}

func TestARefusalInHTTP(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Api-Key") != "secret" || r.Header.Get("Authorization") != "" || r.Header.Get("X-More") != "1" {
			t.Errorf("headers = %v", r.Header)
		}
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte(`{"error":{"code":"rate_limit_exceeded","message":"slow down"}}`))
	}))
	defer srv.Close()
	s := newSession(t, realtime.Config{Providers: []realtime.Provider{{
		BaseURL: "ws" + strings.TrimPrefix(srv.URL, "http") + "/?key=hidden", APIKey: "secret", AuthHeader: "api-key",
		Header: http.Header{"X-More": {"1"}},
	}}})
	err := s.Open(t.Context())
	want := &realtime.HandshakeError{
		Host: strings.TrimPrefix(srv.URL, "http://"), Status: 429,
		Code: "rate_limit_exceeded", Message: "slow down", RetryAfter: 7 * time.Second,
	}
	if diff := cmp.Diff(error(want), err); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !realtime.Retryable(err) {
		t.Error("429 is not retryable")
	}
	if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "hidden") {
		t.Errorf("%v tells a secret", err)
	}
}

func TestNobodyListens(t *testing.T) {
	srv := httptest.NewServer(nil)
	addr := srv.Listener.Addr().String()
	srv.Close()
	s := newSession(t, realtime.Config{Providers: []realtime.Provider{{BaseURL: "ws://" + addr}}})
	err := s.Open(t.Context())
	var connect *realtime.ConnectError
	if !errors.As(err, &connect) || connect.Host != addr || !realtime.Retryable(err) {
		t.Errorf("err = %v", err)
	}
}

func TestTheHandshakeOfEachDialect(t *testing.T) {
	for dialect, beta := range map[realtime.Dialect]string{realtime.GA: "", realtime.Beta: "realtime=v1"} {
		seen := make(chan *peer, 1)
		provider := serve(t, func(p *peer) {
			seen <- p
			p.open()
			p.drain()
		})
		provider.Dialect, provider.APIKey, provider.Model = dialect, "key", "gpt-realtime-2.1"
		start(t, realtime.Config{Providers: []realtime.Provider{provider}, Properties: ulaw})
		p := receive(t, seen)
		if got := p.head.Get("OpenAI-Beta"); got != beta {
			t.Errorf("%s: OpenAI-Beta = %q", dialect, got)
		}
		if got := p.head.Get("Authorization"); got != "Bearer key" {
			t.Errorf("%s: Authorization = %q", dialect, got)
		}
		if p.url != "/v1/realtime?model=gpt-realtime-2.1" {
			t.Errorf("%s: URL = %s", dialect, p.url)
		}
		if got := p.head.Get("Sec-Websocket-Extensions"); got != "" {
			t.Errorf("%s: offers %s", dialect, got)
		}
	}
}

func TestASessionOverTLS(t *testing.T) {
	var scripts sync.WaitGroup
	srv := httptest.NewUnstartedServer(upgrade(t, &scripts, func(p *peer) { p.open(); p.drain() }))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer scripts.Wait()
	defer srv.Close()
	provider := realtime.Provider{BaseURL: "wss" + strings.TrimPrefix(srv.URL, "https")}
	s := newSession(t, realtime.Config{Providers: []realtime.Provider{provider}, Properties: ulaw})
	var connect *realtime.ConnectError
	if err := s.Open(t.Context()); !errors.As(err, &connect) {
		t.Errorf("an unknown authority: %v", err)
	}
	s, result := start(t, realtime.Config{
		Providers: []realtime.Provider{provider}, Properties: ulaw, TLS: srv.Client().Transport.(*http.Transport).TLSClientConfig,
	})
	s.Close()
	if err := receive(t, result); err != nil {
		t.Errorf("Run = %v", err)
	}
}

func TestConnectTimeoutTellsWhatWasMissing(t *testing.T) {
	for _, c := range []struct {
		waiting string
		script  func(*peer)
	}{
		{"session.created", (*peer).drain},
		{"session.updated", func(p *peer) { p.send(`{"type":"session.created","session":{}}`); p.drain() }},
	} {
		t.Run(c.waiting, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				provider, dial := dialPipe(t, c.script)
				s := newSession(t, realtime.Config{Providers: []realtime.Provider{provider}, Dial: dial, Properties: ulaw})
				begin := time.Now()
				err := s.Open(t.Context())
				var timeout *realtime.TimeoutError
				if !errors.As(err, &timeout) || timeout.Waiting != c.waiting || !realtime.Retryable(err) {
					t.Errorf("err = %v", err)
				}
				if took := time.Since(begin); took != 10*time.Second {
					t.Errorf("took %v, want ConnectTimeout", took)
				}
			})
		})
	}
}

func TestWhatComesBeforeTheSessionIsBounded(t *testing.T) {
	const created = `{"type":"session.created","session":{}}`
	const limits = `{"type":"rate_limits.updated","rate_limits":[]}`
	const news = `{"type":"weather.changed"}`
	for _, c := range []struct {
		name   string
		script []string
		want   string // of the error
	}{
		{"many known events", slices.Repeat([]string{limits}, 65), "in place of session.created"},
		{"many unknown events", slices.Repeat([]string{news}, 65), "in place of session.created"},
		{"a big event", []string{`{"type":"weather.changed","x":"` + strings.Repeat("x", 1<<20) + `"}`}, "in place of session.created"},
		{
			"many events on both sides of session.created",
			slices.Concat(slices.Repeat([]string{news}, 40), []string{created}, slices.Repeat([]string{limits}, 25)),
			"in place of session.updated",
		},
		{"as many as may be", slices.Concat(slices.Repeat([]string{news}, 30), slices.Repeat([]string{limits}, 34)), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			handler := record()
			s := newSession(t, realtime.Config{Properties: ulaw, Handler: handler, Providers: providers(t, func(p *peer) {
				for _, msg := range c.script {
					p.send(msg)
				}
				if c.want == "" {
					p.open()
				}
				p.drain()
			})})
			err := s.Open(t.Context())
			if c.want != "" {
				if !errors.Is(err, realtime.ErrBabble) || !strings.HasSuffix(err.Error(), c.want) || !realtime.Retryable(err) {
					t.Errorf("Open = %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for range 34 {
				if e, ok := receive(t, handler.events).(realtime.RateLimitsUpdated); !ok {
					t.Errorf("the handler hears %+v", e)
				}
			}
			await[realtime.SessionCreated](t, handler)
		})
	}
}

func TestADialThatHangsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t, realtime.Config{
			Providers: []realtime.Provider{{BaseURL: "ws://pipe"}}, Dial: hang, ConnectTimeout: time.Minute,
		})
		var timeout *realtime.TimeoutError
		if err := s.Open(t.Context()); !errors.As(err, &timeout) || timeout.Waiting != "the connection" {
			t.Errorf("err = %v", err)
		}
	})
}

func TestOpenEndsWithItsContext(t *testing.T) {
	why := errors.New("caller hung up")
	synctest.Test(t, func(t *testing.T) {
		provider, dial := dialPipe(t, (*peer).drain)
		s := newSession(t, realtime.Config{Providers: []realtime.Provider{provider}, Dial: dial})
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		if err := s.Open(ctx); !errors.Is(err, why) {
			t.Errorf("err = %v", err)
		}
	})
}

func TestCloseWhileOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		provider, dial := dialPipe(t, (*peer).drain)
		s := newSession(t, realtime.Config{Providers: []realtime.Provider{provider}, Dial: dial})
		time.AfterFunc(time.Second, s.Close)
		if err := s.Open(t.Context()); !errors.Is(err, realtime.ErrClosed) {
			t.Errorf("Open = %v", err)
		}
		if err := s.Run(t.Context()); err != nil {
			t.Errorf("Run = %v", err)
		}
		if err := s.Open(t.Context()); !errors.Is(err, realtime.ErrClosed) {
			t.Errorf("Open again = %v", err)
		}
	})
}

func TestAFailedOpenMayBeTriedAgainWithoutLoss(t *testing.T) {
	heard := make(chan string, 1)
	attempts := make(chan struct{}, 1)
	provider := serve(t, func(p *peer) {
		select {
		case attempts <- struct{}{}:
			_ = p.ws.NetConn().Close()
			return
		default:
		}
		update := p.open()
		audio := p.expect("input_audio_buffer.append").audio(t)
		p.expect("input_audio_buffer.commit")
		heard <- string(update.Session) + string(audio)
		p.drain()
	})
	s := newSession(t, realtime.Config{Providers: []realtime.Provider{provider}})
	s.Append([]byte("hi"))
	if err := s.Open(t.Context()); !realtime.Retryable(err) {
		t.Fatalf("first Open = %v", err)
	}
	if err := s.Update(realtime.Properties{Instructions: "x"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	result := make(chan error, 1)
	go func() { result <- s.Run(t.Context()) }()
	if got := receive(t, heard); got != `{"instructions":"x","type":"realtime"}hi` {
		t.Errorf("server heard %q", got)
	}
	s.Close()
	receive(t, result)
}

func TestNewSessionTellsEveryFault(t *testing.T) {
	_, err := realtime.NewSession(realtime.Config{
		Providers:  []realtime.Provider{{BaseURL: "https://host/?key=hidden", Dialect: "gamma", Profile: "acme", APIKey: "a\nb", AuthHeader: "a b"}},
		Properties: realtime.Properties{Speed: new(9.0)},
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, option := range []string{"base_url", "dialect", "profile", "api_key", "auth_header", "speed", "handler"} {
		if !strings.Contains(err.Error(), "realtime: "+option+": ") {
			t.Errorf("nothing is said about %s: %v", option, err)
		}
	}
	if strings.Contains(err.Error(), "hidden") {
		t.Errorf("%v tells a secret", err)
	}
}
