package mediastream_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

// program serves a generic peer's call and returns its stream.
func program(t *testing.T, p *mediastreamtest.Program) (s *mediastream.Stream, call *mediastreamtest.Call, ended, over <-chan error) {
	t.Helper()
	streams, end := make(chan *mediastream.Stream, 1), make(chan error, 1)
	g := serveCarrier(t, mediastream.Generic, mediastream.Config{TransferTimeout: 10 * time.Second, Handler: answer(&ear{}, newMouth(), streams, end)})
	phone := g.phoneOf(mediastream.Generic)
	phone.Program = p
	call, over = dial(t, phone, &ear{}, newMouth())
	s = next(t, streams)
	synctest.Wait() // it runs
	return s, call, end, over
}

func TestAProgramSaysWhatItCanDo(t *testing.T) {
	for name, tt := range map[string]struct {
		program  *mediastreamtest.Program
		transfer bool
		requests []string
	}{
		"nothing":  {&mediastreamtest.Program{}, false, nil},
		"transfer": {&mediastreamtest.Program{Capabilities: []string{"transfer", "fly"}}, true, nil},
		"hang-up":  {&mediastreamtest.Program{Capabilities: []string{"hangup"}}, false, []string{"hangup"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, call, ended, over := program(t, tt.program)
				if s.CanTransfer() != tt.transfer {
					t.Error("it says otherwise")
				}
				if err := s.Transfer(t.Context(), "+14155550199"); !tt.transfer && (err == nil || !strings.Contains(err.Error(), "capabilities")) {
					t.Errorf("error %v", err)
				}
				_ = s.Hangup(t.Context(), media.AgentHungUp)
				next(t, ended)
				next(t, over)
				noViolations(t, call)
				if diff := cmp.Diff(tt.requests, tt.program.Requests()); diff != "" && !tt.transfer {
					t.Error(diff)
				}
			})
		})
	}
}

func TestAProgramsAnswerToAnEarlierQuestionMeansNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, call, ended, over := program(t, &mediastreamtest.Program{
			Capabilities: []string{"transfer"},
			Transfer:     func(mediastreamtest.Dialled) (string, time.Duration) { return `say "no"`, 5 * time.Second },
		})
		result := make(chan error, 1)
		go func() { result <- s.Transfer(t.Context(), "200") }()
		time.Sleep(time.Second)
		for _, text := range []string{`{"event":"transferred"}`, `{"event":"transferred","transfer":{"id":"0"}}`, `{"event":"transferred","transfer":{}}`} {
			call.Misspeak(websocket.TextMessage, []byte(text))
		}
		if err := next(t, result); err == nil || !strings.Contains(err.Error(), "nobody has taken the call there") {
			t.Errorf("error %v", err)
		}
		call.Misspeak(websocket.TextMessage, []byte(`{"event":"transferred","transfer":{"id":"1"}}`))
		time.Sleep(time.Second)
		select {
		case err := <-ended:
			t.Fatalf("the call has ended with %v", err)
		default:
		}
		_ = call.Hangup(t.Context(), nil)
		next(t, over)
		next(t, ended)
	})
}

func TestAProgramThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, call, ended, over := program(t, &mediastreamtest.Program{Capabilities: []string{"transfer"}, Transfer: func(mediastreamtest.Dialled) (string, time.Duration) {
			return "", -1
		}})
		began := time.Now()
		err := s.Transfer(t.Context(), "200")
		if d := time.Since(began); err == nil || !strings.Contains(err.Error(), "nobody has answered") || d != 15*time.Second {
			t.Errorf("after %v: %v", d, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = s.Hangup(ctx, media.AgentHungUp)
		_ = call.Hangup(t.Context(), nil)
		next(t, over)
		next(t, ended)
	})
}

func TestACallerWhoLeavesAProgramIsNotTransferred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, call, ended, over := program(t, &mediastreamtest.Program{
			Capabilities: []string{"transfer"},
			Transfer:     func(mediastreamtest.Dialled) (string, time.Duration) { return "", 5 * time.Second },
		})
		result := make(chan error, 1)
		go func() { result <- s.Transfer(t.Context(), "sip:sales@pbx.example.com") }()
		time.Sleep(time.Second)
		_ = call.Hangup(t.Context(), nil)
		next(t, over)
		if err := next(t, result); err == nil {
			t.Error("transferred")
		}
		if err := next(t, ended); !errors.Is(err, media.CallerHungUp) {
			t.Errorf("ended with %v", err)
		}
	})
}
