package mediastream_test

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
)

// refusing is an API that answers with a status, and counts.
type refusing struct {
	status   int
	requests atomic.Int64
}

// count returns how many requests have come.
func (r *refusing) count() int { return int(r.requests.Load()) }

func (r *refusing) RoundTrip(*http.Request) (*http.Response, error) {
	if r.requests.Add(1); r.status == 0 {
		return nil, errors.New("not reached")
	}
	return &http.Response{StatusCode: r.status, Body: http.NoBody}, nil
}

// refusers are the clients of the carriers whose API takes a call elsewhere.
var refusers = map[mediastream.Carrier]func(t *testing.T, api *refusing) *mediastream.CarrierAPI{
	mediastream.Plivo: func(_ *testing.T, api *refusing) *mediastream.CarrierAPI {
		return mediastream.NewPlivoAPI(mediastream.CarrierAPIConfig{Account: "MA1", Secret: token, Transport: api})
	},
	mediastream.Vonage: func(t *testing.T, api *refusing) *mediastream.CarrierAPI { return newVonageAPI(t, api) },
	mediastream.Jambonz: func(_ *testing.T, api *refusing) *mediastream.CarrierAPI {
		return mediastream.NewJambonzAPI(mediastream.CarrierAPIConfig{Account: account, Secret: "KEY1", Transport: api})
	},
	mediastream.Telnyx: func(_ *testing.T, api *refusing) *mediastream.CarrierAPI {
		return mediastream.NewTelnyxAPI(mediastream.CarrierAPIConfig{Secret: "KEY1", Transport: api})
	},
}

func TestConformanceATransferThatIsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		api    *refusing // nil: there are no credentials
		target string
		want   string
		again  bool // it is asked for more than once
	}{
		"no credentials":    {nil, "+14155550199", "media_streams.", false},
		"no target":         {&refusing{status: 202}, "sales", "neither a number", false},
		"the call is gone":  {&refusing{status: 404}, "+14155550199", "the call has ended", false},
		"malformed":         {&refusing{status: 400}, "+14155550199", "status 400", false},
		"wrong credentials": {&refusing{status: 401}, "+14155550199", "status 401", false},
		"too many requests": {&refusing{status: 429}, "+14155550199", "status 429", true},
		"it is ill":         {&refusing{status: 503}, "+14155550199", "status 503", false},
		"a redirection":     {&refusing{status: 302}, "+14155550199", "status 302", false},
		"it is not reached": {&refusing{}, "+14155550199", "not reached", true},
	} {
		for carrier, client := range refusers {
			t.Run(name+"/"+string(carrier), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					streams, ended := make(chan *mediastream.Stream, 1), make(chan error, 1)
					cfg := mediastream.Config{Handler: answer(&ear{}, newMouth(), streams, ended)}
					api := &refusing{}
					if tt.api != nil {
						api.status = tt.api.status
						cfg.API = client(t, api)
					}
					call, over := dial(t, serveCarrier(t, carrier, cfg).phoneOf(carrier), &ear{}, newMouth())
					if err := next(t, streams).Transfer(t.Context(), tt.target); err == nil || !strings.Contains(err.Error(), tt.want) {
						t.Errorf("error %v", err)
					}
					if tt.api != nil && api.count() > 1 != tt.again {
						t.Errorf("asked %d times", api.count()) // the target would ring again
					}
					time.Sleep(5 * time.Second)
					select {
					case err := <-ended:
						t.Fatalf("the call has ended with %v", err)
					default:
					}
					_ = call.Hangup(t.Context(), nil)
					next(t, over)
					if err := next(t, ended); !errors.Is(err, media.CallerHungUp) {
						t.Errorf("ended with %v", err)
					}
				})
			})
		}
	}
}
