package realtime

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// errFunctionTimeout is the cause of a function's context after its deadline.
var errFunctionTimeout = fmt.Errorf("realtime: function: %w", context.DeadlineExceeded)

// perform carries a call from its checks to its answer, and returns when its
// handler has.
func (s *Session) perform(ctx context.Context, c *call, busy bool) {
	began := time.Now()
	f := c.function
	switch {
	case c.CallID == "":
		s.answer(c, result{outcome: FunctionInvalid, err: errors.New("realtime: function call without an id"), mute: true}, began)
		return
	case f == nil:
		s.answer(c, s.unknown(c.Name), began)
		return
	case busy:
		s.answer(c, tooMany, began)
		return
	}
	if err := f.schema.Validate(c.Arguments); err != nil {
		s.answer(c, invalid(err), began)
		return
	}
	if len(c.Arguments) == 0 {
		c.Arguments = []byte("{}")
	}
	s.tell(FunctionStarted{f.Name, c.CallID, c.ItemID})

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ctx, release := context.WithTimeoutCause(ctx, f.Timeout, errFunctionTimeout)
	defer release()
	results := make(chan result, 1)
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() { f.invoke(ctx, c.FunctionCall, results) })

	if r, ok := s.attend(ctx, cancel, c, results); ok {
		s.answer(c, r, began)
		return
	}
	s.answer(c, f.cutOff(context.Cause(ctx)), began)
	if r := <-results; r.outcome == FunctionOK {
		s.tell(FunctionLate{f.Name, c.CallID, c.ItemID, time.Since(began)})
	}
}

// attend waits for a result; it is false if the context came first.
func (s *Session) attend(ctx context.Context, cancel context.CancelCauseFunc, c *call, results <-chan result) (result, bool) {
	var slow <-chan time.Time
	if after := c.function.SlowAfter; after > 0 {
		timer := time.NewTimer(after)
		defer timer.Stop()
		slow = timer.C
	}
	interrupted := c.interrupted
	for {
		select {
		case r := <-results:
			return c.function.judge(ctx, r), true
		case <-slow:
			s.tell(FunctionSlow{c.function.Name, c.CallID, c.ItemID, c.function.SlowAfter})
		case <-interrupted:
			interrupted = nil
			cancel(ErrInterrupted)
		case <-ctx.Done():
			select {
			case r := <-results:
				return c.function.judge(ctx, r), true
			default:
				return result{}, false
			}
		}
	}
}

// judge tells a failure by its reason: a handler whose context has ended fails
// because of that.
func (f *function) judge(ctx context.Context, r result) result {
	if r.outcome != FunctionOK && ctx.Err() != nil {
		return f.cutOff(context.Cause(ctx))
	}
	return r
}

// invoke calls the handler and sends exactly one result, whatever it does.
func (f *function) invoke(ctx context.Context, call FunctionCall, results chan<- result) {
	r := failed(&FunctionPanic{Value: "the goroutine has left"})
	returned := false
	defer func() {
		if !returned {
			if v := recover(); v != nil {
				r = failed(newFunctionPanic(v))
			}
		}
		results <- r
	}()
	value, err := f.Handle(ctx, call)
	if err != nil {
		r = failed(err)
	} else {
		r = encodeResult(value) // which may run code of the value's own
	}
	returned = true
}

// answer sends a call's answer, and asks for a response if it was the last one
// that was waited for.
func (s *Session) answer(c *call, r result, began time.Time) {
	quiet := c.function != nil && c.function.Quiet && r.outcome == FunctionOK
	s.mu.Lock()
	if !r.mute {
		if err := s.reply(FunctionOutput(c.CallID, r.output), c.CallID); err != nil && r.err == nil {
			r.err = err
		}
	}
	delete(s.calls.running, c)
	s.calls.answered(c.round, !quiet && !r.mute)
	s.settle()
	s.mu.Unlock()
	s.tell(FunctionFinished{c.label(), c.CallID, c.ItemID, time.Since(began), r.outcome, r.err})
}

// reply adds an item that answers what id stands for. The caller holds mu.
func (s *Session) reply(item Item, id string) error {
	event, err := s.createItem(item)
	if err == nil {
		s.calls.unconfirmed[id] = event
	}
	return err
}
