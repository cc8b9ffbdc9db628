package mediastreamtest

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// APIConfig says how the carrier's REST API behaves.
type APIConfig struct {
	// Key and Secret are what requests must carry. Required.
	Key, Secret string
	// Calls is what the calls have in common that the API places or brings back:
	// WebhookURL, PublicURL, AuthToken, AccountSID, Delay and so on.
	Calls Config

	// Carry carries a stream that the API has opened, that of a call which it
	// placed or which came back from a transfer: it calls Run. Default: a phone
	// that says and hears nothing until the stream ends.
	Carry func(ctx context.Context, c *Call)
	// Callee says how a phone behaves that is called. Default: it is picked up
	// at once.
	Callee func(Placed) Callee
	// Transfer says what becomes of a transfer: the DialCallStatus, and when
	// that is known. Default: completed, at once.
	Transfer func(Dialled) (status string, after time.Duration)
	// Slow is how long the API takes to answer, after it has done what it was
	// asked for.
	Slow time.Duration
	// Fault says what is wrong with the nth request, from 0. Default: nothing.
	Fault func(n int) Fault
	// Requested is told of each request when its answer is known. It must not
	// block. It may be nil.
	Requested func(Request)
	// Ended is told of each call that is over, and of its status then. It must not
	// block. It may be nil.
	Ended func(callSID, status string)
}

// Placed is a call that the gateway has placed.
type Placed struct {
	CallSID, To, From  string
	Timeout, TimeLimit time.Duration
	Form               url.Values // of the request
}

// Callee is how a phone behaves.
type Callee struct {
	After  time.Duration // how long it rings
	Status string        // busy, no-answer, failed; "": picked up
	// AnsweredBy is what detection hears, AnsweredAfter it was picked up.
	AnsweredBy    string
	AnsweredAfter time.Duration
}

// Fault is what is wrong with one request.
type Fault struct {
	Status int  // the answer instead of the right one; 0: the right one
	Drop   bool // no answer: the connection is cut
	Late   bool // the request is carried out all the same
}

// API is a carrier's REST API over calls, as strict as the documentation: see
// Violations. Inbound calls belong to it whose Config names it. Its goroutines,
// those of calls that it places and moves, end with Close.
type API struct {
	cfg     APIConfig
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu         sync.Mutex
	random     *rand.Rand
	lines      map[string]*line // by the call's id, as long as it lives
	requests   []Request
	violations []string
}

// Request is one that the API has received.
type Request struct {
	At     time.Time
	Method string
	Call   string // "": a call is to be placed
	Form   url.Values
	Status int // of the answer; 0: none
}

// NewAPI returns an API.
func NewAPI(cfg APIConfig) *API {
	c := &cfg.Calls
	if c.AccountSID == "" {
		c.AccountSID = "AC" + strings.Repeat("0", 32)
	}
	if c.Seed == 0 {
		c.Seed = rand.Uint64()
	}
	if c.DialContext == nil {
		c.DialContext = new(net.Dialer).DialContext
	}
	if cfg.Carry == nil {
		cfg.Carry = func(ctx context.Context, c *Call) { _ = c.Run(ctx, deaf{}, mute{}) }
	}
	if cfg.Callee == nil {
		cfg.Callee = func(Placed) Callee { return Callee{} }
	}
	if cfg.Transfer == nil {
		cfg.Transfer = func(Dialled) (string, time.Duration) { return "completed", 0 }
	}
	if cfg.Fault == nil {
		cfg.Fault = func(int) Fault { return Fault{} }
	}
	if cfg.Requested == nil {
		cfg.Requested = func(Request) {}
	}
	if cfg.Ended == nil {
		cfg.Ended = func(string, string) {}
	}
	a := &API{cfg: cfg, random: rand.New(rand.NewPCG(c.Seed, 1)), lines: make(map[string]*line)}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	return a
}

// Close cuts all calls and returns when nothing of them is left.
func (a *API) Close() {
	a.cancel()
	a.running.Wait()
}

