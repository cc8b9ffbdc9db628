package main

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/phone"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

// ringing is how long a simulated phone rings before it is picked up, or is not.
const ringing = time.Second

// twilio is a simulated account of Twilio, and the people that it connects.
type twilio struct {
	flags  twilioFlags
	speech []byte
	api    *mediastreamtest.API
	began  time.Time

	mu      sync.Mutex
	out     io.Writer
	streams int // so far
}

func newTwilio(out io.Writer, f twilioFlags, speech []byte, stop func()) *twilio {
	t := &twilio{flags: f, speech: speech, began: time.Now(), out: out}
	t.api = mediastreamtest.NewAPI(mediastreamtest.APIConfig{
		Key: f.account, Secret: f.authToken, Calls: f.calls(),
		Carry:     t.carry,
		Callee:    t.callee,
		Transfer:  t.transfer,
		Requested: t.requested,
		Ended: func(call, status string) {
			t.tell("%s is over: %s", call, status)
			if f.once {
				stop()
			}
		},
	})
	return t
}

// tell prints a line of what happens.
func (t *twilio) tell(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.out, "%8.3fs  "+format+"\n", append([]any{time.Since(t.began).Seconds()}, args...)...)
}

// callIn lets somebody call the gateway's number.
func (t *twilio) callIn(ctx context.Context) error {
	cfg := t.flags.calls()
	cfg.API = t.api
	dialled := time.Now()
	t.tell("%s calls %s", cfg.From, cfg.To)
	c, err := mediastreamtest.Dial(ctx, cfg)
	if err != nil {
		return refusal(err)
	}
	t.tell("%s answered after %v", c.CallSID(), time.Since(dialled).Round(time.Millisecond))
	t.carry(ctx, c)
	return nil
}

// carry is a person who hears the agent out, says the speech, and listens until the
// stream ends or the time to talk is over.
func (t *twilio) carry(ctx context.Context, c *mediastreamtest.Call) {
	t.mu.Lock()
	t.streams++
	stream := t.streams
	t.mu.Unlock()
	t.tell("%s stream %d begins", c.CallSID(), stream)
	p := phone.New(phone.Config{Observe: func(change phone.Change) {
		if change.Speaking {
			t.tell("%s agent speaks", c.CallSID())
		} else {
			t.tell("%s agent is quiet", c.CallSID())
		}
	}})
	talking, end := context.WithCancel(ctx)
	var person sync.WaitGroup
	person.Go(func() {
		if p.AwaitSpeech(talking, 0) == nil && p.AwaitQuiet(talking, pause) == nil && t.speech != nil {
			t.tell("%s person speaks", c.CallSID())
			_ = p.Say(talking, t.speech) // unless the stream ends first
		}
	})
	if t.flags.talk > 0 {
		enough := time.AfterFunc(t.flags.talk, func() {
			t.tell("%s person hangs up", c.CallSID())
			_ = c.Hangup(talking, media.CallerHungUp) // it may be over
		})
		defer enough.Stop()
	}
	_ = c.Run(ctx, p, p) // why a stream ended is told by what the call does then
	end()
	person.Wait()
	for _, breach := range c.Violations() {
		t.tell("%s FAULT of the gateway: %s", c.CallSID(), breach)
	}
	t.tell("%s stream %d has ended", c.CallSID(), stream)
}

// callee is the phone of somebody whom the gateway calls.
func (t *twilio) callee(call mediastreamtest.Placed) mediastreamtest.Callee {
	t.tell("%s calls %s from %s: %s", call.CallSID, call.To, call.From, t.flags.callee)
	callee := mediastreamtest.Callee{
		After: ringing, AnsweredBy: t.flags.answeredBy, AnsweredAfter: 2 * time.Second,
	}
	if t.flags.callee != "answered" {
		callee.Status = t.flags.callee
	}
	return callee
}

// transfer is the phone of somebody to whom the gateway hands a caller over.
func (t *twilio) transfer(to mediastreamtest.Dialled) (status string, after time.Duration) {
	target := to.Number
	if target == "" {
		target = to.SIP
	}
	t.tell("transfer to %s, caller id %q: %s", target, to.CallerID, t.flags.transfer)
	return t.flags.transfer, ringing
}

func (t *twilio) requested(r mediastreamtest.Request) {
	what := "call out"
	switch {
	case r.Method != "POST":
		what = "asks for " + r.Call
	case r.Form.Get("Status") != "":
		what = r.Call + " Status=" + r.Form.Get("Status")
	case r.Form.Get("Twiml") != "" && r.Call != "":
		what = r.Call + " Twiml=" + strings.TrimSpace(strings.TrimPrefix(r.Form.Get("Twiml"), strings.TrimSpace(xml.Header)))
	}
	t.tell("REST %s: %d", what, r.Status)
}

// verdict is err, or what the gateway did that Twilio refuses.
func (t *twilio) verdict(err error) error {
	for _, breach := range t.api.Violations() {
		err = errors.Join(err, fmt.Errorf("fault of the gateway: %s", breach))
	}
	return err
}
