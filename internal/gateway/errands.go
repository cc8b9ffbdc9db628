package gateway

import (
	"context"
	"sync"

	"github.com/callgw/callgw/bridge/media"
)

// errands runs what is begun on request and must not outlive the gateway.
type errands struct {
	ctx    context.Context // of all errands
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	over    bool
	running sync.WaitGroup
}

func newErrands() *errands {
	e := &errands{}
	e.ctx, e.cancel = context.WithCancelCause(context.Background())
	return e
}

// run returns when ctx has ended and all errands are done.
func (e *errands) run(ctx context.Context) error {
	<-ctx.Done()
	e.close()
	e.running.Wait()
	return nil
}

// close ends the errands and lets no more begin.
func (e *errands) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over = true
	e.cancel(media.Shutdown)
}

// start runs f in a goroutine of its own; false: the gateway is going down.
func (e *errands) start(f func(ctx context.Context)) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return false
	}
	e.running.Go(func() { f(e.ctx) })
	return true
}
