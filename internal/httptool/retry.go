package httptool

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// MaxAttempts is how often a request is sent at most, where that is safe.
const MaxAttempts = 4

// maxPatience bounds the attempts of a call that has no deadline.
const maxPatience = 30 * time.Second

// retry sends the request until it succeeds, cannot, or time is up.
func (t *Tool) retry(ctx context.Context, p *prepared) (string, error) {
	attempts, last := 0, (*Error)(nil)
	// A wait that would end too late is not begun.
	patience := maxPatience
	if deadline, ok := ctx.Deadline(); ok {
		patience = max(time.Until(deadline), 1) // 0 would mean no limit
	}
	output, err := backoff.Retry(ctx, func() (string, error) {
		attempts++
		output, failed := t.attempt(ctx, p)
		if failed == nil {
			return output, nil
		}
		last = failed
		if !failed.retry || !t.cfg.retriable() {
			return "", backoff.Permanent(failed)
		}
		return "", failed
	},
		backoff.WithMaxTries(MaxAttempts),
		backoff.WithMaxElapsedTime(patience),
		backoff.WithBackOff(&backoff.ExponentialBackOff{
			InitialInterval:     200 * time.Millisecond,
			RandomizationFactor: 0.5,
			Multiplier:          2,
			MaxInterval:         2 * time.Second,
		}))
	switch {
	case err == nil:
		return output, nil
	case !errors.Is(err, last): // ended while waiting
		ended := contextError(ctx)
		ended.Status = last.Status
		last = ended
	}
	return "", t.described(last, attempts)
}

// described returns the error with its details complete.
func (t *Tool) described(e *Error, attempts int) *Error {
	e.Attempts = attempts
	e.Err = fmt.Errorf("httptool: %s: %s after %d attempts: %w", t.cfg.Name, e.Text, attempts, e.Err)
	return e
}

// worthRetrying tells the statuses that may be gone in a moment.
func worthRetrying(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// retryAfter returns how long the endpoint wants to be left alone
// (RFC 9110 §10.2.3), in the form that the back-off knows; nil when it does
// not say.
func retryAfter(resp *http.Response) error {
	if !worthRetrying(resp.StatusCode) {
		return nil
	}
	value := resp.Header.Get("Retry-After")
	wait := time.Duration(0)
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		wait = time.Until(at)
	}
	if wait <= 0 {
		return nil
	}
	return &backoff.RetryAfterError{Duration: wait}
}
