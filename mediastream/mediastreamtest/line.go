package mediastreamtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// line is a call at the carrier: it outlives its streams.
type line struct {
	api       *API
	cfg       Config
	random    *rand.Rand
	direction string
	statusURL string
	events    []string // that the gateway wants to be told of

	mu       sync.Mutex
	status   string
	sequence int   // of status callbacks
	stream   *Call // the present one
	next     []verb
	moved    bool          // next takes the place of what the call does now
	over     chan struct{} // closed when the call is to end
	ending   bool
}

// errMoved is why a stream ends that the API takes the call from.
var errMoved = fmt.Errorf("mediastreamtest: the API has moved the call: %w", media.OperatorHungUp)

func (l *line) resource() resource {
	l.mu.Lock()
	defer l.mu.Unlock()
	return resource{l.cfg.CallSID, l.cfg.AccountSID, l.cfg.From, l.cfg.To, l.status, l.direction, "2010-04-01"}
}

// complete ends the call.
func (l *line) complete() {
	l.mu.Lock()
	stream := l.stream
	if !l.ending {
		l.ending = true
		close(l.over)
	}
	l.mu.Unlock()
	if stream != nil {
		_ = stream.tell(l.api.ctx, control{kind: hangUp, cause: media.OperatorHungUp}, false) // it may be over
	}
}

// redirect lets the call go on with verbs. It returns false if the call is not
// in progress.
func (l *line) redirect(verbs []verb) bool {
	l.mu.Lock()
	if l.status != "in-progress" || l.ending || l.stream == nil {
		l.mu.Unlock()
		return false
	}
	l.next, l.moved = verbs, true
	stream := l.stream
	l.mu.Unlock()
	_ = stream.tell(l.api.ctx, control{kind: hangUp, cause: errMoved}, false) // it may be over
	return true
}

// follow returns what a call does whose stream has ended: what the API has said
// meanwhile, rest if the gateway has closed the stream, else nothing.
func (l *line) follow(c *Call, rest []verb) []verb {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stream = nil
	switch {
	case l.moved:
		rest, l.next, l.moved = l.next, nil, false
		return rest
	case l.ending || c.phone:
		return nil
	}
	return rest
}

// finish ends the call.
func (l *line) finish() {
	l.mu.Lock()
	if l.status == "in-progress" {
		l.status = "completed"
	}
	status := l.status
	l.mu.Unlock()
	l.api.mu.Lock()
	delete(l.api.lines, l.cfg.CallSID)
	l.api.mu.Unlock()
	l.tell("completed", url.Values{"CallStatus": {status}, "CallDuration": {"0"}})
	l.api.cfg.Ended(l.cfg.CallSID, status)
}

// place lets the phone ring, and does what is to be done when it is picked up.
func (l *line) place(placed Placed, verbs []verb) {
	defer l.finish()
	callee := l.api.cfg.Callee(placed)
	l.tell("initiated", url.Values{"CallStatus": {"initiated"}})
	l.set("ringing")
	l.tell("ringing", url.Values{"CallStatus": {"ringing"}})
	if callee.After > placed.Timeout {
		callee.After, callee.Status = placed.Timeout, "no-answer"
	}
	if !l.pause(callee.After) {
		l.set("canceled")
		return
	}
	if callee.Status != "" {
		l.set(callee.Status)
		return
	}
	l.set("in-progress")
	l.tell("answered", url.Values{"CallStatus": {"in-progress"}})
	var detecting sync.WaitGroup
	defer detecting.Wait()
	if placed.Form.Get("AsyncAmd") == "true" && callee.AnsweredBy != "" {
		detecting.Go(func() {
			if l.pause(callee.AnsweredAfter) {
				l.post(placed.Form.Get("AsyncAmdStatusCallback"), url.Values{
					"AnsweredBy":               {callee.AnsweredBy},
					"MachineDetectionDuration": {strconv.FormatInt(callee.AnsweredAfter.Milliseconds(), 10)},
				})
			}
		})
	}
	if placed.TimeLimit > 0 {
		limit := time.AfterFunc(placed.TimeLimit, l.complete)
		defer limit.Stop()
	}
	l.execute(verbs)
}

func (l *line) set(status string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status = status
}

// pause returns false if the call ends before.
func (l *line) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.over:
	case <-l.api.ctx.Done():
	}
	return false
}

