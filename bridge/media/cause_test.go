package media_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/callgw/callgw/bridge/media"
)

func TestCauseOf(t *testing.T) {
	cancelled, cancel := context.WithCancelCause(context.Background())
	cancel(fmt.Errorf("sip: bye: %w", media.CallerHungUp))
	for _, c := range []struct {
		name string
		err  error
		want media.Cause
	}{
		{"a leg that ends without complaint", nil, media.CallerHungUp},
		{"a bare cause", media.Busy, media.Busy},
		{"a wrapped cause", fmt.Errorf("rtp: %w: 20s", media.MediaTimeout), media.MediaTimeout},
		{"the cause of a context", context.Cause(cancelled), media.CallerHungUp},
		{"an error without one", errors.New("boom"), media.Internal},
		{"a number that is none", media.Cause(200), media.Internal},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := media.CauseOf(c.err); got != c.want {
				t.Errorf("CauseOf(%v) = %v, want %v", c.err, got, c.want)
			}
		})
	}
}

func TestEveryCauseHasAllItsForms(t *testing.T) {
	names := map[string]bool{}
	for _, c := range media.Causes() {
		if names[c.String()] || c.String() == "" {
			t.Errorf("cause %d: name %q is empty or taken", c, c)
		}
		names[c.String()] = true
		if c.SIPStatus() < 400 || c.SIPStatus() > 699 {
			t.Errorf("%v: %d is not a final failure (RFC 3261 §21)", c, c.SIPStatus())
		}
		if c.Q850() < 1 || c.Q850() > 127 {
			t.Errorf("%v: %d is not a Q.850 cause", c, c.Q850())
		}
		if c.CloseCode() < 1000 || c.CloseCode() > 1015 {
			t.Errorf("%v: %d is not a close code (RFC 6455 §7.4.1)", c, c.CloseCode())
		}
	}
	if len(names) < 18 {
		t.Errorf("%d causes listed", len(names))
	}
}

func TestRejectionOf(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want media.Rejection
	}{
		{"a rejection of its own", fmt.Errorf("plan: %w", media.Rejection{Status: 486, Phrase: "Busy"}), media.Rejection{Status: 486, Phrase: "Busy"}},
		{"one that no peer would take", media.Rejection{Status: 200}, media.Rejection{Status: 603}},
		{"a redirection, to a leg that cannot tell", media.Redirection{To: "+1"}, media.Rejection{Status: 603}},
		{"a cause", media.NoRoute, media.Rejection{Status: 404}},
		{"an error without one", errors.New("boom"), media.Rejection{Status: 500}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := media.RejectionOf(c.err); got != c.want {
				t.Errorf("RejectionOf(%v) = %+v, want %+v", c.err, got, c.want)
			}
		})
	}
	if got := media.CauseOf(media.Rejection{Status: 486}); got != media.Rejected {
		t.Errorf("the cause of a rejection is %v", got)
	}
}
