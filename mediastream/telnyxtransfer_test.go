package mediastream_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

// ringing begins a transfer whose target rings for 20 s.
func ringing(t *testing.T, ctx context.Context) (api *mediastreamtest.TelnyxAPI, call *mediastreamtest.Call, transferred, ended, over <-chan error) {
	t.Helper()
	streams, end, result := make(chan *mediastream.Stream, 1), make(chan error, 1), make(chan error, 1)
	_, api, phone := controlTelnyx(t, "KEY1", mediastream.Config{Handler: answer(&ear{}, newMouth(), streams, end)})
	api.Transfer = func(mediastreamtest.Dialled) (string, time.Duration) { return "", 20 * time.Second }
	call, over = dial(t, phone, &ear{}, newMouth())
	s := next(t, streams)
	go func() { result <- s.Transfer(ctx, "+14155550199") }()
	return api, call, result, end, over
}

func TestATargetThatIsNotWaitedForStopsRinging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		api, call, transferred, ended, over := ringing(t, ctx)
		if err := next(t, transferred); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		api.Wait()
		if diff := cmp.Diff([]string{"answer", "transfer", "hangup"}, api.Commands()); diff != "" {
			t.Error(diff)
		}
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

func TestACallerWhoHangsUpIsNotTransferred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, call, transferred, ended, over := ringing(t, t.Context())
		time.Sleep(5 * time.Second)
		_ = call.Hangup(t.Context(), nil)
		next(t, over)
		if err := next(t, transferred); err == nil {
			t.Error("transferred")
		}
		if err := next(t, ended); !errors.Is(err, media.CallerHungUp) {
			t.Errorf("ended with %v", err)
		}
		api.Wait()
	})
}

func TestTransfersThatTelnyxCannotDo(t *testing.T) {
	for name, tt := range map[string]struct {
		key    string
		target string
		want   string
	}{
		"no key":     {"", "+14155550199", "media_streams.telnyx.api_key"},
		"no account": {"TeXML", "+14155550199", "no AccountSid"},
		"no target":  {"control", "sales", "neither a number"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				streams, ended := make(chan *mediastream.Stream, 1), make(chan error, 1)
				cfg := mediastream.Config{Handler: answer(&ear{}, newMouth(), streams, ended)}
				var phone mediastreamtest.Config
				switch tt.key {
				case "control":
					_, _, phone = controlTelnyx(t, "KEY1", cfg)
				case "":
					phone = serveCarrier(t, mediastream.Telnyx, cfg).phoneOf(mediastream.Telnyx)
				default:
					cfg.API = mediastream.NewTelnyxAPI(mediastream.CarrierAPIConfig{Secret: "KEY1", Transport: &mediastreamtest.TeXMLAPI{}})
					phone = serveCarrier(t, mediastream.Telnyx, cfg).phoneOf(mediastream.Telnyx)
					phone.Params = map[string][]string{"AccountSid": {""}}
				}
				call, over := dial(t, phone, &ear{}, newMouth())
				if err := next(t, streams).Transfer(t.Context(), tt.target); err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %v", err)
				}
				_ = call.Hangup(t.Context(), nil)
				next(t, over)
				next(t, ended)
			})
		})
	}
}
