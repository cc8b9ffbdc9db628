package mediastream_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
)

// fetchTicket asks for a ticket; it is "" unless the status is 200.
func (g *gateway) fetchTicket(t *testing.T, secret string) (status int, ticket string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://gateway.test/generic/ticket", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	status, body := g.do(t, r)
	var answer struct{ Ticket string }
	if status == http.StatusOK {
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatal(err)
		}
	}
	return status, answer.Ticket
}

// startWith opens a socket and shows token in the start message.
func (g *gateway) startWith(t *testing.T, token string) *websocket.Conn {
	t.Helper()
	dialer := websocket.Dialer{NetDialContext: g.net.DialContext}
	ws, _, err := dialer.DialContext(t.Context(), "ws://gateway.test/generic/media", http.Header{"Origin": {"https://app.example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	send(t, ws, websocket.TextMessage, startOf(token))
	return ws
}

func startOf(token string) string {
	return `{"event":"start","start":{"streamSid":"1","customParameters":{"token":"` + token + `"},"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}}}`
}

func TestATicketLetsInOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		streams := make(chan *mediastream.Stream, 1)
		g := serveCarrier(t, mediastream.Generic, mediastream.Config{Handler: answer(&ear{}, newMouth(), streams, ended)})
		if status, _ := g.fetchTicket(t, "guess"); status != http.StatusUnauthorized {
			t.Errorf("a wrong secret gets %d", status)
		}
		status, ticket := g.fetchTicket(t, token)
		if status != http.StatusOK || ticket == "" || strings.Contains(ticket, token) {
			t.Fatalf("the secret gets %d, ticket %q", status, ticket)
		}
		ws := g.startWith(t, ticket)
		s := next(t, streams)
		if got := s.Params().Get("token"); got != "" {
			t.Errorf("the dialplan sees the ticket %q", got)
		}
		if code := closedWith(t, g.startWith(t, ticket)); code != websocket.ClosePolicyViolation {
			t.Errorf("a used ticket gets %d", code)
		}
		go func() { _ = s.Hangup(context.Background(), media.AgentHungUp) }()
		if code := closedWith(t, ws); code != websocket.CloseNormalClosure {
			t.Errorf("closed with %d", code)
		}
		<-ended
	})
}

// The close tells why, as a page has no other way to know; and it is not overtaken by
// the end of a connection on which audio is still coming.
func TestARefusedPeerIsToldWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := make(chan struct{})
		g := serveCarrier(t, mediastream.Generic, mediastream.Config{Handler: func(ctx context.Context, s *mediastream.Stream) {
			defer close(over)
			if err := s.Hangup(ctx, media.NoRoute); err != nil {
				t.Error(err)
			}
		}})
		ws := g.startWith(t, token)
		defer ws.Close()
		ws.SetCloseHandler(func(int, string) error { return nil })
		_, _, err := ws.ReadMessage()
		if closed := (*websocket.CloseError)(nil); !errors.As(err, &closed) || closed.Text != "no_route" {
			t.Errorf("the socket ends with %v", err)
		}
		time.Sleep(100 * time.Millisecond)
		send(t, ws, websocket.TextMessage, `{"event":"media","media":{"payload":"////"}}`)
		if err := ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1008, ""), time.Now().Add(time.Second)); err != nil {
			t.Errorf("the close is not waited for: %v", err)
		}
		<-over
	})
}

func TestTicketsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := serveCarrier(t, mediastream.Generic, mediastream.Config{Handler: func(context.Context, *mediastream.Stream) { t.Error("served") }})
		_, ticket := g.fetchTicket(t, token)
		for range 999 {
			if status, _ := g.fetchTicket(t, token); status != http.StatusOK {
				t.Fatalf("status %d", status)
			}
		}
		if status, _ := g.fetchTicket(t, token); status != http.StatusServiceUnavailable {
			t.Errorf("the 1001st ticket that waits gets %d", status)
		}
		time.Sleep(30 * time.Second)
		if code := closedWith(t, g.startWith(t, ticket)); code != websocket.ClosePolicyViolation {
			t.Errorf("an old ticket gets %d", code)
		}
		if status, _ := g.fetchTicket(t, token); status != http.StatusOK {
			t.Errorf("once they have expired, a new one gets %d", status)
		}
	})
}

func TestPagesOfOtherSitesAreRefusedWhereNoSecretIsAskedFor(t *testing.T) {
	const refused = http.StatusForbidden
	for _, c := range []struct {
		name, host, origin string
		refused            bool
	}{
		{"a program", "127.0.0.1:8080", "", false},
		{"the gateway's page", "127.0.0.1:8080", "http://127.0.0.1:8080", false},
		{"by another name for it", "localhost:8080", "http://LOCALHOST:8080", false},
		{"over IPv6", "[::1]:8080", "http://[::1]:8080", false},
		{"under the public URL, by a proxy", "127.0.0.1:8080", "https://voice.example.com", false},
		{"another site's", "127.0.0.1:8080", "https://evil.example", true},
		{"another port's", "127.0.0.1:8080", "http://127.0.0.1:3000", true},
		{"another site's whose name leads here", "evil.example:8080", "http://evil.example:8080", true},
		{"a page without a site", "127.0.0.1:8080", "null", true},
		{"no URL", "127.0.0.1:8080", "http://[", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			handler, err := mediastream.NewHandler(mediastream.Config{
				Carrier: mediastream.Generic, PublicURL: public,
				Handler: func(context.Context, *mediastream.Stream) { t.Error("served") },
			})
			if err != nil {
				t.Fatal(err)
			}
			mux := http.NewServeMux()
			handler.Register(mux)
			for _, request := range []string{"GET /generic/media", "POST /generic/ticket"} {
				method, path, _ := strings.Cut(request, " ")
				r := httptest.NewRequest(method, "http://"+c.host+path, nil)
				if c.origin != "" {
					r.Header.Set("Origin", c.origin)
				}
				w := httptest.NewRecorder()
				mux.ServeHTTP(w, r)
				if got := w.Code == refused; got != c.refused {
					t.Errorf("%s: status %d", request, w.Code)
				}
			}
		})
	}
}
