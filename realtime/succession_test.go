package realtime_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// stage is a set of providers without sockets, for tests in virtual time.
type stage struct {
	t       *testing.T
	list    []realtime.Provider
	servers map[string]pipeListener
}

func newStage(t *testing.T) *stage { return &stage{t: t, servers: map[string]pipeListener{}} }

// add lets a handler be the provider of a name; nil never answers.
func (s *stage) add(name string, h http.Handler) {
	s.list = append(s.list, realtime.Provider{Name: name, BaseURL: "ws://" + name + "/v1/realtime", Model: "test"})
	if h == nil {
		return
	}
	conns := make(pipeListener)
	s.servers[name+":80"] = conns
	srv := &http.Server{Handler: h}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(conns)
	}()
	s.t.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
}

func (s *stage) server(name string, cfg realtimetest.Config) *realtimetest.Server {
	if cfg.Pace == nil {
		cfg.Pace = &realtimetest.Pace{}
	}
	srv := realtimetest.New(cfg)
	s.t.Cleanup(srv.Close)
	s.add(name, srv)
	return srv
}

func (s *stage) dial(ctx context.Context, _, address string) (net.Conn, error) {
	conns, ok := s.servers[address]
	if !ok {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	ours, theirs := net.Pipe()
	select {
	case conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// succession returns the session's own events, in short.
func succession(r *recorder) (list []string) {
	for {
		select {
		case e := <-r.events:
			switch e := e.(type) {
			case realtime.SessionOpened:
				list = append(list, "opened "+e.Provider)
			case realtime.ProviderRefused:
				list = append(list, "refused "+e.Provider)
			case realtime.SessionLost:
				list = append(list, "lost "+e.Provider)
			case realtime.SessionRestored:
				list = append(list, "restored "+e.Provider)
			case realtime.SessionRecycled:
				list = append(list, "recycled "+e.Provider)
			}
		default:
			return list
		}
	}
}

func refusing(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
}

func TestProvidersAreTriedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.add("busy", refusing(503))
		s.add("silent", nil)
		s.server("keyed", realtimetest.Config{Key: "right"})
		s.server("willing", realtimetest.Config{})
		heard := record()
		session := newSession(t, realtime.Config{Providers: s.list, Properties: ulaw, Handler: heard, Dial: s.dial})
		began := time.Now()
		if err := session.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("took %v, want the ConnectTimeout of one", took)
		}
		want := []string{"refused busy", "refused silent", "refused keyed", "opened willing"}
		if diff := cmp.Diff(want, succession(heard)); diff != "" {
			t.Error(diff)
		}
		if got := session.Provider(); got != "willing" {
			t.Errorf("provider = %q", got)
		}
		session.Close()
	})
}

