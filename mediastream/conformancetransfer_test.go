package mediastream_test

import (
	"context"
	"errors"
	"maps"
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

// mover is a carrier that hands calls over.
type mover struct {
	phone mediastreamtest.Config
	wait  func() // until the carrier does nothing any more
	// back tells that a transfer that fails comes back as a new call; else it
	// fails at once and the call goes on.
	back bool
	// callerID is the number that the target sees, "" if the carrier chooses it.
	callerID string
	// header returns the name of an X- header as the target sees it. Nil: the
	// same.
	header func(name string) string
	// bare tells that the headers of an address do not get there.
	bare bool
	// refused is the result that a refusal comes back with. Default: failed.
	refused string
}

// The numbers of the calls.
const (
	caller = "+14155550100"
	called = "+14155550123"
)

// taking is what becomes of a transfer.
type taking struct {
	how   string // busy, refused, or "": somebody answers
	after time.Duration
}

// says returns how a carrier words it.
func (b taking) says(busy, refused, answered string) string {
	switch b.how {
	case "busy":
		return busy
	case "refused":
		return refused
	}
	return answered
}

// texml are calls of Telnyx whose application is TeXML's, not Call Control's.
const texml = mediastream.Telnyx + ", TeXML"

// movers serve a handler for each carrier that hands calls over; got is told
// whom it dials.
var movers = map[mediastream.Carrier]func(t *testing.T, cfg mediastream.Config, becomes taking, got func(mediastreamtest.Dialled)) mover{
	mediastream.Telnyx: func(t *testing.T, cfg mediastream.Config, becomes taking, got func(mediastreamtest.Dialled)) mover {
		_, api, phone := controlTelnyx(t, "KEY1", cfg)
		api.Transfer = func(d mediastreamtest.Dialled) (string, time.Duration) {
			got(d)
			return becomes.says("user_busy", "call_rejected", ""), becomes.after
		}
		return mover{phone: phone, wait: api.Wait}
	},
	mediastream.Twilio:     restMover(mediastream.Twilio),
	mediastream.SignalWire: restMover(mediastream.SignalWire),
	mediastream.Plivo: func(t *testing.T, cfg mediastream.Config, becomes taking, got func(mediastreamtest.Dialled)) mover {
		api := &mediastreamtest.PlivoAPI{ID: "MA1", Token: token, Transfer: func(d mediastreamtest.Dialled) (string, time.Duration) {
			got(d)
			return becomes.says("busy", "failed", answered(d, becomes)), becomes.after
		}}
		cfg.API = mediastream.NewPlivoAPI(mediastream.CarrierAPIConfig{Account: "MA1", Secret: token, Transport: api})
		phone := serveCarrier(t, mediastream.Plivo, cfg).phoneOf(mediastream.Plivo)
		phone.Plivo = api
		t.Cleanup(func() { noBreach(t, api) })
		return mover{
			phone: phone, wait: api.Wait, back: true, callerID: caller,
			header: func(name string) string { return "X-PH-" + strings.ReplaceAll(name[len("X-"):], "-", "") },
		}
	},
	mediastream.Vonage: func(t *testing.T, cfg mediastream.Config, becomes taking, got func(mediastreamtest.Dialled)) mover {
		api := vonageAPI(t)
		api.Transfer = func(d mediastreamtest.Dialled) (string, time.Duration) {
			got(d)
			return becomes.says("busy", "rejected", answered(d, becomes)), becomes.after
		}
		cfg.API = newVonageAPI(t, api)
		phone := serveCarrier(t, mediastream.Vonage, cfg).phoneOf(mediastream.Vonage)
		phone.Vonage = api
		return mover{phone: phone, wait: api.Wait, back: true, callerID: called, refused: "busy"}
	},
	mediastream.Asterisk: func(t *testing.T, cfg mediastream.Config, becomes taking, got func(mediastreamtest.Dialled)) mover {
		dialplan := &mediastreamtest.Dialplan{Ring: 20 * time.Second, Transfer: func(d mediastreamtest.Dialled) (string, time.Duration) {
			got(d)
			return becomes.says("BUSY", "CONGESTION", map[string]string{"completed": "ANSWER", "no-answer": "NOANSWER"}[answered(d, becomes)]), becomes.after
		}}
		t.Cleanup(func() { noBreach(t, dialplan) })
		phone := serveCarrier(t, mediastream.Asterisk, cfg).phoneOf(mediastream.Asterisk)
		phone.Dialplan = dialplan
		return mover{phone: phone, wait: dialplan.Wait, back: true, callerID: caller, bare: true}
	},
	mediastream.Generic: func(t *testing.T, cfg mediastream.Config, becomes taking, got func(mediastreamtest.Dialled)) mover {
		phone := serveCarrier(t, mediastream.Generic, cfg).phoneOf(mediastream.Generic)
		phone.Program = &mediastreamtest.Program{Capabilities: []string{"transfer"}, Transfer: func(d mediastreamtest.Dialled) (string, time.Duration) {
			got(d)
			return becomes.says("busy", "declined", ""), becomes.after
		}}
		return mover{phone: phone, wait: func() {}}
	},
	texml: func(t *testing.T, cfg mediastream.Config, becomes taking, got func(mediastreamtest.Dialled)) mover {
		api := &mediastreamtest.TeXMLAPI{Key: "KEY1", Transfer: func(d mediastreamtest.Dialled) (string, time.Duration) {
			got(d)
			return becomes.says("busy", "failed", answered(d, becomes)), becomes.after
		}}
		t.Cleanup(func() { noBreach(t, api) })
		cfg.API = mediastream.NewTelnyxAPI(mediastream.CarrierAPIConfig{Secret: "KEY1", Transport: api})
		phone := serveCarrier(t, mediastream.Telnyx, cfg).phoneOf(mediastream.Telnyx)
		phone.TeXML = api
		return mover{phone: phone, wait: api.Wait, back: true, callerID: called}
	},
	mediastream.Jambonz: func(t *testing.T, cfg mediastream.Config, becomes taking, got func(mediastreamtest.Dialled)) mover {
		api := &mediastreamtest.JambonzAPI{Account: account, Key: "KEY1", Transfer: func(d mediastreamtest.Dialled) (string, time.Duration) {
			got(d)
			return becomes.says("busy", "failed", answered(d, becomes)), becomes.after
		}}
		t.Cleanup(func() { noBreach(t, api) })
		cfg.API = mediastream.NewJambonzAPI(mediastream.CarrierAPIConfig{Account: account, Secret: "KEY1", Transport: api})
		phone := serveCarrier(t, mediastream.Jambonz, cfg).phoneOf(mediastream.Jambonz)
		phone.Jambonz = api
		return mover{phone: phone, wait: api.Wait, back: true, callerID: caller}
	},
}

// restMover serves a handler for a carrier whose REST API is Twilio's.
func restMover(carrier mediastream.Carrier) func(*testing.T, mediastream.Config, taking, func(mediastreamtest.Dialled)) mover {
	return func(t *testing.T, cfg mediastream.Config, becomes taking, got func(mediastreamtest.Dialled)) mover {
		network := newMemory()
		phone := (&gateway{net: network}).phoneOf(carrier)
		api := mediastreamtest.NewAPI(mediastreamtest.APIConfig{
			Key: apiKey, Secret: apiSecret, Calls: phone,
			Transfer: func(d mediastreamtest.Dialled) (string, time.Duration) {
				got(d)
				return becomes.says("busy", "failed", answered(d, becomes)), becomes.after
			},
		})
		t.Cleanup(func() {
			api.Close()
			noBreach(t, api)
		})
		cfg.REST = newREST(t, api, nil)
		serveCarrierOn(t, carrier, cfg, network)
		phone.API = api
		return mover{phone: phone, wait: func() { _ = api.Wait(t.Context()) }, back: true, callerID: caller}
	}
}

// noBreach reports what a carrier's API has found fault with.
func noBreach(t *testing.T, api interface{ Violations() []string }) {
	t.Helper()
	for _, v := range api.Violations() {
		t.Errorf("violation: %s", v)
	}
}

// answered returns how a dialling ends that nobody refuses.
func answered(d mediastreamtest.Dialled, becomes taking) string {
	if becomes.after > d.Timeout {
		return "no-answer"
	}
	return "completed"
}

// everyMover runs a test for each carrier that hands calls over.
func everyMover(t *testing.T, test func(t *testing.T, carrier mediastream.Carrier)) {
	t.Helper()
	for carrier := range movers {
		t.Run(string(carrier), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, carrier) })
		})
	}
}

