package bridge_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// relayingLeg passes its caller on to a second call when it transfers.
type relayingLeg struct {
	*leg
	ended  chan error // what ends the two calls
	parted chan error // why they were hung up
}

func (l *relayingLeg) Transfer(context.Context, string) error {
	l.end <- media.Transferred
	return nil
}

func (l *relayingLeg) Relayed() (string, bool) { return "second", true }

func (l *relayingLeg) Relay(ctx context.Context) error {
	select {
	case err := <-l.ended:
		return err
	case <-ctx.Done():
		l.parted <- context.Cause(ctx)
		return context.Cause(ctx)
	}
}

// relayed runs a call in r until its caller was passed on.
func relayed(t *testing.T, r *bridge.Registry, metrics *bridge.Metrics) (*bridge.Call, *relayingLeg, chan error) {
	t.Helper()
	_, provider := serve(t, realtimetest.Config{})
	l := &relayingLeg{leg: newLeg(), ended: make(chan error, 1), parted: make(chan error, 1)}
	passedOn := make(chan struct{})
	c := bridge.New(bridge.Config{
		Facts: bridge.Facts{ID: "1", Leg: "test"}, Leg: l, Metrics: metrics,
		Agent: bridge.Agent{Name: "a", Providers: []realtime.Provider{provider}},
		Observe: func(e bridge.Event) {
			if e.Name == bridge.EventRelayed {
				close(passedOn)
			}
		},
	})
	done := make(chan error, 1)
	go func() { done <- r.Run(context.Background(), c) }()
	await(t, l.answered, "the answer")
	if err := c.Transfer(within(t), "+14155550100"); err != nil {
		t.Fatal(err)
	}
	await(t, passedOn, "the caller to be passed on")
	return c, l, done
}

func TestACallerWhoIsPassedOnIsACallUntilTheEnd(t *testing.T) {
	reg := prometheus.NewRegistry()
	r := bridge.NewRegistry(1)
	reg.MustRegister(r)
	c, l, done := relayed(t, r, bridge.NewMetrics(reg))
	if got := c.State().String(); got != "transferred" || c.HasSession() || r.Leaked() != 0 {
		t.Errorf("the call is %s, session %v, %d leaks", got, c.HasSession(), r.Leaked())
	}
	if err := r.Admits(); !errors.Is(err, media.Busy) {
		t.Errorf("its place is given away: %v", err)
	}
	if err := c.SendDigits(within(t), "1"); !errors.Is(err, bridge.ErrNoSession) {
		t.Errorf("SendDigits() = %v", err)
	}
	c.End(media.ProviderLost) // has no meaning any more
	const labels = `agent="a",leg="test",provider="test",trunk=""`
	wantSeries(t, reg, "callgw_calls_relayed", "gauge", `{`+labels+`} 1`)
	l.ended <- media.TargetHungUp
	if err := <-done; !errors.Is(err, media.Transferred) {
		t.Errorf("Run() = %v", err)
	}
	wantSeries(t, reg, "callgw_relays_total", "counter", `{agent="a",cause="target_hung_up",leg="test",provider="test",trunk=""} 1`)
	tail := strings.Join(names(c)[len(names(c))-4:], " ")
	if tail != "ending relayed relay_ended ended" {
		t.Errorf("the timeline ends with %s", tail)
	}
	if len(r.Calls()) != 0 || r.Admits() != nil {
		t.Errorf("%d calls are left", len(r.Calls()))
	}
}

// wantSeries compares the only series of that name.
func wantSeries(t *testing.T, reg *prometheus.Registry, name, kind, want string) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			text := "# HELP " + name + " " + f.GetHelp() + "\n# TYPE " + name + " " + kind + "\n" + name + want + "\n"
			if err := testutil.GatherAndCompare(reg, strings.NewReader(text), name); err != nil {
				t.Error(err)
			}
			return
		}
	}
	t.Errorf("there is no %s", name)
}

func TestACallerWhoIsPassedOnIsHungUp(t *testing.T) {
	for name, hangUp := range map[string]func(r *bridge.Registry, c *bridge.Call) media.Cause{
		"by an operator": func(_ *bridge.Registry, c *bridge.Call) media.Cause {
			c.HangUp(media.OperatorHungUp)
			return media.OperatorHungUp
		},
		"at the end of a drain": func(r *bridge.Registry, _ *bridge.Call) media.Cause {
			now, cancel := context.WithCancel(context.Background())
			cancel()
			r.Drain(now)
			return media.Shutdown
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := bridge.NewRegistry(0)
			c, l, done := relayed(t, r, nil)
			want := hangUp(r, c)
			if err := <-l.parted; !errors.Is(err, want) {
				t.Errorf("the two were parted for %v, not %v", err, want)
			}
			if err := <-done; !errors.Is(err, media.Transferred) {
				t.Errorf("Run() = %v", err)
			}
		})
	}
}

// lateLeg passes its caller on in the moment in which the call ends otherwise.
type lateLeg struct{ *relayingLeg }

func (l *lateLeg) Hangup(context.Context, error) error {
	l.end <- media.Transferred // there is nothing left to hang up here
	return nil
}

func TestACallerWhoIsPassedOnAsTheCallEndsIsHungUp(t *testing.T) {
	_, provider := serve(t, realtimetest.Config{})
	l := &lateLeg{&relayingLeg{leg: newLeg(), ended: make(chan error, 1), parted: make(chan error, 1)}}
	c := bridge.New(bridge.Config{
		Facts: bridge.Facts{ID: "1", Leg: "test"}, Leg: l,
		Agent: bridge.Agent{Name: "a", Providers: []realtime.Provider{provider}},
	})
	done := make(chan error, 1)
	go func() { done <- bridge.NewRegistry(0).Run(context.Background(), c) }()
	await(t, l.answered, "the answer")
	c.HangUp(media.OperatorHungUp)
	if err := <-done; !errors.Is(err, media.OperatorHungUp) {
		t.Errorf("Run() = %v", err)
	}
	select {
	case err := <-l.parted:
		if !errors.Is(err, media.OperatorHungUp) {
			t.Errorf("the two were parted for %v", err)
		}
	default:
		t.Error("the two speak on, and nobody knows")
	}
}
