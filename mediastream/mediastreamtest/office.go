package mediastreamtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// office is what the APIs of carriers have in common that take a call elsewhere
// and bring it back as a new stream.
type office struct {
	running sync.WaitGroup // of calls that were transferred

	mu         sync.Mutex
	calls      map[string]*Call // by id, with the latest stream
	requests   []string
	violations []string
}

// Wait returns when nothing is left of calls that were transferred.
func (o *office) Wait() { o.running.Wait() }

// Requests returns what was asked for and done: hangup or transfer.
func (o *office) Requests() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.requests)
}

// Violations returns the gateway's breaches of what follows a transfer.
func (o *office) Violations() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.violations)
}

// adopt enters a call's stream.
func (o *office) adopt(c *Call) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.calls == nil {
		o.calls = make(map[string]*Call)
	}
	o.calls[c.cfg.CallSID] = c
}

// find returns a call, nil if there is none.
func (o *office) find(call string) *Call {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.calls[call]
}

// end ends a call.
func (o *office) end(c *Call) {
	o.mu.Lock()
	delete(o.calls, c.cfg.CallSID)
	o.requests = append(o.requests, "hangup")
	o.mu.Unlock()
	_ = c.tell(context.Background(), control{kind: hangUp, cause: media.OperatorHungUp}, false) // it may be over
}

// detour ends a call's stream and does next.
func (o *office) detour(c *Call, next func(ctx context.Context) error) {
	o.mu.Lock()
	o.requests = append(o.requests, "transfer")
	o.mu.Unlock()
	o.running.Go(func() {
		ctx := context.Background()                                   // requests have their own bounds
		_ = c.tell(ctx, control{kind: hangUp, cause: errMoved}, true) // it may be over
		if err := next(ctx); err != nil {
			o.violation("%v", err)
		}
	})
}

func (o *office) violation(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.violations = append(o.violations, fmt.Sprintf(format, args...))
}

// ring lets the target of a transfer ring, and returns what becomes of it: what
// outcome says, answered at once if that is nil, or late when the target has rung
// for too long.
func (d Dialled) ring(outcome func(Dialled) (status string, after time.Duration), answered, late string) string {
	status, after := answered, time.Duration(0)
	if outcome != nil {
		status, after = outcome(d)
	}
	if after > d.Timeout && status != answered {
		status, after = late, d.Timeout
	}
	time.Sleep(after)
	return status
}

// carry carries a call that has come back, with nobody at the phone.
func (o *office) carry(ctx context.Context, here Config, to destination) error {
	c := newCall(here, rand.New(rand.NewPCG(here.Seed, 3)))
	if err := c.connect(ctx, to); err != nil {
		return err
	}
	o.adopt(c)
	_ = c.Run(ctx, deaf{}, mute{}) // the gateway's side tells how it ends
	return nil
}

// at returns the configuration of requests to another URL of the gateway, as
// the gateway knows it.
func (cfg Config) at(target string) (Config, error) {
	path, ok := strings.CutPrefix(target, strings.TrimSuffix(cfg.PublicURL, "/"))
	gateway, err := url.Parse(cfg.WebhookURL)
	if err != nil || !ok {
		return cfg, fmt.Errorf("mediastreamtest: %q is not below %q: %w", target, cfg.PublicURL, err)
	}
	cfg.WebhookURL = gateway.Scheme + "://" + gateway.Host + path
	return cfg, nil
}
