package mediastream_test

import (
	"context"
	"errors"
	"net/http"
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

func TestATransferEndsTheStream(t *testing.T) {
	for target, want := range map[string]mediastreamtest.Dialled{
		"+14155550199":       {Number: "+14155550199"},
		"tel:+14155550199":   {Number: "+14155550199"},
		"+1 (415) 555-01.99": {Number: "+14155550199"},
		"sip:sales@pbx.example.com:5061;transport=tls": {
			SIP:     "sip:sales@pbx.example.com:5061;transport=tls",
			Headers: url.Values{"X-Callgw-Call": {""}, "X-Callgw-From": {"+14155550100"}, "X-Customer": {"4 & 2"}},
		},
		"SIP:a@b?X-Reason=a%20%26%22b&x-customer=own": {
			SIP:     "sip:a@b",
			Headers: url.Values{"X-Callgw-Call": {""}, "X-Callgw-From": {"+14155550100"}, "x-customer": {"own"}, "X-Reason": {`a &"b`}},
		},
	} {
		t.Run(target, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				streams, ended := make(chan *mediastream.Stream, 1), make(chan error, 1)
				var got mediastreamtest.Dialled
				c := newCarrier(t, mediastreamtest.APIConfig{Transfer: func(d mediastreamtest.Dialled) (string, time.Duration) {
					got = d
					return "completed", time.Minute
				}}, mediastream.Config{TransferTimeout: 20 * time.Second, Handler: func(ctx context.Context, s *mediastream.Stream) {
					answer(&ear{}, newMouth(), streams, ended)(ctx, s)
					_ = s.Hangup(ctx, media.AgentHungUp) // as the bridge does at the end of every call
				}})
				phone := c.phone()
				phone.Params = url.Values{"SipHeader_X-Customer": {"4 & 2"}, "SipHeader_Bad": {"x"}}
				call, over := dial(t, phone, &ear{}, newMouth())
				s := next(t, streams)
				if err := s.Transfer(t.Context(), target); err != nil {
					t.Fatal(err)
				}
				if err := next(t, ended); !errors.Is(err, media.Transferred) {
					t.Errorf("ended with %v", err)
				}
				next(t, over)
				time.Sleep(30 * time.Second)
				if live := c.Live(); len(live) != 1 || live[0] != call.CallSID() {
					t.Errorf("the caller is no longer on the line: %v", live)
				}
				if err := c.Wait(t.Context()); err != nil {
					t.Error(err)
				}
				want.CallerID, want.Timeout = "+14155550100", 20*time.Second
				if want.Headers != nil {
					want.Headers.Set("X-Callgw-Call", call.CallSID())
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				if n := len(c.Requests()); n != 1 {
					t.Errorf("%d requests: the transferred call was not left alone", n)
				}
				if err := s.Transfer(t.Context(), target); err == nil {
					t.Error("transferred twice")
				}
			})
		})
	}
}

func TestTargetsThatAreNone(t *testing.T) {
	for _, target := range []string{
		"", "sales", "112", "14155550199", "+0123", "+1415555019912345", "+1<Number>", "tel:", "tel:sip:a@b",
		"sip:", "sip:pbx.example.com", "sip:a@", "sip:a b@c", "sip:a@b/c", "sip:a@b@c", "sip:a:secret@b", "sips:a@b", "http://a@b",
		"sip:a@b?Subject=x", "sip:a@b?X-A=%zz", "sip:a@b?X-A=" + strings.Repeat("x", 1100), "sip:a@b;<x>=y", "sip:a@b</Sip>",
		"sip:" + strings.Repeat("a", 65) + "@b", "+1415\n5550199\u0663",
	} {
		if twiml, err := mediastream.DialTwiML(target); err == nil {
			t.Errorf("%.40q: %s", target, twiml)
		}
	}
}

// FuzzTargets lets nothing through that the carrier would refuse.
func FuzzTargets(f *testing.F) {
	f.Add("+14155550199")
	f.Add("sip:sales@pbx.example.com:5061;transport=tls?X-A=b&X-C=%22")
	f.Add("sip:a@b?X-A=<&>'")
	f.Fuzz(func(t *testing.T, target string) {
		twiml, err := mediastream.DialTwiML(target)
		if err != nil {
			return
		}
		d, err := mediastreamtest.ReadDial(twiml)
		if err != nil {
			t.Fatalf("%q: %v: %s", target, err, twiml)
		}
		if (d.Number == "") == (d.SIP == "") {
			t.Fatalf("%q: %+v", target, d)
		}
	})
}

