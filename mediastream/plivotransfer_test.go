package mediastream_test

import (
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

func TestOnlyPlivoLearnsWhomToDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := serveCarrier(t, mediastream.Plivo, mediastream.Config{Handler: answer(&ear{}, newMouth(), nil, nil)})
		status, body := g.post(t, "/plivo/dial?target=%2B14155550199", url.Values{"CallUUID": {"1"}}, func(*http.Request) {})
		if status != http.StatusForbidden {
			t.Errorf("%d %s", status, body)
		}
	})
}

func TestATransferAtPlivoIsAskedForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		streams, ended := make(chan *mediastream.Stream, 1), make(chan error, 1)
		api := &mediastreamtest.PlivoAPI{ID: "MA1", Token: token}
		g := serveCarrier(t, mediastream.Plivo, mediastream.Config{
			Handler: answer(&ear{}, newMouth(), streams, ended),
			API:     mediastream.NewPlivoAPI(mediastream.CarrierAPIConfig{Account: "MA1", Secret: token, Transport: api}),
		})
		phone := g.phoneOf(mediastream.Plivo)
		phone.Plivo = api
		_, over := dial(t, phone, &ear{}, newMouth())
		s := next(t, streams)
		if err := s.Transfer(t.Context(), "+14155550199"); err != nil {
			t.Fatal(err)
		}
		if err := s.Hangup(t.Context(), media.AgentHungUp); err != nil {
			t.Error(err)
		}
		next(t, over)
		next(t, ended)
		api.Wait()
		if diff := cmp.Diff([]string{"transfer"}, api.Requests()); diff != "" {
			t.Error("the transferred call was not left alone", diff)
		}
	})
}
