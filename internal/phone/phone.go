package phone

import (
	"context"
	"sync"
	"time"

	"github.com/zaf/g711"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/vad"
)

// DefaultLimit is how much of what it hears a phone keeps.
const DefaultLimit = 30 * time.Minute

// Config of a phone.
type Config struct {
	Codec media.Codec   // of the call
	Limit time.Duration // of the recording; default DefaultLimit
	// Observe is called when the far end begins and stops to speak, by the
	// goroutine that carries the audio. It may be nil and must not block.
	Observe func(Change)
}

// Change says that the far end began, or stopped, to speak.
type Change struct {
	Speaking bool
	// Latency from the end of what was spoken here, the silence after it not
	// included, to the first sample heard; zero unless this is the reply to it.
	Latency time.Duration
}

// Phone implements [media.Uplink] and [media.Downlink].
type Phone struct {
	cfg   Config
	ready chan struct{}

	mu        sync.Mutex
	changed   chan struct{} // closed and replaced whenever something below changes
	detector  *vad.Detector
	recording []byte // µ-law
	speaking  bool   // the far end
	since     time.Time
	replies   int
	latencies []time.Duration
	digits    []media.Digit
	pending   []byte    // what is still to be spoken
	silence   int       // bytes at the end of pending in which nothing is said
	spokeAt   time.Time // the last of what is said was handed out; zero when answered
	replied   bool      // to what was said last
}

// New returns a silent phone.
func New(cfg Config) *Phone {
	if cfg.Limit == 0 {
		cfg.Limit = DefaultLimit
	}
	if cfg.Observe == nil {
		cfg.Observe = func(Change) {}
	}
	return &Phone{
		cfg:      cfg,
		ready:    make(chan struct{}, 1),
		changed:  make(chan struct{}),
		detector: vad.New(vad.Config{Onset: 2, Window: 3, Hangover: 300 * time.Millisecond}),
		since:    time.Now(),
	}
}

// Frame implements media.Uplink: the phone hears.
func (p *Phone) Frame(frame []byte) {
	now := time.Now()
	p.mu.Lock()
	if int64(len(p.recording)) < media.Bytes(p.cfg.Limit) {
		p.recording = append(p.recording, frame...)
		if p.cfg.Codec == media.PCMA {
			for i := len(p.recording) - len(frame); i < len(p.recording); i++ {
				p.recording[i] = g711.Alaw2UlawFrame(p.recording[i])
			}
		}
	}
	var change *Change
	switch what, _ := p.detector.Frame(vad.Level(p.cfg.Codec, frame)); what {
	case vad.Started:
		change = &Change{Speaking: true}
		if !p.spokeAt.IsZero() {
			// The onset takes two frames to be sure of.
			change.Latency = now.Sub(p.spokeAt) - 2*media.FrameDuration
			p.latencies = append(p.latencies, change.Latency)
			p.spokeAt, p.replied = time.Time{}, true
		}
		p.speaking = true
		p.replies++
	case vad.Stopped:
		change = &Change{}
		p.speaking = false
	}
	if change != nil {
		p.since = now
		p.signal()
	}
	p.mu.Unlock()
	if change != nil {
		p.cfg.Observe(*change)
	}
}

// Digit implements media.Uplink.
func (p *Phone) Digit(d media.Digit) {
	p.mu.Lock()
	p.digits = append(p.digits, d)
	p.signal()
	p.mu.Unlock()
}

// Hold implements media.Uplink.
func (p *Phone) Hold(bool) {}

// Next implements media.Downlink: the phone speaks.
func (p *Phone) Next(frame []byte) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := len(p.pending)
	n := copy(frame, p.pending)
	p.pending = p.pending[n:]
	if before > p.silence && len(p.pending) <= p.silence {
		p.spokeAt = time.Now()
	}
	if n > 0 && len(p.pending) == 0 {
		p.signal()
	}
	return n
}

// Ready implements media.Downlink.
func (p *Phone) Ready() <-chan struct{} { return p.ready }

// Heard implements media.Downlink.
func (p *Phone) Heard(int64) {}

// Say speaks a µ-law recording and returns when its last sample was sent.
func (p *Phone) Say(ctx context.Context, ulaw []byte) error {
	audio := append([]byte(nil), ulaw...)
	if p.cfg.Codec == media.PCMA {
		for i, b := range audio {
			audio[i] = g711.Ulaw2AlawFrame(b)
		}
	}
	silence := silenceAfter(p.cfg.Codec, audio)
	p.mu.Lock()
	p.pending = append(p.pending, audio...)
	p.silence = silence
	p.spokeAt, p.replied = time.Time{}, false
	p.mu.Unlock()
	select {
	case p.ready <- struct{}{}:
	default:
	}
	return p.wait(ctx, func() bool { return len(p.pending) == 0 })
}

// faint is the level in dBFS below which a recording says nothing.
const faint = -50

// silenceAfter returns how many bytes of audio come after all that is said in it:
// none if nothing is.
func silenceAfter(codec media.Codec, audio []byte) int {
	for end := len(audio); end > 0; {
		begin := max(end-media.FrameBytes, 0)
		if vad.Level(codec, audio[begin:end]) > faint {
			return len(audio) - end
		}
		end = begin
	}
	return 0
}

// AwaitReply returns when the far end has begun to answer what was said last, or
// speaks already. The answer may come, and even be over, while silence at the end
// of a recording is still being sent.
func (p *Phone) AwaitReply(ctx context.Context) error {
	return p.wait(ctx, func() bool { return p.replied || p.speaking })
}

// AwaitSpeech returns when the far end has spoken for at least d without a pause.
func (p *Phone) AwaitSpeech(ctx context.Context, d time.Duration) error {
	return p.awaitState(ctx, true, d)
}

// AwaitQuiet returns when the far end has been quiet for at least d.
func (p *Phone) AwaitQuiet(ctx context.Context, d time.Duration) error {
	return p.awaitState(ctx, false, d)
}

// awaitState waits until the far end has been speaking, or quiet, for d.
func (p *Phone) awaitState(ctx context.Context, speaking bool, d time.Duration) error {
	for {
		if err := p.wait(ctx, func() bool { return p.speaking == speaking }); err != nil {
			return err
		}
		p.mu.Lock()
		left, changed := d-time.Since(p.since), p.changed
		p.mu.Unlock()
		if left <= 0 {
			return nil
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
		timer.Stop()
	}
}

// wait returns when done, called under the lock, says so.
func (p *Phone) wait(ctx context.Context, done func() bool) error {
	for {
		p.mu.Lock()
		ok, changed := done(), p.changed
		p.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// signal wakes who waits; the caller holds the lock.
func (p *Phone) signal() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// Report is what a phone has gathered.
type Report struct {
	Recording []byte          // µ-law, silence included
	Replies   int             // times that the far end began to speak
	Latencies []time.Duration // of the replies to something said
	Digits    []media.Digit   // heard
}

// Report returns what has been gathered so far.
func (p *Phone) Report() Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Report{
		Recording: append([]byte(nil), p.recording...),
		Replies:   p.replies,
		Latencies: append([]time.Duration(nil), p.latencies...),
		Digits:    append([]media.Digit(nil), p.digits...),
	}
}
