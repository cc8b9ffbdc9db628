package e2e_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/callgw/callgw/test/fixtures"
)

// outage is a provider that opens no session while it lasts: a session that is
// lost then is lost for good.
type outage struct{ atomic.Bool }

func (o *outage) fault(int) realtimetest.Fault {
	if o.Load() {
		return realtimetest.Fault{Refuse: http.StatusServiceUnavailable}
	}
	return realtimetest.Fault{}
}

// repair is how long a lost session may be replaced before the call is given up.
const repair = 3 * time.Second

// TestACallOutlivesItsSession loses the session of a provider that opens another.
func TestACallOutlivesItsSession(t *testing.T) {
	t.Parallel()
	for _, leg := range legs {
		t.Run(leg, func(t *testing.T) {
			t.Parallel()
			g := start(t, Setup{Agent: "session: {instructions: Be brief.}"})
			p := g.phone(leg, 0)
			if err := p.Phone.AwaitSpeech(within(t), 100*time.Millisecond); err != nil {
				t.Fatal(err)
			}
			p.Session.Drop()
			next := g.Session(1)
			if err := next.Wait(within(t), func() bool { return next.InputBytes() > 0 }); err != nil {
				t.Fatal(err)
			}
			if got := next.Settings().Instructions; got != "Be brief." {
				t.Errorf("the new session is told %q", got)
			}
			if err := p.Phone.Say(within(t), fixtures.CallerHello); err != nil {
				t.Fatal(err)
			}
			if err := next.Wait(within(t), func() bool { return len(next.Outputs()) > 0 }); err != nil {
				t.Fatalf("no reply from the new session: %v", err)
			}
			for _, v := range next.Violations() {
				t.Errorf("breach of the Realtime protocol by %s: %s", v.Event, v.Text)
			}
			if err := p.Hangup(within(t)); err != nil {
				t.Error(err)
			}
			p.Ends(atOnce, "caller_hung_up")
			awaitFor(t, atOnce, next.Done(), "the new session to be closed")
		})
	}
}
