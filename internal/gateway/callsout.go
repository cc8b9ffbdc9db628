package gateway

import (
	"context"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/errands"
)

// callsOut runs the calls that are begun on request and must not outlive the gateway.
type callsOut struct {
	ctx    context.Context // of all of them
	cancel context.CancelCauseFunc
	calls  errands.Group
}

func newCallsOut() *callsOut {
	o := &callsOut{}
	o.ctx, o.cancel = context.WithCancelCause(context.Background())
	return o
}

// run returns when ctx has ended and all calls are over.
func (o *callsOut) run(ctx context.Context) error {
	<-ctx.Done()
	o.close()
	return nil
}

// close ends the calls, lets no more begin, and returns when none is left.
func (o *callsOut) close() {
	o.cancel(media.Shutdown)
	o.calls.Wait()
}

// start runs f in a goroutine of its own; false: the gateway is going down.
func (o *callsOut) start(f func(ctx context.Context)) bool {
	return o.calls.Start(func() { f(o.ctx) })
}
