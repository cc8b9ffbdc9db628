package mediastreamtest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// resource is a call as the API describes it.
type resource struct {
	SID       string `json:"sid"`
	Account   string `json:"account_sid"`
	From      string `json:"from"`
	To        string `json:"to"`
	Status    string `json:"status"`
	Direction string `json:"direction"`
	Version   string `json:"api_version"`
}

// find returns a call that has not ended.
func (a *API) find(call string) *line {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lines[call]
}

func (a *API) fetch(call string) (int, any) {
	l := a.find(call)
	if l == nil {
		return http.StatusNotFound, refusal{20404, "The requested resource was not found", 404}
	}
	return http.StatusOK, l.resource()
}

// update ends a call, or lets it go on with other TwiML.
func (a *API) update(call string, form url.Values) (int, any) {
	bad := func(code int, format string, args ...any) (int, any) {
		message := fmt.Sprintf(format, args...)
		a.violation("update: %d: %s", code, message)
		return http.StatusBadRequest, refusal{code, message, 400}
	}
	if name := unknown(form, "Status", "Twiml", "Url", "StatusCallback", "FallbackUrl", "TimeLimit"); name != "" {
		return bad(20001, "unknown parameter %s", name)
	}
	twiml, status := form.Get("Twiml"), form.Get("Status")
	if (twiml == "") == (status == "") {
		return bad(20001, "either Twiml or Status")
	}
	l := a.find(call)
	if l == nil && twiml != "" {
		return http.StatusBadRequest, refusal{21220, "Call is not in-progress. Cannot redirect.", 400}
	}
	if l == nil {
		return http.StatusNotFound, refusal{20404, "The requested resource was not found", 404}
	}
	if twiml == "" {
		if status != "completed" && status != "canceled" {
			return bad(20001, "status %q", status)
		}
		l.complete()
		return http.StatusOK, l.resource()
	}
	verbs, err := readVerbs(twiml)
	if err != nil {
		return bad(12100, "%v", err)
	}
	if !l.redirect(verbs) {
		return http.StatusBadRequest, refusal{21220, "Call is not in-progress. Cannot redirect.", 400}
	}
	return http.StatusOK, l.resource()
}

// create places a call.
func (a *API) create(form url.Values) (int, any) {
	bad := func(code int, format string, args ...any) (int, any) {
		message := fmt.Sprintf(format, args...)
		a.violation("create: %d: %s", code, message)
		return http.StatusBadRequest, refusal{code, message, 400}
	}
	if name := unknown(form, "To", "From", "Twiml", "StatusCallback", "StatusCallbackMethod", "StatusCallbackEvent", "Timeout",
		"TimeLimit", "MachineDetection", "AsyncAmd", "AsyncAmdStatusCallback", "AsyncAmdStatusCallbackMethod",
		"MachineDetectionTimeout", "MachineDetectionSpeechThreshold", "MachineDetectionSpeechEndThreshold", "MachineDetectionSilenceTimeout"); name != "" {
		return bad(20001, "unknown parameter %s", name)
	}
	if to := form.Get("To"); !number.MatchString(to) && !address.MatchString(to) {
		return http.StatusBadRequest, refusal{21211, "The 'To' number " + to + " is not a valid phone number.", 400}
	}
	if !number.MatchString(form.Get("From")) {
		return bad(21212, "from %q", form.Get("From"))
	}
	verbs, err := readVerbs(form.Get("Twiml"))
	if err != nil {
		return bad(12100, "%v", err)
	}
	placed := Placed{To: form.Get("To"), From: form.Get("From"), Form: form, Timeout: time.Minute}
	for name, value := range map[string]*time.Duration{"Timeout": &placed.Timeout, "TimeLimit": &placed.TimeLimit} {
		if text := form.Get(name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 || name == "Timeout" && n > 600 {
				return bad(20001, "%s %q", name, text)
			}
			*value = time.Duration(n) * time.Second
		}
	}
	for _, event := range form["StatusCallbackEvent"] {
		switch event {
		case "initiated", "ringing", "answered", "completed":
		default:
			return bad(21626, "status callback event %q", event)
		}
	}
	switch form.Get("MachineDetection") {
	case "", "Enable", "DetectMessageEnd":
	default:
		return bad(20001, "machine detection %q", form.Get("MachineDetection"))
	}
	for name, bounds := range map[string][2]int{
		"MachineDetectionTimeout": {3, 59}, "MachineDetectionSpeechThreshold": {1000, 6000},
		"MachineDetectionSpeechEndThreshold": {500, 5000}, "MachineDetectionSilenceTimeout": {2000, 10000},
	} {
		if text := form.Get(name); text != "" {
			if n, err := strconv.Atoi(text); err != nil || n < bounds[0] || n > bounds[1] {
				return bad(20001, "%s %q", name, text)
			}
		}
	}
	cfg := a.cfg.Calls
	cfg.From, cfg.To = placed.From, placed.To
	a.mu.Lock()
	cfg.Seed = a.random.Uint64()
	cfg.CallSID = sid("CA", a.random)
	a.mu.Unlock()
	placed.CallSID = cfg.CallSID
	l := a.begin(cfg, "queued", "outbound-api")
	l.events, l.statusURL = form["StatusCallbackEvent"], form.Get("StatusCallback")
	made := l.resource()
	a.running.Go(func() { l.place(placed, verbs) })
	return http.StatusCreated, made
}

// begin enters a call.
func (a *API) begin(cfg Config, status, direction string) *line {
	l := &line{
		api: a, cfg: cfg, random: rand.New(rand.NewPCG(cfg.Seed, 2)),
		status: status, direction: direction, over: make(chan struct{}),
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lines[cfg.CallSID] = l
	return l
}

// adopt enters a call that came in, with its stream.
func (a *API) adopt(c *Call) {
	l := a.begin(c.cfg, "in-progress", "inbound")
	l.stream = c
	a.running.Go(func() {
		defer l.finish()
		select {
		case <-c.done:
		case <-l.over: // whatever its socket does
			return
		case <-a.ctx.Done():
			return
		}
		l.execute(l.follow(c, nil))
	})
}