func TestALossAndWhoTakesOver(t *testing.T) {
	fatal := func(code, kind string) realtimetest.Action {
		return realtimetest.SendError(&realtimetest.Error{Type: kind, Code: code, Message: "m"})
	}
	for _, c := range []struct {
		name   string
		end    realtimetest.Action
		second http.Handler // nil never answers, absent if alone
		alone  bool
		again  realtimetest.Fault // the first provider's next sessions
		want   []string           // events after the loss
		took   time.Duration      // at most
		fails  bool
	}{
		{name: "dropped", end: (*realtimetest.Session).Drop, alone: true, want: []string{"lost one", "restored one"}},
		{name: "closed politely", end: realtimetest.CloseWith(1000, ""), alone: true, want: []string{"lost one", "restored one"}},
		{name: "going away", end: realtimetest.CloseWith(1001, ""), alone: true, want: []string{"lost one", "restored one"}},
		{name: "expired", end: (*realtimetest.Session).Expire, alone: true, want: []string{"lost one", "restored one"}},
		{name: "expired without a close", end: fatal("session_expired", ""), alone: true, want: []string{"lost one", "restored one"}, took: 100 * time.Millisecond},
		{name: "no quota", end: fatal("insufficient_quota", "insufficient_quota"), want: []string{"lost one", "restored two"}, took: 100 * time.Millisecond},
		{name: "no quota and nobody else", end: fatal("insufficient_quota", "insufficient_quota"), alone: true, want: []string{"lost one"}, took: 100 * time.Millisecond, fails: true},
		{name: "a response fails for ever", end: func(s *realtimetest.Session) {
			s.SendFrame(websocket.TextMessage, []byte(`{"type":"response.done","response":{"id":"r","status":"failed","status_details":{"type":"failed","error":{"type":"insufficient_quota","code":"insufficient_quota"}}}}`))
		}, want: []string{"lost one", "restored two"}, took: 100 * time.Millisecond},
		{name: "the first refuses, the second takes over", end: (*realtimetest.Session).Drop, again: realtimetest.Fault{Refuse: 503}, want: []string{"lost one", "refused one", "restored two"}},
		{name: "the first hangs, the second takes over", end: (*realtimetest.Session).Drop, again: realtimetest.Fault{HandshakeDelay: time.Hour}, want: []string{"lost one", "refused one", "restored two"}, took: 1500 * time.Millisecond},
		{name: "it must not be asked again soon", end: (*realtimetest.Session).Drop, again: realtimetest.Fault{Refuse: 401}, alone: true, want: []string{"lost one", "refused one"}, fails: true},
		{name: "nobody answers", end: (*realtimetest.Session).Drop, again: realtimetest.Fault{HandshakeDelay: time.Hour}, alone: true, want: []string{"lost one", "refused one"}, took: 3 * time.Second, fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				one := s.server("one", realtimetest.Config{Fault: func(n int) realtimetest.Fault {
					if n == 0 {
						return realtimetest.Fault{}
					}
					return c.again
				}})
				if !c.alone {
					s.server("two", realtimetest.Config{})
				}
				heard := record()
				session := newSession(t, realtime.Config{Providers: s.list, Properties: ulaw, Handler: heard, Dial: s.dial, RepairTimeout: 3 * time.Second})
				if err := session.Open(t.Context()); err != nil {
					t.Fatal(err)
				}
				result := make(chan error, 1)
				go func() { result <- session.Run(t.Context()) }()
				synctest.Wait()
				succession(heard)
				began := time.Now()
				c.end(one.Sessions()[0])
				if c.fails {
					err := <-result
					var lost *realtime.LostError
					if !errors.As(err, &lost) {
						t.Errorf("Run = %v", err)
					}
					if took := time.Since(began); took > c.took+time.Millisecond {
						t.Errorf("given up after %v", took)
					}
				} else {
					time.Sleep(c.took)
					synctest.Wait()
				}
				if diff := cmp.Diff(c.want, succession(heard)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				session.Close()
				if !c.fails {
					if err := <-result; err != nil {
						t.Errorf("Run = %v", err)
					}
				}
			})
		})
	}
}

func TestAServerThatDropsEverySessionIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		one := s.server("one", realtimetest.Config{Fault: func(int) realtimetest.Fault {
			return realtimetest.Fault{Triggers: []realtimetest.Trigger{{On: "session.updated", Do: (*realtimetest.Session).Drop}}}
		}})
		session := newSession(t, realtime.Config{Providers: s.list, Properties: ulaw, Dial: s.dial, RepairTimeout: 3 * time.Second})
		if err := session.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var lost *realtime.LostError
		if err := session.Run(t.Context()); !errors.As(err, &lost) {
			t.Errorf("Run = %v", err)
		}
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("given up after %v", took)
		}
		if n := one.Handshakes(); n < 4 || n > 12 {
			t.Errorf("%d handshakes", n)
		}
	})
}

