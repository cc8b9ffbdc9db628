package gateway

import (
	"context"
	"sync"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
)

// dialled is the leg of a SIP call out: answering it is dialling.
type dialled struct {
	codec  media.Codec // the session's
	dial   func(ctx context.Context) (*sip.Call, error)
	call   *sip.Call     // set when ready is closed
	ready  chan struct{} // closed when the call was answered
	hungUp chan struct{}
	hangUp sync.Once
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

// Codec is what the session is opened for, before anybody was called. Where the far
// end chooses the other law, Run recodes.
func (d *dialled) Codec() media.Codec { return d.codec }

// Ring does nothing: it is the far end that rings.
func (d *dialled) Ring(context.Context) error { return nil }

// Answer dials.
func (d *dialled) Answer(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-d.hungUp:
			cancel(media.OperatorHungUp)
		case <-ctx.Done():
		}
	}()
	call, err := d.dial(ctx)
	if err != nil {
		return err
	}
	d.call = call
	close(d.ready)
	return nil
}

// Run carries the call once it was answered.
func (d *dialled) Run(ctx context.Context, up media.Uplink, down media.Downlink) error {
	select {
	case <-d.ready:
		if law := d.call.Codec(); law != d.codec {
			up, down = recoded(d.codec, law, up, down)
		}
		return d.call.Run(ctx, up, down)
	case <-d.hungUp:
		return media.OperatorHungUp
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Hangup ends the call, or the attempt.
func (d *dialled) Hangup(ctx context.Context, cause error) error {
	if call := d.answered(); call != nil {
		return call.Hangup(ctx, cause)
	}
	d.hangUp.Do(func() { close(d.hungUp) })
	return nil
}

// answered returns the call, nil before it is answered.
func (d *dialled) answered() *sip.Call {
	select {
	case <-d.ready:
		return d.call
	default:
		return nil
	}
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
