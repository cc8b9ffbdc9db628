package e2e_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/callgw/callgw/internal/caller"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// TestTheGatewayIsReadyWhileAProviderAnswers loses the provider and finds it
// again. Not being ready while draining is TestADrainLetsCallsFinish's.
func TestTheGatewayIsReadyWhileAProviderAnswers(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	g := start(t, Setup{Provider: realtimetest.Config{Fault: func(n int) realtimetest.Fault {
		if down.Load() {
			return refusing(n)
		}
		return realtimetest.Fault{}
	}}})
	ready := func(want int, reason string) {
		t.Helper()
		status, body := fetch(t, http.MethodGet, g.URL("admin")+"/readyz")
		if status != want || !strings.Contains(body, reason) {
			t.Errorf("/readyz: %d %s", status, body)
		}
		if status, _ := fetch(t, http.MethodGet, g.URL("admin")+"/healthz"); status != http.StatusOK {
			t.Errorf("/healthz: %d", status)
		}
	}
	ready(http.StatusOK, "ready")
	down.Store(true)
	if _, err := caller.Dial(within(t), g.target(sipLeg)); err == nil {
		t.Fatal("a call was answered without a provider")
	}
	ready(http.StatusServiceUnavailable, "no provider")
	down.Store(false)
	g.phoneWith(g.target(sipLeg), 1)
	ready(http.StatusOK, "ready")
}