func TestAProviderIsLeftAloneAsLongAsItWants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		asked := make(chan time.Time, 10)
		one := realtimetest.New(realtimetest.Config{})
		t.Cleanup(one.Close)
		s.add("one", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if asked <- time.Now(); len(asked) == 2 {
				w.Header().Set("Retry-After", "2")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			one.ServeHTTP(w, r)
		}))
		heard := record()
		session := newSession(t, realtime.Config{Providers: s.list, Properties: ulaw, Handler: heard, Dial: s.dial, RepairTimeout: 5 * time.Second})
		if err := session.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		result := make(chan error, 1)
		go func() { result <- session.Run(t.Context()) }()
		synctest.Wait()
		one.Sessions()[0].Drop()
		time.Sleep(4 * time.Second)
		if len(asked) != 3 {
			t.Fatalf("asked %d times", len(asked))
		}
		first, second, third := <-asked, <-asked, <-asked
		if pause := third.Sub(second); second != first || pause < 2*time.Second || pause > 3*time.Second {
			t.Errorf("asked after %v and %v", second.Sub(first), pause)
		}
		session.Close()
		<-result
	})
}

func TestCloseEndsARepair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		one := s.server("one", realtimetest.Config{Fault: func(n int) realtimetest.Fault {
			return realtimetest.Fault{HandshakeDelay: time.Duration(n) * time.Hour}
		}})
		session := newSession(t, realtime.Config{Providers: s.list, Properties: ulaw, Dial: s.dial, RepairTimeout: time.Minute})
		if err := session.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		result := make(chan error, 1)
		go func() { result <- session.Run(t.Context()) }()
		one.Sessions()[0].Drop()
		time.Sleep(time.Second)
		began := time.Now()
		session.Close()
		if err := <-result; err != nil || time.Since(began) != 0 {
			t.Errorf("Run = %v after %v", err, time.Since(began))
		}
	})
}