// Wait returns when the API carries no call any more, but not before ctx ends
// otherwise.
func (a *API) Wait(ctx context.Context) error {
	idle := make(chan struct{})
	go func() {
		defer close(idle)
		a.running.Wait()
	}()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Requests returns what was asked for so far.
func (a *API) Requests() []Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.requests)
}

// Violations returns the gateway's breaches of the API and of TwiML.
func (a *API) Violations() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.violations)
}

func (a *API) violation(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.violations = append(a.violations, fmt.Sprintf(format, args...))
}

// Live returns the ids of the calls that the carrier has not ended.
func (a *API) Live() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []string
	for sid := range a.lines {
		all = append(all, sid)
	}
	slices.Sort(all)
	return all
}

// ServeHTTP serves the API.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call, ok := a.callOf(r.URL.Path)
	form, err := readForm(r)
	a.mu.Lock()
	n := len(a.requests)
	a.requests = append(a.requests, Request{At: time.Now(), Method: r.Method, Call: call, Form: form})
	a.mu.Unlock()
	status, body := http.StatusNotFound, any(refusal{20404, "The requested resource was not found", 404})
	fault := a.cfg.Fault(n)
	user, pass, _ := r.BasicAuth()
	switch {
	case fault != Fault{} && !fault.Late:
	case subtle.ConstantTimeCompare([]byte(user+":"+pass), []byte(a.cfg.Key+":"+a.cfg.Secret)) != 1:
		status, body = http.StatusUnauthorized, refusal{20003, "Authenticate", 401}
	case !ok:
	case err != nil:
		a.violation("%s %s: %v", r.Method, r.URL.Path, err)
		status, body = http.StatusBadRequest, refusal{20001, err.Error(), 400}
	case call == "" && r.Method == http.MethodPost:
		status, body = a.create(form)
	case r.Method == http.MethodPost:
		status, body = a.update(call, form)
	case call != "":
		status, body = a.fetch(call)
	}
	if a.cfg.Slow > 0 {
		time.Sleep(a.cfg.Slow)
	}
	if fault.Drop {
		panic(http.ErrAbortHandler) // how a handler cuts its connection
	}
	if fault.Status != 0 {
		status, body = fault.Status, refusal{0, "", fault.Status}
		if status == http.StatusTooManyRequests {
			body = refusal{20429, "Too Many Requests", status}
		}
	}
	a.mu.Lock()
	a.requests[n].Status = status
	request := a.requests[n]
	a.mu.Unlock()
	a.cfg.Requested(request)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}

// refusal is the body of an error.
type refusal struct {
	Code    int    `json:"code,omitempty"`
	Message string `json:"message"`
	Status  int    `json:"status"`
}

// callOf returns the call that a path names, "" for all of them.
func (a *API) callOf(path string) (call string, ok bool) {
	path, ok = strings.CutPrefix(path, "/2010-04-01/Accounts/"+a.cfg.Calls.AccountSID+"/Calls")
	path, ok2 := strings.CutSuffix(path, ".json")
	if !ok || !ok2 || path == "" {
		return "", ok && ok2
	}
	call, ok = strings.CutPrefix(path, "/")
	return call, ok && !strings.Contains(call, "/")
}

// readForm reads the parameters of a POST.
func readForm(r *http.Request) (url.Values, error) {
	if r.Method == http.MethodGet {
		return nil, nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, fmt.Errorf("content type %q", r.Header.Get("Content-Type"))
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil {
		return nil, err
	}
	return url.ParseQuery(string(body))
}

// unknown returns the first parameter that is not among those that exist.
func unknown(form url.Values, names ...string) string {
	for name := range form {
		if !slices.Contains(names, name) {
			return name
		}
	}
	return ""
}

// deaf and mute are a phone that nobody is at.
type (
	deaf struct{}
	mute struct{}
)

func (deaf) Frame([]byte)           {}
func (deaf) Digit(media.Digit)      {}
func (deaf) Hold(bool)              {}
func (mute) Next([]byte) int        { return 0 }
func (mute) Ready() <-chan struct{} { return nil }
func (mute) Heard(int64)            {}
