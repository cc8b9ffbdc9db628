package caller

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/phone"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
	"github.com/callgw/callgw/sip"
)

// Config of a call.
type Config struct {
	// Target is a SIP URI, or the address of a gateway that takes media streams:
	// ws://host:port, wss://host, or the URL of its voice webhook.
	Target string
	// From and To are the numbers; a SIP call's To is in its target.
	From, To string
	// Codecs are what a SIP call offers; none: both laws.
	Codecs []media.Codec
	// SIP sets a SIP call's particulars: name, asserted identity, headers, how long it
	// may ring. Its From and To are taken from the above.
	SIP sip.Dial
	// Carrier sets the media-stream carrier's particulars: signature, delay,
	// faults. Its WebhookURL, From and To are taken from the above.
	Carrier mediastreamtest.Config
	// Ringing is called when the far end rings. It may be nil.
	Ringing func()
	// Early is called when a SIP call is heard before the answer. It may be nil.
	Early func()
	// Observe is the phone's.
	Observe func(phone.Change)
	Log     zerolog.Logger
}

// line is what carries a call: a SIP call or a media stream, seen from the far
// end.
type line interface {
	Run(ctx context.Context, up media.Uplink, down media.Downlink) error
	Hangup(ctx context.Context, cause error) error
}

// Call is an answered call.
type Call struct {
	Phone *phone.Phone
	Setup time.Duration // from dialling to the answer

	line    line
	release func()          // frees what the line needed, when it has ended
	alive   context.Context // ends with the call, for its cause
	stop    context.CancelFunc
	done    chan struct{}
}

// Dial places a call and returns when it is answered. It ends with ctx.
func Dial(ctx context.Context, cfg Config) (*Call, error) {
	began := time.Now()
	var c *Call
	var err error
	switch scheme, _, _ := strings.Cut(cfg.Target, ":"); scheme {
	case "sip":
		c, err = dialSIP(ctx, cfg)
	case "ws", "wss", "http", "https":
		c, err = dialStream(ctx, cfg)
	default:
		return nil, fmt.Errorf("caller: target %q: sip:user@host, ws://host or wss://host is needed", cfg.Target)
	}
	if err != nil {
		return nil, err
	}
	c.Setup = time.Since(began)
	c.done = make(chan struct{})
	ctx, c.stop = context.WithCancel(ctx)
	alive, ended := context.WithCancelCause(context.WithoutCancel(ctx))
	c.alive = alive
	go func() {
		defer close(c.done)
		err := c.line.Run(ctx, c.Phone, c.Phone)
		c.release()
		if err == nil {
			err = media.CallerHungUp
		}
		ended(err)
	}()
	return c, nil
}

// Done is closed when nothing of the call is left.
func (c *Call) Done() <-chan struct{} { return c.done }

// Err returns why the call ended, an error that wraps a media.Cause; nil while
// it lasts.
func (c *Call) Err() error { return context.Cause(c.alive) }

// During returns a context that ends with ctx or with the call, whose end is
// then its cause.
func (c *Call) During(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.alive, func() {
		cancel(ended(context.Cause(c.alive)))
	})
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// Hangup ends the call as a caller does and returns when it has ended.
func (c *Call) Hangup(ctx context.Context) error {
	err := c.line.Hangup(ctx, media.CallerHungUp)
	c.stop()
	<-c.done
	return err
}

// Stream returns the media-stream carrier's side of the call, nil for SIP.
func (c *Call) Stream() *mediastreamtest.Call {
	s, _ := c.line.(*mediastreamtest.Call)
	return s
}

// group runs what a line needs and waits for it.
type group struct {
	wg   sync.WaitGroup
	stop context.CancelFunc
}

func (g *group) run(ctx context.Context, parts ...func(context.Context) error) {
	ctx, g.stop = context.WithCancel(context.WithoutCancel(ctx))
	for _, part := range parts {
		g.wg.Go(func() {
			// A part that fails takes the call down, which says why.
			_ = part(ctx)
		})
	}
}

func (g *group) release() {
	g.stop()
	g.wg.Wait()
}