func TestRetrievalSurvivesALoss(t *testing.T) {
	server, provider := model(t, realtimetest.Config{Fault: func(n int) realtimetest.Fault {
		if n > 0 {
			return realtimetest.Fault{}
		}
		return realtimetest.Fault{Triggers: []realtimetest.Trigger{{On: "conversation.item.retrieve", Do: (*realtimetest.Session).Drop}}}
	}})
	p := dialUp(t, server, realtime.Config{Providers: []realtime.Provider{provider}})
	item := realtime.Message("user", "Keep this.")
	item.ID = "keep"
	p.must(p.CreateItem(item))
	// The server drops the connection amid its own events: the item may not have
	// been told of.
	got, err := p.Retrieve(t.Context(), "keep")
	if err != nil || got.ID != "keep" || got.Content[0].Text != "Keep this." {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestTheProfilesAsData(t *testing.T) {
	for _, c := range []struct {
		profile realtime.Profile
		session string // of the first session.update
		header  map[string]string
		without []string // requests that are not sent
	}{
		{
			"", `{"type":"realtime","instructions":"A.","audio":{"input":{"format":{"type":"audio/pcmu"},"turn_detection":{"type":"server_vad","threshold":0.5,"silence_duration_ms":500}},"output":{"format":{"type":"audio/pcmu"},"voice":"x"}}}`,
			map[string]string{"Authorization": "Bearer k", "Openai-Beta": ""},
			nil,
		},
		{
			realtime.ProfileAzure, `{"type":"realtime","instructions":"A.","audio":{"input":{"format":{"type":"audio/pcmu"},"turn_detection":{"type":"server_vad","threshold":0.5,"silence_duration_ms":500}},"output":{"format":{"type":"audio/pcmu"},"voice":"x"}}}`,
			map[string]string{"Api-Key": "k", "Authorization": ""},
			nil,
		},
		{
			realtime.ProfileXAI, `{"instructions":"A.","voice":"x","turn_detection":{"type":"server_vad","threshold":0.5,"silence_duration_ms":500},"audio":{"input":{"format":{"type":"audio/pcmu"}},"output":{"format":{"type":"audio/pcmu"}}}}`,
			map[string]string{"Authorization": "Bearer k"},
			[]string{"conversation.item.truncate", "conversation.item.retrieve"},
		},
		{
			realtime.ProfileBeta, `{"instructions":"A.","voice":"x","turn_detection":{"type":"server_vad","threshold":0.5,"silence_duration_ms":500},"input_audio_format":"g711_ulaw","output_audio_format":"g711_ulaw"}`,
			map[string]string{"Authorization": "Bearer k", "Openai-Beta": "realtime=v1"},
			nil,
		},
	} {
		t.Run("profile "+string(c.profile), func(t *testing.T) {
			head, sent := make(chan http.Header, 1), make(chan message, 10)
			provider := serve(t, func(p *peer) {
				head <- p.head
				sent <- p.open()
				for {
					m, ok := p.next()
					if !ok {
						return
					}
					sent <- m
				}
			})
			provider.Profile, provider.APIKey = c.profile, "k"
			properties := ulaw
			properties.Instructions, properties.Voice = "A.", "x"
			properties.TurnDetection = &realtime.TurnDetection{Threshold: new(0.5)}
			s, _ := start(t, realtime.Config{Providers: []realtime.Provider{provider}, Properties: properties})
			h := receive(t, head)
			for name, want := range c.header {
				if got := h.Get(name); got != want {
					t.Errorf("%s = %q, want %q", name, got, want)
				}
			}
			if diff := cmp.Diff(parse(t, []byte(c.session)), parse(t, receive(t, sent).Session)); diff != "" {
				t.Errorf("session (-want +got):\n%s", diff)
			}
			if err := s.Truncate("i", 0, time.Second); err != nil {
				t.Error(err)
			}
			ctx, cancel := expired()
			defer cancel()
			if _, err := s.Retrieve(ctx, "i"); len(c.without) > 0 != errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("Retrieve = %v", err)
			}
			if err := s.Commit(); err != nil {
				t.Error(err)
			}
			var kinds []string
			for {
				m := receive(t, sent)
				if m.Type == "input_audio_buffer.commit" {
					break
				}
				kinds = append(kinds, m.Type)
			}
			want := []string{"conversation.item.truncate", "conversation.item.retrieve"}
			if len(c.without) > 0 {
				want = nil
			}
			if diff := cmp.Diff(want, kinds); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAConversationMovesToAnotherDialect(t *testing.T) {
	ga, first := model(t, realtimetest.Config{Voice: realtimetest.Tone(time.Second), Fault: func(n int) realtimetest.Fault {
		if n > 0 {
			return realtimetest.Fault{Refuse: 401}
		}
		return realtimetest.Fault{}
	}})
	beta, second := model(t, realtimetest.Config{Dialects: realtimetest.BetaOnly, Voice: realtimetest.Tone(time.Second)})
	second.Profile, second.Name = realtime.ProfileBeta, "second"
	p := dialUp(t, ga, realtime.Config{Providers: []realtime.Provider{first, second}})
	old := p.exchange()
	old.Drop()
	await[realtime.SessionLost](t, p.heard)
	p.must(p.CreateItem(realtime.Message("assistant", "While nobody listens."))) // first in GA's words
	if r := await[realtime.SessionRestored](t, p.heard); r.Provider != "second" {
		t.Errorf("restored = %+v", r)
	}
	now := beta.Sessions()[0]
	p.sameConversation(old, now)
	p.must(now.Wait(t.Context(), func() bool { return len(now.Items()) == 5 }))
	p.must(p.Respond(realtime.ResponseRequest{Instructions: "Go on.", Modalities: []string{"audio"}}))
	p.event(now, "response.done", 1)
	if v := now.Violations(); len(v) > 0 {
		t.Error(v)
	}
}

func TestOpenAIsWordsForAPause(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"Please try again in 1.2s. Visit":  1200 * time.Millisecond,
		"Please try again in 340ms.":       340 * time.Millisecond,
		"Please try again in 1.2.3s.":      0,
		"Please try again in a few hours.": 0,
		"":                                 0,
	} {
		if got := (realtime.ErrorDetail{Message: text}).RetryAfter(); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