func TestConformanceTransfer(t *testing.T) {
	for target, want := range map[string]mediastreamtest.Dialled{
		"+1 (415) 555-0199": {Number: "+14155550199"},
		"sip:sales@pbx.example.com?X-Reason=a%20b": {
			SIP:     "sip:sales@pbx.example.com",
			Headers: url.Values{"X-Callgw-From": {caller}, "X-Reason": {"a b"}},
		},
	} {
		t.Run(target, func(t *testing.T) {
			everyMover(t, func(t *testing.T, carrier mediastream.Carrier) {
				streams, ended := make(chan *mediastream.Stream, 1), make(chan error, 1)
				var got mediastreamtest.Dialled
				m := movers[carrier](t, mediastream.Config{TransferTimeout: 20 * time.Second, Handler: func(ctx context.Context, s *mediastream.Stream) {
					answer(&ear{}, newMouth(speech(30*media.SampleRate)), streams, ended)(ctx, s)
					_ = s.Hangup(ctx, media.AgentHungUp) // as the bridge does at the end of every call
				}}, taking{after: 8 * time.Second}, func(d mediastreamtest.Dialled) { got = d })
				call, over := dial(t, m.phone, &ear{}, newMouth(speech(30*media.SampleRate)))
				s := next(t, streams)
				time.Sleep(time.Second)
				if err := s.Transfer(t.Context(), target); err != nil {
					t.Fatal(err)
				}
				if err := next(t, ended); !errors.Is(err, media.Transferred) {
					t.Errorf("ended with %v", err)
				}
				if err := next(t, over); errors.Is(err, media.LegFailed) {
					t.Errorf("the phone ended with %v", err)
				}
				m.wait()
				noViolations(t, call)
				want := mediastreamtest.Dialled{Number: want.Number, SIP: want.SIP, Headers: maps.Clone(want.Headers), Timeout: 20 * time.Second}
				want.CallerID = m.callerID
				if m.bare {
					want.Headers = nil
				}
				if want.Headers != nil {
					want.Headers.Set("X-Callgw-Call", call.CallSID())
				}
				if m.header != nil {
					for name, values := range maps.Clone(want.Headers) {
						delete(want.Headers, name)
						want.Headers[m.header(name)] = values
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				if err := s.Transfer(t.Context(), target); err == nil {
					t.Error("transferred twice")
				}
			})
		})
	}
}

func TestConformanceATransferThatFails(t *testing.T) {
	for name, becomes := range map[string]taking{
		"busy":           {"busy", 2 * time.Second},
		"refused":        {"refused", time.Second},
		"nobody answers": {"", time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			everyMover(t, func(t *testing.T, carrier mediastream.Carrier) {
				streams, ended := make(chan *mediastream.Stream, 2), make(chan error, 2)
				heard := &ear{}
				m := movers[carrier](t, mediastream.Config{Handler: answer(heard, newMouth(), streams, ended)}, becomes, func(mediastreamtest.Dialled) {})
				call, over := dial(t, m.phone, &ear{}, newMouth(speech(60*media.SampleRate)))
				s := next(t, streams)
				err := s.Transfer(t.Context(), "+14155550199")
				if m.back != (err == nil) {
					t.Fatalf("error %v", err)
				}
				if m.back {
					next(t, ended)
					next(t, over)
					s = next(t, streams)
					want := becomes.says("busy", "failed", "no-answer")
					if becomes.how == "refused" && m.refused != "" {
						want = m.refused
					}
					if s.From() != caller || s.To() != called {
						t.Errorf("came back from %q to %q", s.From(), s.To())
					}
					if p := s.Params(); p.Get(mediastream.ParamTransferResult) != want || p.Get(mediastream.ParamTransferTarget) != "+14155550199" {
						t.Errorf("came back with %v", p)
					}
				}
				before := len(heard.heard())
				time.Sleep(2 * time.Second)
				if n := len(heard.heard()) - before; n < media.SampleRate {
					t.Errorf("the caller is heard for %d bytes", n)
				}
				if err := s.Hangup(t.Context(), media.AgentHungUp); err != nil {
					t.Error(err)
				}
				if err := next(t, ended); !errors.Is(err, media.AgentHungUp) {
					t.Errorf("ended with %v", err)
				}
				if !m.back {
					next(t, over)
				}
				m.wait()
				noViolations(t, call)
			})
		})
	}
}
