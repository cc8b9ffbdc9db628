package mediastream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// persist lets once ask a carrier's API, again with increasing pauses as long as
// that is safe and makes sense, for patience at most; repeat: it does no harm to
// ask what was processed. It returns the latest error, which says more than that
// time is up.
func persist(ctx context.Context, patience time.Duration, repeat bool, once func() error) error {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.Multiplier, pauses.MaxInterval = 200*time.Millisecond, 2, 3*time.Second
	var latest error
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		latest = once()
		var refused *RESTError
		switch {
		case latest == nil:
			return struct{}{}, nil
		case !errors.As(latest, &refused) || !refused.retryable(repeat):
			return struct{}{}, backoff.Permanent(latest)
		case refused.after > 0:
			return struct{}{}, fmt.Errorf("%w: %w", latest, &backoff.RetryAfterError{Duration: refused.after})
		}
		return struct{}{}, latest
	}, backoff.WithBackOff(pauses), backoff.WithMaxElapsedTime(patience))
	if err != nil {
		return latest
	}
	return nil
}

// exchange sends a request and returns its answer and what was read of the
// body, at most one byte more than maxAnswer. Errors are RESTErrors.
func exchange(client *http.Client, r *http.Request) (*http.Response, []byte, error) {
	var connected atomic.Bool
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}))
	response, err := client.Do(r)
	if err != nil {
		return nil, nil, &RESTError{Err: err, unsent: !connected.Load()}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, nil, &RESTError{Status: response.StatusCode, Err: fmt.Errorf("body: %w", err)}
	}
	return response, text, nil
}
