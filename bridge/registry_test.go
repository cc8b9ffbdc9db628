package bridge_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
)

func registered(t *testing.T, r *bridge.Registry, id string, provider realtime.Provider) (*bridge.Call, *leg, chan error) {
	t.Helper()
	l := newLeg()
	c := bridge.New(bridge.Config{
		Facts: bridge.Facts{ID: id, Leg: "test"}, Leg: l,
		Agent: bridge.Agent{Name: "a", Providers: []realtime.Provider{provider}},
	})
	done := make(chan error, 1)
	go func() { done <- r.Run(context.Background(), c) }()
	return c, l, done
}

func TestARegistryAdmitsUpToItsLimit(t *testing.T) {
	_, provider := serve(t, realtimetest.Config{})
	r := bridge.NewRegistry(1)
	first, l, done := registered(t, r, "1", provider)
	await(t, l.answered, "the answer")
	if n := testutil.CollectAndCount(r, "callgw_calls_active"); n != 1 {
		t.Errorf("%d series of active calls", n)
	}
	_, second, refused := registered(t, r, "2", provider)
	if err := <-refused; !errors.Is(err, media.Busy) {
		t.Errorf("the second call got %v", err)
	}
	if cause := <-second.hungUp; !errors.Is(cause, media.Busy) {
		t.Errorf("the second leg was hung up for %v", cause)
	}
	if r.Call("1") != first || len(r.Calls()) != 1 {
		t.Errorf("the registry holds %v", r.Calls())
	}
	r.SetLimit(2)
	if err := r.Admits(); err != nil {
		t.Errorf("with a higher limit: %v", err)
	}
	first.End(media.OperatorHungUp)
	<-done
	if len(r.Calls()) != 0 || r.Admits() != nil {
		t.Errorf("after the end %d calls are left, %v", len(r.Calls()), r.Admits())
	}
}

func TestDrainingWaitsForCallsAndThenEndsThem(t *testing.T) {
	_, provider := serve(t, realtimetest.Config{})
	r := bridge.NewRegistry(0)
	_, patient, patientDone := registered(t, r, "1", provider)
	_, hasty, hastyDone := registered(t, r, "2", provider)
	await(t, patient.answered, "the answer")
	await(t, hasty.answered, "the answer")
	ctx, timeUp := context.WithCancel(context.Background())
	drained := make(chan struct{})
	go func() {
		r.Drain(ctx)
		close(drained)
	}()
	hasty.end <- media.CallerHungUp
	if err := <-hastyDone; !errors.Is(err, media.CallerHungUp) {
		t.Errorf("a call that ended by itself ended for %v", err)
	}
	select {
	case <-drained:
		t.Fatal("drained with a call left")
	case <-time.After(10 * time.Millisecond):
	}
	if err := r.Admits(); !errors.Is(err, media.Shutdown) {
		t.Errorf("a draining registry admits: %v", err)
	}
	timeUp()
	if err := <-patientDone; !errors.Is(err, media.Shutdown) {
		t.Errorf("the call that was left ended for %v", err)
	}
	await(t, drained, "the drain")
}

func TestSocketsThatOutliveTheirCallAreCounted(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{})
	r := bridge.NewRegistry(0)
	c, l, done := registered(t, r, "1", provider)
	await(t, l.answered, "the answer")
	session(t, server, 0).Drop() // and another one is opened
	session(t, server, 1)
	address, _, _ := strings.Cut(strings.TrimPrefix(provider.BaseURL, "ws://"), "/")
	forgotten, err := c.Reach(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if n := r.LeakedSockets(); n != 0 {
		t.Errorf("%d sockets are leaked while the call lives", n)
	}
	c.End(media.OperatorHungUp)
	<-done
	if n := r.LeakedSockets(); n != 1 {
		t.Errorf("%d sockets are leaked, want the one that was forgotten", n)
	}
	for range 2 {
		_ = forgotten.Close()
	}
	if n := r.LeakedSockets(); n != 0 {
		t.Errorf("%d sockets are leaked after all", n)
	}
}
