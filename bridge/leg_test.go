package bridge_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// leg is a phone side that does only what a test tells it to.
type leg struct {
	codec     media.Codec
	ringErr   error
	answerErr error
	stuck     bool // neither Hangup nor the far end reacts: it must be cut

	started  chan struct{} // Run was called
	answered chan struct{}
	hungUp   chan error // the cause of the first Hangup
	end      chan error // what Run is to return
	cut      chan struct{}

	up   media.Uplink // both set when started is closed
	down media.Downlink
	once sync.Once
}

func newLeg() *leg {
	return &leg{
		started:  make(chan struct{}),
		answered: make(chan struct{}),
		hungUp:   make(chan error, 1),
		end:      make(chan error, 1),
		cut:      make(chan struct{}),
	}
}

func (l *leg) Codec() media.Codec { return l.codec }

func (l *leg) Ring(context.Context) error { return l.ringErr }

func (l *leg) Answer(context.Context) error {
	if l.answerErr != nil {
		return l.answerErr
	}
	close(l.answered)
	return nil
}

func (l *leg) Run(ctx context.Context, up media.Uplink, down media.Downlink) error {
	l.up, l.down = up, down
	close(l.started)
	select {
	case err := <-l.end:
		return err
	case <-ctx.Done():
		close(l.cut)
		return context.Cause(ctx)
	}
}

func (l *leg) Hangup(ctx context.Context, cause error) error {
	l.once.Do(func() { l.hungUp <- cause })
	if l.stuck {
		<-ctx.Done()
		return ctx.Err()
	}
	select {
	case l.end <- cause:
	default:
	}
	return nil
}

// take takes n frames of agent audio, as a pacer would, and returns the audio.
func (l *leg) take(n int) []byte {
	<-l.started
	var audio []byte
	for range n {
		frame := make([]byte, media.FrameBytes)
		audio = append(audio, frame[:l.down.Next(frame)]...)
	}
	return audio
}

// await takes n frames of agent audio, waiting for what has not come yet.
func (l *leg) await(t *testing.T, n int) []byte {
	t.Helper()
	var audio []byte
	for {
		audio = append(audio, l.take(n-len(audio)/media.FrameBytes)...)
		if len(audio) >= n*media.FrameBytes {
			return audio
		}
		l.awaitAudio(t)
	}
}

// cause returns why the leg was hung up.
func (l *leg) cause(t *testing.T) error {
	t.Helper()
	select {
	case cause := <-l.hungUp:
		return cause
	case <-time.After(patience):
		t.Fatal("the leg was not hung up")
		return nil
	}
}

// hearOut takes audio until the call hangs up.
func (l *leg) hearOut(t *testing.T) {
	t.Helper()
	<-l.started
	deadline := time.After(patience)
	for {
		if len(l.take(1)) > 0 {
			continue
		}
		select {
		case cause := <-l.hungUp:
			l.hungUp <- cause
			return
		case <-l.down.Ready():
		case <-deadline:
			t.Fatal("the call was not hung up")
		}
	}
}

// awaitAudio returns when the leg has agent audio to take.
func (l *leg) awaitAudio(t *testing.T) {
	t.Helper()
	<-l.started
	select {
	case <-l.down.Ready():
	case <-time.After(patience):
		t.Fatal("no agent audio came")
	}
}

// speak sends caller audio.
func (l *leg) speak(audio []byte) {
	<-l.started
	for ; len(audio) > 0; audio = audio[min(len(audio), media.FrameBytes):] {
		l.up.Frame(audio[:min(len(audio), media.FrameBytes)])
	}
}

// bufferingLeg is a leg whose far end buffers: heard is what it says.
type bufferingLeg struct {
	*leg
	heard   int64
	flushes chan struct{}
}

func (l *bufferingLeg) Flush() int64 {
	l.flushes <- struct{}{}
	return l.heard
}

// patience bounds every wait for what must happen.
const patience = 20 * time.Second
