package caller

import (
	"errors"
	"fmt"
	"testing"

	"github.com/callgw/callgw/bridge/media"
)

func TestTheEndOfACallIsSaidInAFewWords(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"a BYE", media.CallerHungUp, "the gateway hung up"},
		{"a BYE with a reason", fmt.Errorf(`sip: BYE: %w (Q.850;cause=16;text="agent_hung_up")`, media.CallerHungUp), "the gateway hung up: agent_hung_up"},
		{"a stream closed", fmt.Errorf("mediastreamtest: the gateway closed the stream: 1000 duration_limit: %w", media.CallerHungUp), "the gateway hung up: duration_limit"},
		{"a transfer", media.Transferred, "the gateway hung up: transferred"},
		{"a broken connection", fmt.Errorf("%w: EOF", media.LegFailed), "the call ended: leg_failed: EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ended(c.err)
			if got.Error() != c.want {
				t.Errorf("says %q, want %q", got, c.want)
			}
			if !errors.Is(got, media.CauseOf(c.err)) {
				t.Error("the cause is lost")
			}
		})
	}
}