// execute does what TwiML says, until the call is to end.
func (l *line) execute(verbs []verb) {
	for len(verbs) > 0 {
		v := verbs[0]
		verbs = verbs[1:]
		select {
		case <-l.over:
			return
		case <-l.api.ctx.Done():
			return
		default:
		}
		switch {
		case v.hangup:
			return
		case v.connect != nil:
			verbs = l.connect(*v.connect, verbs)
		case v.dial != nil:
			verbs = l.dial(v, verbs)
		}
	}
}

// connect carries a stream, and returns what is done next.
func (l *line) connect(to streamNoun, rest []verb) []verb {
	cfg := l.cfg
	cfg.API = nil
	c, err := connect(l.api.ctx, cfg, l.random, to)
	if err != nil {
		l.post(to.StatusCallback, url.Values{"StreamEvent": {"stream-error"}, "StreamError": {err.Error()}})
		return rest
	}
	l.mu.Lock()
	l.stream = c
	ending := l.ending
	l.mu.Unlock()
	l.post(to.StatusCallback, url.Values{"StreamEvent": {"stream-started"}, "StreamSid": {c.stream}})
	if ending {
		_ = c.tell(l.api.ctx, control{kind: hangUp, cause: media.OperatorHungUp}, false) // Run will see it
	}
	l.api.cfg.Carry(l.api.ctx, c)
	select {
	case <-c.done:
	default:
		l.api.violation("a stream was not carried: Carry must call Run")
		_ = c.ws.Close() // nobody else will
		return nil
	}
	l.post(to.StatusCallback, url.Values{"StreamEvent": {"stream-stopped"}, "StreamSid": {c.stream}})
	return l.follow(c, rest)
}

// dial calls somebody else, and returns what is done next.
func (l *line) dial(v verb, rest []verb) []verb {
	status, after := l.api.cfg.Transfer(*v.dial)
	if after > v.dial.Timeout && status != "completed" {
		after, status = v.dial.Timeout, "no-answer"
	}
	if !l.pause(after) {
		status = "canceled"
	}
	if v.action == "" {
		return rest
	}
	// Twilio asks also when the caller has hung up meanwhile.
	callStatus := "in-progress"
	if status == "canceled" {
		callStatus = "completed"
	}
	text, err := l.ask(v.action, url.Values{"CallStatus": {callStatus}, "DialCallStatus": {status}})
	if err != nil {
		l.refused(v.action, err)
		return nil
	}
	verbs, err := readVerbs(string(text))
	if err != nil {
		l.api.violation("dial action: %v", err)
		return nil
	}
	return verbs
}

// tell sends a status callback, if it was asked for.
func (l *line) tell(event string, form url.Values) {
	if !slices.Contains(l.events, event) {
		return
	}
	l.mu.Lock()
	form.Set("SequenceNumber", strconv.Itoa(l.sequence))
	l.sequence++
	l.mu.Unlock()
	form.Set("CallbackSource", "call-progress-events")
	l.post(l.statusURL, form)
}

// post sends a callback.
func (l *line) post(target string, form url.Values) {
	if target == "" {
		return
	}
	if _, err := l.ask(target, form); err != nil {
		l.refused(target, err)
	}
}

// refused books a callback that the gateway has refused. One that it could not
// take, as it was stopped, is no breach.
func (l *line) refused(target string, err error) {
	if errors.Is(err, media.LegFailed) {
		l.api.violation("callback %s: %v", target, err)
	}
}

// ask sends a signed request about the call to the gateway.
func (l *line) ask(target string, form url.Values) ([]byte, error) {
	for name, value := range map[string]string{
		"CallSid": l.cfg.CallSID, "AccountSid": l.cfg.AccountSID, "From": l.cfg.From, "To": l.cfg.To,
		"Direction": l.direction, "ApiVersion": "2010-04-01",
	} {
		form.Set(name, value)
	}
	here := target
	if l.cfg.PublicURL != "" {
		gateway, err := url.Parse(l.cfg.WebhookURL)
		if err != nil {
			return nil, err
		}
		path, ok := strings.CutPrefix(target, strings.TrimSuffix(l.cfg.PublicURL, "/"))
		if !ok {
			return nil, fmt.Errorf("%q is not below %q", target, l.cfg.PublicURL)
		}
		here = gateway.Scheme + "://" + gateway.Host + path
	}
	return post(l.api.ctx, &l.cfg, here, target, form)
}
