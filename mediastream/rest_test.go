package mediastream_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/mediastream"
)

// asked is a request as an API sees it.
type asked struct {
	Method, Path, User, Pass string
	Form                     url.Values
}

func TestWhatIsAskedOfTheAPI(t *testing.T) {
	const calls = "/2010-04-01/Accounts/" + account + "/Calls"
	const resource = `{"sid":"CA1","status":"in-progress","from":"+1","to":"+2","direction":"inbound","answered_by":null,"price":null}`
	for name, tt := range map[string]struct {
		do   func(ctx context.Context, r *mediastream.REST) error
		want asked
	}{
		"complete": {
			func(ctx context.Context, r *mediastream.REST) error { return r.Complete(ctx, "CA1") },
			asked{"POST", calls + "/CA1.json", apiKey, apiSecret, url.Values{"Status": {"completed"}}},
		},
		"update": {
			func(ctx context.Context, r *mediastream.REST) error { return r.Update(ctx, "CA1", "<Response/>") },
			asked{"POST", calls + "/CA1.json", apiKey, apiSecret, url.Values{"Twiml": {"<Response/>"}}},
		},
		"fetch": {
			func(ctx context.Context, r *mediastream.REST) error {
				call, err := r.Fetch(ctx, "CA1")
				if diff := cmp.Diff(mediastream.CallResource{SID: "CA1", Status: "in-progress", From: "+1", To: "+2", Direction: "inbound"}, call); diff != "" {
					return errors.New(diff)
				}
				return err
			},
			asked{"GET", calls + "/CA1.json", apiKey, apiSecret, url.Values{}},
		},
		"a call id that is none": {
			func(ctx context.Context, r *mediastream.REST) error { return r.Complete(ctx, "../x?y") },
			asked{"POST", calls + "/..%2Fx%3Fy.json", apiKey, apiSecret, url.Values{"Status": {"completed"}}},
		},
		"create, the least": {
			func(ctx context.Context, r *mediastream.REST) error {
				_, err := r.Create(ctx, mediastream.OutboundCall{To: "+1", From: "+2", TwiML: "<Response/>"})
				return err
			},
			asked{"POST", calls + ".json", apiKey, apiSecret, url.Values{"To": {"+1"}, "From": {"+2"}, "Twiml": {"<Response/>"}}},
		},
		"create, with everything": {
			func(ctx context.Context, r *mediastream.REST) error {
				_, err := r.Create(ctx, mediastream.OutboundCall{
					To: "+1", From: "+2", TwiML: "<Response/>", StatusURL: "https://gw/s?ref=1",
					RingTimeout: 1500 * ms, TimeLimit: time.Hour, AMD: mediastream.AMDAsyncMessageEnd,
					AMDTiming: mediastream.AMDTiming{Timeout: 20 * time.Second, SpeechThreshold: 2 * time.Second, SpeechEndThreshold: 900 * ms, SilenceTimeout: 4 * time.Second},
				})
				return err
			},
			asked{"POST", calls + ".json", apiKey, apiSecret, url.Values{
				"To": {"+1"}, "From": {"+2"}, "Twiml": {"<Response/>"}, "Timeout": {"2"}, "TimeLimit": {"3600"},
				"StatusCallback": {"https://gw/s?ref=1"}, "StatusCallbackMethod": {"POST"},
				"StatusCallbackEvent": {"initiated", "ringing", "answered", "completed"},
				"MachineDetection":    {"DetectMessageEnd"}, "AsyncAmd": {"true"},
				"AsyncAmdStatusCallback": {"https://gw/s?ref=1"}, "AsyncAmdStatusCallbackMethod": {"POST"},
				"MachineDetectionTimeout": {"20"}, "MachineDetectionSpeechThreshold": {"2000"},
				"MachineDetectionSpeechEndThreshold": {"900"}, "MachineDetectionSilenceTimeout": {"4000"},
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got asked
				rest := newREST(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					user, pass, _ := r.BasicAuth()
					body, _ := io.ReadAll(r.Body)
					form, err := url.ParseQuery(string(body))
					if err != nil {
						t.Error(err)
					}
					got = asked{r.Method, r.URL.EscapedPath(), user, pass, form}
					fmt.Fprint(w, resource)
				}), nil)
				if err := tt.do(t.Context(), rest); err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestWhichRequestsAreRepeated(t *testing.T) {
	complete := func(ctx context.Context, r *mediastream.REST) error { return r.Complete(ctx, "CA1") }
	update := func(ctx context.Context, r *mediastream.REST) error { return r.Update(ctx, "CA1", "<Response/>") }
	create := func(ctx context.Context, r *mediastream.REST) error {
		_, err := r.Create(ctx, mediastream.OutboundCall{To: "+1", From: "+2", TwiML: "<Response/>"})
		return err
	}
	fetch := func(ctx context.Context, r *mediastream.REST) error { _, err := r.Fetch(ctx, "CA1"); return err }
	for name, tt := range map[string]struct {
		do     func(context.Context, *mediastream.REST) error
		status int // of all answers but the last, which is 200; 0: cut
		body   string
		fails  int // how many answers
		want   int // requests
		err    string
	}{
		"complete, 429":        {do: complete, status: 429, body: `{"code":20429,"message":"Too Many Requests"}`, fails: 3, want: 4},
		"create, 429":          {do: create, status: 429, fails: 3, want: 4},
		"update, 20429":        {do: update, status: 400, body: `{"code":"20429"}`, fails: 1, want: 2},
		"complete, 503":        {do: complete, status: 503, body: "<html>", fails: 2, want: 3},
		"fetch, 500":           {do: fetch, status: 500, fails: 2, want: 3},
		"update, 503":          {do: update, status: 503, fails: 9, want: 1, err: "status 503: Service Unavailable"},
		"create, 500":          {do: create, status: 500, fails: 9, want: 1, err: "status 500"},
		"complete, cut":        {do: complete, fails: 2, want: 3},
		"create, cut":          {do: create, fails: 9, want: 1, err: "EOF"},
		"complete, for ever":   {do: complete, status: 503, fails: 99, err: "status 503"},
		"complete, gone":       {do: complete, status: 404, body: `{"code":20404,"message":"x"}`, fails: 9, want: 1},
		"update, gone":         {do: update, status: 404, body: `{"code":20404,"message":"not\nfound"}`, fails: 9, want: 1, err: "status 404: 20404: not found"},
		"complete, wrong key":  {do: complete, status: 401, body: `{"code":20003,"message":"Authenticate"}`, fails: 9, want: 1, err: "status 401: 20003: Authenticate"},
		"complete, redirected": {do: complete, status: 307, fails: 9, want: 1, err: "status 307"},
		"a new form of error":  {do: create, status: 400, body: `{"code":21211,"message":"To","httpStatusCode":400,"userError":true}`, fails: 9, want: 1, err: "status 400: 21211: To"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var n atomic.Int32
				rest := newREST(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					switch {
					case int(n.Add(1)) > tt.fails:
						fmt.Fprint(w, `{"sid":"CA1"}`)
					case tt.status == 0:
						panic(http.ErrAbortHandler)
					default:
						w.Header().Set("Location", "http://elsewhere.test/")
						w.WriteHeader(tt.status)
						fmt.Fprint(w, tt.body)
					}
				}), nil)
				began := time.Now()
				err := tt.do(t.Context(), rest)
				if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				if got := int(n.Load()); got != tt.want && tt.want > 0 || got > 20 {
					t.Errorf("%d requests, want %d", got, tt.want)
				}
				if took := time.Since(began); took > mediastream.DefaultRESTPatience {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

func TestARequestIsRepeatedWhenTheCarrierAllows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		rest := newREST(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if n++; n == 1 {
				w.Header().Set("Retry-After", "4")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			fmt.Fprint(w, `{}`)
		}), nil)
		began := time.Now()
		if err := rest.Complete(t.Context(), "CA1"); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 4*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestACarrierThatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		rest := newREST(t, http.NotFoundHandler(), func(cfg *mediastream.RESTConfig) {
			transport := cfg.Transport.(*http.Transport)
			dial := transport.DialContext
			transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				if dials++; dials < 3 {
					return nil, errors.New("connection refused")
				}
				return dial(ctx, network, address)
			}
		})
		// A connection that was never made is safe to make again, whatever for.
		err := rest.Update(t.Context(), "CA1", "<Response/>")
		var refused *mediastream.RESTError
		if !errors.As(err, &refused) || !refused.Gone() || dials != 3 {
			t.Errorf("%d connections, %v", dials, err)
		}
	})
}

func TestRequestsEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		within time.Duration // the caller's patience; 0: any
		want   time.Duration
	}{
		"after the client's patience": {0, mediastream.DefaultRESTPatience},
		"with the caller's":           {time.Second, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rest := newREST(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body) // only then a server sees its client go
					<-r.Context().Done()
				}), nil)
				ctx := t.Context()
				if tt.within > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.within)
					defer cancel()
				}
				began := time.Now()
				err := rest.Complete(ctx, "CA1")
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v", err)
				}
				if took := time.Since(began); took > tt.want || took < tt.want*2/3 {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	for name, body := range map[string]string{
		"no JSON":  "<html>",
		"too long": `{"sid":"` + strings.Repeat("x", 1<<20) + `"}`,
		"no call":  `{}`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rest := newREST(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }), nil)
				_, err := rest.Create(t.Context(), mediastream.OutboundCall{To: "+1", From: "+2", TwiML: "<Response/>"})
				if err == nil || len(err.Error()) > 500 {
					t.Errorf("error %v", err)
				}
			})
		})
	}
}

func TestRequestsThatMakeNoSense(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rest := newREST(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("asked") }), nil)
		create := func(edit func(*mediastream.OutboundCall)) error {
			out := mediastream.OutboundCall{To: "+1", From: "+2", TwiML: "<Response/>"}
			edit(&out)
			_, err := rest.Create(t.Context(), out)
			return err
		}
		_, fetch := rest.Fetch(t.Context(), "")
		for name, err := range map[string]error{
			"complete, no call": rest.Complete(t.Context(), ""), // it would go to where calls are placed
			"update, no call":   rest.Update(t.Context(), "", "<Response/>"),
			"fetch, no call":    fetch,
			"update, too long":  rest.Update(t.Context(), "CA1", strings.Repeat("x", 4001)),
			"create, to nobody": create(func(o *mediastream.OutboundCall) { o.To = "" }),
			"create, too long":  create(func(o *mediastream.OutboundCall) { o.TwiML = strings.Repeat("x", 4001) }),
			"create, rings on":  create(func(o *mediastream.OutboundCall) { o.RingTimeout = time.Hour }),
			"create, AMD":       create(func(o *mediastream.OutboundCall) { o.AMD = "sync" }),
			"create, AMD's":     create(func(o *mediastream.OutboundCall) { o.AMD, o.AMDTiming.Timeout = mediastream.AMDAsync, time.Minute }),
		} {
			if err == nil {
				t.Errorf("%s: no error", name)
			}
		}
	})
}

