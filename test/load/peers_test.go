package load_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/phone"
	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/callgw/callgw/test/fixtures"
)

// leg is a call as its far end sees it.
type leg interface {
	Run(ctx context.Context, up media.Uplink, down media.Downlink) error
	Hangup(ctx context.Context, cause error) error
}

// dialer places one call.
type dialer func(ctx context.Context, n int) (leg, error)

// replyTime is how long the agent speaks.
const replyTime = 3 * time.Second

// providerLatency is the time from a response's creation to its first output.
const providerLatency = 50 * time.Millisecond

// rampUp spreads the beginnings of calls: many at the same moment are another
// question.
const rampUp = 8 * time.Millisecond

// servePeers is the second process: it obeys orders until there are no more.
func servePeers(orders io.Reader, reports io.Writer) error {
	song := realtimetest.ToneAudio(realtimetest.PCMU, replyTime)
	provider, err := realtimetest.Listen(realtimetest.Config{
		Forget: true,
		Pace:   &realtimetest.Pace{Latency: providerLatency, Rate: 4},
		Voice:  func(realtimetest.Turn) realtimetest.Reply { return realtimetest.Speak(song, "La.") },
	})
	if err != nil {
		return err
	}
	defer provider.Close()
	in, out := json.NewDecoder(orders), json.NewEncoder(reports)
	if err := out.Encode(report{Provider: provider.URL}); err != nil {
		return err
	}
	var o order
	if err := in.Decode(&o); err != nil {
		return err
	}
	dial, release, err := newDialer(o)
	if err != nil {
		return err
	}
	defer release()
	if o.Rate > 0 {
		return out.Encode(storm(dial, o))
	}
	c := callers{dial: dial}
	answered, err := c.begin(o.Calls)
	if err := out.Encode(report{Answered: answered, Error: text(err)}); err != nil {
		return err
	}
	if err := in.Decode(&o); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return out.Encode(report{Lasted: c.end()})
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func newDialer(o order) (dialer, func(), error) {
	if o.Leg == sipLeg {
		return newSIPDialer(o.Target)
	}
	return newStreamDialer(o.Target), func() {}, nil
}

// callers are calls that last until end.
type callers struct {
	dial   dialer
	ctx    context.Context
	stop   context.CancelFunc
	lasted atomic.Int64
	wg     sync.WaitGroup
}

// begin places n calls and returns how many were answered.
func (c *callers) begin(n int) (answered int, err error) {
	c.ctx, c.stop = context.WithCancel(context.Background())
	tick := time.NewTicker(rampUp)
	defer tick.Stop()
	results := make(chan error, n)
	for i := range n {
		<-tick.C
		c.wg.Go(func() { c.call(i, results) })
	}
	for range n {
		if e := <-results; e != nil {
			err = errors.Join(err, e)
		} else {
			answered++
		}
	}
	return answered, err
}

// call is one call, from dialling to its end.
func (c *callers) call(n int, result chan<- error) {
	dialling, cancel := context.WithTimeout(c.ctx, 20*time.Second)
	defer cancel()
	l, err := c.dial(dialling, n)
	if err != nil {
		result <- fmt.Errorf("call %d: %w", n, err)
		return
	}
	result <- nil
	p := phone.New(phone.Config{Limit: time.Second})
	alive, ended := context.WithCancel(c.ctx)
	var talking sync.WaitGroup
	talking.Go(func() { talk(alive, p, n) })
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = l.Run(context.WithoutCancel(c.ctx), p, p) // that it ended too early shows in what lasted
		ended()
	}()
	select {
	case <-over:
	case <-c.ctx.Done():
		c.lasted.Add(1)
	}
	hanging, cancelHanging := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancelHanging()
	_ = l.Hangup(hanging, media.CallerHungUp)
	<-over
	talking.Wait()
}

// talk speaks and listens in turn. Every third reply is interrupted.
func talk(ctx context.Context, p *phone.Phone, n int) {
	for turn := n; ctx.Err() == nil; turn++ {
		heard := p.AwaitSpeech(ctx, time.Second)
		if turn%3 != 0 {
			heard = errors.Join(heard, p.AwaitQuiet(ctx, 300*time.Millisecond))
		}
		if heard != nil || p.Say(ctx, fixtures.CallerInterrupt) != nil {
			return
		}
	}
}

// end hangs all calls up and returns how many had lasted until then.
func (c *callers) end() int {
	c.stop()
	c.wg.Wait()
	return int(c.lasted.Load())
}
