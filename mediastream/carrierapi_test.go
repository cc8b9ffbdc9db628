package mediastream_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/callgw/callgw/mediastream"
)

func TestCallsAreHungUpAtTheCarrier(t *testing.T) {
	for name, tt := range map[string]struct {
		api     func(url string) *mediastream.CarrierAPI
		request string // method, path and credentials
		body    string // of the answer that the call is gone
		status  int
	}{
		"telnyx": {
			api: func(url string) *mediastream.CarrierAPI {
				return mediastream.NewTelnyxAPI(mediastream.CarrierAPIConfig{URL: url, Secret: "KEY1"})
			},
			request: "POST /v2/calls/v3:a%2Fb/actions/hangup Bearer KEY1",
			status:  422, body: `{"errors":[{"code":"90018","title":"Call has already ended"}]}`,
		},
		"plivo": {
			api: func(url string) *mediastream.CarrierAPI {
				return mediastream.NewPlivoAPI(mediastream.CarrierAPIConfig{URL: url, Account: "MA1", Secret: "secret"})
			},
			request: "DELETE /v1/Account/MA1/Call/v3:a%2Fb/ Basic TUExOnNlY3JldA==",
			status:  404, body: `{"error":"not found"}`,
		},
		"jambonz": {
			api: func(url string) *mediastream.CarrierAPI {
				return mediastream.NewJambonzAPI(mediastream.CarrierAPIConfig{URL: url + "/api/", Account: "A1", Secret: "KEY1"})
			},
			request: "PUT /api/v1/Accounts/A1/Calls/v3:a%2Fb Bearer KEY1",
			status:  404, body: "Not Found",
		},
	} {
		for answer, want := range map[int]bool{200: true, 204: true, 401: false, 400: false, tt.status: true} {
			t.Run(fmt.Sprint(name, answer), func(t *testing.T) {
				var got string
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					got = r.Method + " " + r.RequestURI + " " + r.Header.Get("Authorization")
					w.WriteHeader(answer)
					if answer == tt.status {
						fmt.Fprint(w, tt.body)
					}
				}))
				defer server.Close()
				api := tt.api(server.URL)
				defer api.CloseIdleConnections()
				err := api.HangUp(t.Context(), "v3:a/b")
				if (err == nil) != want || got != tt.request {
					t.Errorf("%q: %v", got, err)
				}
				if err != nil && strings.Contains(err.Error(), "KEY1") {
					t.Errorf("%v shows the key", err)
				}
			})
		}
	}
}

func TestAHangUpIsAskedForAgain(t *testing.T) {
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if requests++; requests < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	api := mediastream.NewTelnyxAPI(mediastream.CarrierAPIConfig{URL: server.URL, Secret: "KEY1"})
	defer api.CloseIdleConnections()
	if err := api.HangUp(t.Context(), "v3:1"); err != nil || requests != 3 {
		t.Errorf("%d requests, %v", requests, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	requests = -1000
	if err := api.HangUp(ctx, "v3:1"); err == nil || !strings.Contains(err.Error(), "503") {
		t.Error(err)
	}
}
