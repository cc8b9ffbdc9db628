package bridge

import (
	"context"

	"github.com/callgw/callgw/bridge/media"
)

// Leg is the phone side of one call. Its methods may be called from any
// goroutine; Ring and Answer once each, in this order, Ring not of calls out.
//
// A leg whose far end buffers audio implements [media.Flusher] as well.
type Leg interface {
	// Codec is the law of Run's audio, in both directions. It stays the same.
	Codec() media.Codec

	// Ring tells the caller that the call is being set up.
	Ring(ctx context.Context) error

	// Answer accepts the call. It returns when audio flows, or with an error
	// that wraps a media.Cause when it never will.
	Answer(ctx context.Context) error

	// Run carries audio and events until the leg has ended, and returns only
	// when all that belongs to the leg is gone. It begins before Ring. The
	// error wraps the media.Cause of the end. When ctx ends the leg is cut with
	// the cause of ctx.
	Run(ctx context.Context, up media.Uplink, down media.Downlink) error

	// Hangup ends the leg politely, before the answer by rejecting the call,
	// and waits within ctx for the far end to agree. It is idempotent.
	Hangup(ctx context.Context, cause error) error
}
