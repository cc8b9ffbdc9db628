package gateway

import (
	"context"
	"sync"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
)

// dialled is the leg of a SIP call out: answering it is dialling. Either it is
// answered or it is hung up before.
type dialled struct {
	codec  media.Codec // the session's
	dial   func(ctx context.Context) (*sip.Call, error)
	ready  chan struct{} // closed when the call was answered
	hungUp chan struct{} // closed when it was hung up before

	mu   sync.Mutex
	call *sip.Call // nil before it is answered
	over bool      // hungUp is closed
}

var (
	_ bridge.Leg         = (*dialled)(nil)
	_ bridge.Transferrer = (*dialled)(nil)
	_ bridge.Relayer     = (*dialled)(nil)
	_ bridge.DigitSender = (*dialled)(nil)
	_ bridge.Measurer    = (*dialled)(nil)
)

func newDialled(codec media.Codec, dial func(context.Context) (*sip.Call, error)) *dialled {
	return &dialled{codec: codec, dial: dial, ready: make(chan struct{}), hungUp: make(chan struct{})}
}

// Codec is what the session is opened for, before anybody was called.
func (d *dialled) Codec() media.Codec { return d.codec }

// Ring does nothing: it is the far end that rings.
func (d *dialled) Ring(context.Context) error { return nil }

// Answer dials.
func (d *dialled) Answer(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel(nil)
	watching.Go(func() {
		select {
		case <-d.hungUp:
			cancel(media.OperatorHungUp)
		case <-ctx.Done():
		}
	})
	call, err := d.dial(ctx)
	if err != nil {
		return err
	}
	if !d.take(call) {
		// The phone was lifted in the very moment in which nobody wanted it any more.
		_ = call.Hangup(context.WithoutCancel(ctx), media.OperatorHungUp) // it is over, answered or not
		return media.OperatorHungUp
	}
	return nil
}

// take makes call the leg's. It returns false when the leg was hung up.
func (d *dialled) take(call *sip.Call) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return false
	}
	d.call = call
	close(d.ready)
	return true
}

// Run carries the call once it was answered.
func (d *dialled) Run(ctx context.Context, up media.Uplink, down media.Downlink) error {
	select {
	case <-d.ready:
		return d.answered().Run(ctx, up, down)
	case <-d.hungUp:
		return media.OperatorHungUp
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Hangup ends the call, or the attempt.
func (d *dialled) Hangup(ctx context.Context, cause error) error {
	if call := d.giveUp(); call != nil {
		return call.Hangup(ctx, cause)
	}
	return nil
}

// giveUp returns the call. Without one, there will be none.
func (d *dialled) giveUp() *sip.Call {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.call == nil && !d.over {
		d.over = true
		close(d.hungUp)
	}
	return d.call
}

// answered returns the call, nil before it is answered.
func (d *dialled) answered() *sip.Call {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.call
}

// Transfer is that of the call.
func (d *dialled) Transfer(ctx context.Context, target string) error {
	if call := d.answered(); call != nil {
		return call.Transfer(ctx, target)
	}
	return bridge.ErrNotAnswered
}

// SendDigits is that of the call.
func (d *dialled) SendDigits(ctx context.Context, digits string) error {
	if call := d.answered(); call != nil {
		return call.SendDigits(ctx, digits)
	}
	return bridge.ErrNotAnswered
}

// Relayed is that of the call.
func (d *dialled) Relayed() (second string, ok bool) {
	if call := d.answered(); call != nil {
		return call.Relayed()
	}
	return "", false
}

// Relay is that of the call.
func (d *dialled) Relay(ctx context.Context) error {
	if call := d.answered(); call != nil {
		return call.Relay(ctx)
	}
	return bridge.ErrNotAnswered
}

// Quality is that of the call.
func (d *dialled) Quality() media.Quality {
	if call := d.answered(); call != nil {
		return call.Quality()
	}
	return media.Quality{}
}
