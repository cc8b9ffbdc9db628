package mediastream

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// CallResource is a call as the carrier's REST API describes it.
type CallResource struct {
	SID        string `json:"sid"`
	Status     string `json:"status"` // queued, ringing, in-progress, completed, busy, …
	From       string `json:"from"`
	To         string `json:"to"`
	Direction  string `json:"direction"`
	AnsweredBy string `json:"answered_by"` // of answering machine detection, "" if unknown
}

// over tells that a status is the last one.
func over(status string) bool {
	switch status {
	case "completed", "busy", "failed", "no-answer", "canceled":
		return true
	}
	return false
}

// Complete hangs a call up, also one that rings. A call that is gone already
// counts as hung up.
func (r *REST) Complete(ctx context.Context, callSID string) error {
	_, err := r.do(ctx, request{op: "complete", call: callSID, form: url.Values{"Status": {"completed"}}, repeat: true})
	var refused *RESTError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &refused):
		return err
	case refused.Gone():
		return nil
	case refused.Code != codeBadState:
		return err
	}
	// Of a call that has ended the carrier says that it is not in progress, as
	// it might of one that has not begun.
	if call, fetchErr := r.Fetch(ctx, callSID); fetchErr == nil && over(call.Status) {
		return nil
	}
	return err
}

// Update lets a call in progress go on with other TwiML; its stream stops. It
// is repeated only if the carrier has not seen it: twice, it would begin twice.
func (r *REST) Update(ctx context.Context, callSID, twiml string) error {
	if len(twiml) > maxTwiML {
		return fmt.Errorf("mediastream: rest: update: TwiML of %d characters: at most %d", len(twiml), maxTwiML)
	}
	_, err := r.do(ctx, request{op: "update", call: callSID, form: url.Values{"Twiml": {twiml}}})
	return err
}

// Fetch returns what the carrier knows of a call.
func (r *REST) Fetch(ctx context.Context, callSID string) (CallResource, error) {
	return r.do(ctx, request{op: "fetch", call: callSID, repeat: true})
}

// maxTwiML is how much TwiML a request may carry, in characters.
const maxTwiML = 4000

// OutboundCall is a call to place by REST.
type OutboundCall struct {
	To, From string // E.164, or sip: and client: addresses
	TwiML    string // what to do when it is answered
	// StatusURL is told when the call is initiated, rings, is answered and
	// over, and of whom AMD has heard. "": nothing is.
	StatusURL string
	// RingTimeout is how long it may ring, whole seconds up to 10 minutes; the
	// carrier adds up to 5 s. 0: the carrier's 60 s.
	RingTimeout time.Duration
	// TimeLimit ends the call. 0: the carrier's.
	TimeLimit time.Duration
	AMD       AMD
	AMDTiming AMDTiming
}

// Create places a call. It is repeated only if the carrier has not seen it:
// twice, the phone would ring twice.
func (r *REST) Create(ctx context.Context, out OutboundCall) (CallResource, error) {
	form, err := out.form()
	if err != nil {
		return CallResource{}, fmt.Errorf("mediastream: rest: create: %w", err)
	}
	call, err := r.do(ctx, request{op: opCreate, form: form})
	if err == nil && call.SID == "" {
		err = errors.New("mediastream: rest: create: the answer names no call")
	}
	return call, err
}

// form returns the request's parameters.
func (o *OutboundCall) form() (url.Values, error) {
	form := url.Values{"To": {o.To}, "From": {o.From}, "Twiml": {o.TwiML}}
	for name := range form {
		if form.Get(name) == "" {
			return nil, fmt.Errorf("no %s", name)
		}
	}
	if len(o.TwiML) > maxTwiML {
		return nil, fmt.Errorf("TwiML of %d characters: at most %d", len(o.TwiML), maxTwiML)
	}
	if o.StatusURL != "" {
		form.Set("StatusCallback", o.StatusURL)
		form.Set("StatusCallbackMethod", "POST")
		form["StatusCallbackEvent"] = []string{"initiated", "ringing", "answered", "completed"}
	}
	if o.RingTimeout < 0 || o.RingTimeout > 10*time.Minute {
		return nil, fmt.Errorf("ring timeout %v: must be up to 10m", o.RingTimeout)
	}
	setSeconds(form, "Timeout", o.RingTimeout)
	setSeconds(form, "TimeLimit", o.TimeLimit)
	if err := o.AMD.form(form, o.AMDTiming, o.StatusURL); err != nil {
		return nil, err
	}
	return form, nil
}

// setSeconds sets a parameter to d, rounded up to whole seconds, unless it is 0.
func setSeconds(form url.Values, name string, d time.Duration) {
	if d > 0 {
		form.Set(name, strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10))
	}
}
