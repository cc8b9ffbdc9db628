package mediastream_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

func TestTransfersThatADialplanDoesNotTake(t *testing.T) {
	for name, tt := range map[string]struct {
		asks   bool
		target string
		want   string
	}{
		"it does not ask":  {false, "+14155550199", "transfer=${UNIQUEID}"},
		"no target":        {true, "", "nor an extension"},
		"two extensions":   {true, "200&201", "nor an extension"},
		"more than a name": {true, "200,1)", "nor an extension"},
		"two addresses":    {true, "sip:a&b@pbx.example.com", "characters"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				streams, ended := make(chan *mediastream.Stream, 1), make(chan error, 1)
				g := serveCarrier(t, mediastream.Asterisk, mediastream.Config{Handler: answer(&ear{}, newMouth(), streams, ended)})
				phone := g.phoneOf(mediastream.Asterisk)
				if tt.asks {
					phone.Dialplan = &mediastreamtest.Dialplan{}
				}
				call, over := dial(t, phone, &ear{}, newMouth())
				if err := next(t, streams).Transfer(t.Context(), tt.target); err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %v", err)
				}
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
		})
	}
}

func TestOnlyTheDialplanLearnsWhereACallGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		streams, ended := make(chan *mediastream.Stream, 1), make(chan error, 1)
		g := serveCarrier(t, mediastream.Asterisk, mediastream.Config{Handler: answer(&ear{}, newMouth(), streams, ended)})
		ask := func(secret, call string) (int, string) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://gateway.test/asterisk/next?call="+call, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.SetBasicAuth("asterisk", secret)
			return g.do(t, r)
		}
		phone := g.phoneOf(mediastream.Asterisk)
		phone.Params = map[string][]string{"transfer": {"17.1"}}
		_, over := dial(t, phone, &ear{}, newMouth())
		s := next(t, streams)
		if status, body := ask(token, "17.1"); status != http.StatusOK || body != "" {
			t.Errorf("before the transfer: %d %q", status, body)
		}
		if err := s.Transfer(t.Context(), "200"); err != nil {
			t.Fatal(err)
		}
		next(t, over)
		next(t, ended)
		for _, q := range []struct {
			secret, call string
			status       int
			body         string
		}{
			{"guess", "17.1", http.StatusUnauthorized, "wrong secret\n"},
			{token, "17.2", http.StatusOK, ""},
			{token, "17.1", http.StatusOK, "200"},
			{token, "17.1", http.StatusOK, ""},
		} {
			if status, body := ask(q.secret, q.call); status != q.status || body != q.body {
				t.Errorf("%+v: %d %q", q, status, body)
			}
		}
	})
}

func TestADialplanThatHasForgottenToAskIsToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		metrics, reg := newMetrics(t)
		streams, ended := make(chan *mediastream.Stream, 1), make(chan error, 1)
		g := serveCarrier(t, mediastream.Asterisk, mediastream.Config{Handler: answer(&ear{}, newMouth(), streams, ended), Metrics: metrics})
		phone := g.phoneOf(mediastream.Asterisk)
		phone.Params = map[string][]string{"transfer": {"17.1"}}
		_, over := dial(t, phone, &ear{}, newMouth())
		if err := next(t, streams).Transfer(t.Context(), "200"); err != nil {
			t.Fatal(err)
		}
		if err := next(t, ended); media.CauseOf(err) != media.Transferred {
			t.Errorf("ended with %v", err)
		}
		next(t, over)
		began := time.Now()
		g.stop() // which waits for it
		if d := time.Since(began); d > 11*time.Second {
			t.Errorf("waited for %v", d)
		}
		if n := counted(t, reg, "callgw_mediastream_faults_total", "departure"); n != 1 {
			t.Errorf("%v are counted", n)
		}
	})
}