func TestRESTConfigurations(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg  mediastream.RESTConfig
		want []string // in the error; none: it is accepted
	}{
		"a key":         {mediastream.RESTConfig{AccountSID: account, APIKey: apiKey, APISecret: "s3cret"}, nil},
		"a token":       {mediastream.RESTConfig{AccountSID: account, AuthToken: "s3cret", BaseURL: "https://api.dublin.ie1.twilio.com/"}, nil},
		"nothing":       {mediastream.RESTConfig{}, []string{"account SID", "credentials"}},
		"half a key":    {mediastream.RESTConfig{AccountSID: account, APIKey: apiKey}, []string{"credentials"}},
		"a password":    {mediastream.RESTConfig{AccountSID: account, AuthToken: "x", BaseURL: "https://a:s3cret@api.test"}, []string{"base URL"}},
		"another thing": {mediastream.RESTConfig{AccountSID: account, AuthToken: "x", BaseURL: "ftp://api.test", Timeout: -1}, []string{"base URL", "timeout"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := mediastream.NewREST(tt.cfg)
			if (err == nil) != (len(tt.want) == 0) {
				t.Fatalf("error %v", err)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q lacks %q", err, part)
				}
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("a secret is shown: %v", err)
			}
		})
	}
}

func TestErrorsShowNoSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, status := range []int{401, 500} {
			rest := newREST(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }), nil)
			if err := rest.Update(t.Context(), "CA1", "<Response/>"); err == nil || strings.Contains(err.Error(), apiSecret) {
				t.Errorf("error %v", err)
			}
		}
	})
}