func TestATransferThatFailsComesBack(t *testing.T) {
	for name, tt := range map[string]struct {
		status string
		after  time.Duration
		want   string
	}{
		"busy":           {"busy", time.Second, "busy"},
		"failed at once": {"failed", 0, "failed"},
		"nobody answers": {"completed-not", time.Hour, "no-answer"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				streams, ended := make(chan *mediastream.Stream, 2), make(chan error, 2)
				back, heard := make(chan *mediastreamtest.Call, 1), &ear{}
				c := newCarrier(t, mediastreamtest.APIConfig{
					Transfer: func(mediastreamtest.Dialled) (string, time.Duration) { return tt.status, tt.after },
					Carry: func(ctx context.Context, c *mediastreamtest.Call) {
						back <- c
						_ = c.Run(ctx, heard, newMouth())
					},
				}, mediastream.Config{Handler: answer(&ear{}, newMouth(speech(media.SampleRate)), streams, ended)})
				call, over := dial(t, c.phone(), &ear{}, newMouth())
				first := next(t, streams)
				if err := first.Transfer(t.Context(), "+14155550199"); err != nil {
					t.Fatal(err)
				}
				next(t, over)
				next(t, ended)
				second := next(t, streams)
				if second == first || second.CallSID() != call.CallSID() || second.From() != "+14155550100" {
					t.Errorf("%s from %s", second.CallSID(), second.From())
				}
				got := []string{second.Params().Get(mediastream.ParamTransferResult), second.Params().Get(mediastream.ParamTransferTarget), second.Params().Get("target")}
				if diff := cmp.Diff([]string{tt.want, "+14155550199", ""}, got); diff != "" {
					t.Error(diff)
				}
				time.Sleep(2 * time.Second)
				if n := len(heard.heard()); n < media.SampleRate {
					t.Errorf("the caller hears %d bytes of the agent again", n)
				}
				if err := second.Hangup(t.Context(), media.AgentHungUp); err != nil {
					t.Error(err)
				}
				if err := next(t, ended); !errors.Is(err, media.AgentHungUp) {
					t.Errorf("ended with %v", err)
				}
				next(t, back)
				if err := c.Wait(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestAReturningCallIsNotRejected(t *testing.T) {
	for name, tt := range map[string]struct {
		fields url.Values
		say    string
		drain  bool
		want   string
	}{
		"refused":                      {url.Values{"DialCallStatus": {"busy"}}, "", false, "<Response><Hangup/></Response>"},
		"refused with a sentence":      {url.Values{"DialCallStatus": {"busy"}}, "Sorry.", false, "<Response><Say>Sorry.</Say><Hangup/></Response>"},
		"while draining":               {url.Values{"DialCallStatus": {"failed"}}, "", true, "<Response><Hangup/></Response>"},
		"after a completed transfer":   {url.Values{"DialCallStatus": {"completed"}}, "No.", false, "<Response><Hangup/></Response>"},
		"after the caller has hung up": {url.Values{"DialCallStatus": {"canceled"}, "CallStatus": {"completed"}}, "No.", false, "<Response><Hangup/></Response>"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, mediastream.Config{
					Say:     func(media.Cause) string { return tt.say },
					Handler: func(ctx context.Context, s *mediastream.Stream) { _ = s.Hangup(ctx, media.Busy) },
				})
				if tt.drain {
					g.Drain()
				}
				form := callForm()
				form.Set("CallStatus", "in-progress")
				for name, values := range tt.fields {
					form[name] = values
				}
				const path = "/twilio/after?target=%2B14155550199"
				status, body := g.post(t, path, form, func(r *http.Request) {
					r.Header.Set("X-Twilio-Signature", mediastream.Sign(token, public+path, form))
				})
				if status != http.StatusOK || !strings.HasSuffix(body, tt.want) {
					t.Errorf("%d %s", status, body)
				}
				if status, _ := g.post(t, path, form, func(*http.Request) {}); status != http.StatusForbidden {
					t.Errorf("unsigned: %d", status)
				}
			})
		})
	}
}

func TestTransfersThatAreRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		fault mediastreamtest.Fault
		ctx   time.Duration
		want  string // in the error; "": transferred
	}{
		"refused":                        {mediastreamtest.Fault{Status: 400}, 0, "status 400"},
		"ill":                            {mediastreamtest.Fault{Status: 503}, 0, "status 503"},
		"not reached":                    {mediastreamtest.Fault{Drop: true}, 0, "EOF"},
		"done, but the answer was lost":  {mediastreamtest.Fault{Drop: true, Late: true}, 0, ""},
		"done, but the answer is an ill": {mediastreamtest.Fault{Status: 500, Late: true}, 0, ""},
		"too many requests":              {mediastreamtest.Fault{Status: 429}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				streams, ended := make(chan *mediastream.Stream, 1), make(chan error, 1)
				c := newCarrier(t, mediastreamtest.APIConfig{Fault: func(n int) mediastreamtest.Fault {
					if n > 0 {
						return mediastreamtest.Fault{}
					}
					return tt.fault
				}}, mediastream.Config{Handler: answer(&ear{}, newMouth(), streams, ended)})
				call, over := dial(t, c.phone(), &ear{}, newMouth())
				s := next(t, streams)
				err := s.Transfer(t.Context(), "+14155550199")
				if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
					t.Fatalf("error %v, want %q", err, tt.want)
				}
				if err != nil {
					time.Sleep(5 * time.Second)
					select {
					case err := <-ended:
						t.Fatalf("the call has ended with %v", err)
					default:
					}
					_ = call.Hangup(t.Context(), nil)
				}
				next(t, over)
				want := media.Transferred
				if err != nil {
					want = media.CallerHungUp
				}
				if err := next(t, ended); !errors.Is(err, want) {
					t.Errorf("ended with %v, want %v", err, want)
				}
			})
		})
	}
}

func TestWithoutCredentialsThereIsNoControl(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		streams, ended := make(chan *mediastream.Stream, 1), make(chan error, 1)
		g := newGateway(t, mediastream.Config{Handler: answer(&ear{}, newMouth(), streams, ended)})
		call, over := dial(t, g.phone(), &ear{}, newMouth())
		if err := next(t, streams).Transfer(t.Context(), "+14155550199"); err == nil || !strings.Contains(err.Error(), "credentials") {
			t.Errorf("error %v", err)
		}
		if _, err := g.Call(t.Context(), mediastream.Outbound{To: "+1", From: "+2"}); err == nil || !strings.Contains(err.Error(), "credentials") {
			t.Errorf("error %v", err)
		}
		_ = call.Hangup(t.Context(), nil)
		next(t, over)
		next(t, ended)
	})
}
