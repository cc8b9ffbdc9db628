package answering

import (
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/vad"
)

// networkPause is the silence that ends a machine's message after a tone of the
// network: longer than ringing pauses.
const networkPause = 4500 * time.Millisecond

// Detector follows the audio of one call from its answer on. It is not safe for
// concurrent use.
type Detector struct {
	codec    media.Codec
	speech   int64 // all of these in frames
	end      int64
	silence  int64
	pause    int64
	timeout  int64
	tones    tones
	activity activity

	frame  [media.FrameBytes]byte
	filled int
	now    int64 // frames taken

	verdict Verdict
	decided int64
	over    End
	overAt  int64
}

// New returns a detector that has heard nothing yet, or what is out of bounds in
// cfg.
func New(cfg Config) (*Detector, error) {
	if err := cfg.Complete(); err != nil {
		return nil, err
	}
	d := &Detector{
		codec:    cfg.Codec,
		speech:   frames(cfg.Speech),
		end:      frames(cfg.SpeechEnd),
		silence:  frames(cfg.Silence),
		pause:    frames(cfg.MessagePause),
		timeout:  frames(cfg.Timeout),
		activity: newActivity(),
	}
	d.tones.linear, d.tones.level = &linear[cfg.Codec&1], vad.Quiet
	return d, nil
}

// frames returns how many frames begin within t.
func frames(t time.Duration) int64 {
	return int64((t + media.FrameDuration - 1) / media.FrameDuration)
}

// Hear takes audio of any length in the codec's law, and tells whether it has
// brought a verdict, or a machine's message to its end. A verdict is final.
func (d *Detector) Hear(p []byte) (news bool) {
	for len(p) > 0 && !d.Done() {
		n := copy(d.frame[d.filled:], p)
		p = p[n:]
		if d.filled += n; d.filled == media.FrameBytes {
			d.filled = 0
			news = d.take() || news
		}
	}
	return news
}

// Done tells that there is nothing more to find out.
func (d *Detector) Done() bool {
	return d.verdict != Undecided && (d.verdict != Machine || d.over != Running)
}

// Verdict returns who has answered, and after how much audio that was known.
func (d *Detector) Verdict() (v Verdict, after time.Duration) {
	return d.verdict, time.Duration(d.decided) * media.FrameDuration
}

// Over returns how a machine's message has ended, and after how much audio.
func (d *Detector) Over() (e End, after time.Duration) {
	return d.over, time.Duration(d.overAt) * media.FrameDuration
}

// take judges one whole frame.
func (d *Detector) take() (news bool) {
	level := vad.Level(d.codec, d.frame[:])
	heard := d.tones.frame(d.frame[:], level)
	d.activity.frame(level, d.now)
	d.now++
	if heard == network {
		d.pause = max(d.pause, frames(networkPause))
	}
	if d.verdict == Undecided {
		news = d.decide(heard)
	}
	if d.verdict == Machine {
		news = d.listen(heard) || news
	}
	return news
}

// decide looks for a verdict.
func (d *Detector) decide(heard sound) bool {
	a := &d.activity
	spoken := a.length() >= d.speech
	waits := a.open && !a.sounding && d.now-a.ended >= d.end
	if (spoken || waits) && !a.speech() {
		a.reset()
		spoken, waits = false, false
	}
	switch {
	case d.tones.answered >= cedWindows, d.tones.calling >= cngWindows && !(a.open && a.speech()):
		return d.is(Fax)
	case heard == beep, spoken:
		return d.is(Machine)
	case waits:
		return d.is(Human)
	case !a.open && d.now >= d.silence, d.now >= d.timeout:
		return d.is(Unknown)
	}
	return false
}

func (d *Detector) is(v Verdict) bool {
	d.verdict, d.decided = v, d.now
	return true
}

// listen looks for the end of a machine's message.
func (d *Detector) listen(heard sound) bool {
	switch {
	case heard == beep:
		d.over = Beep
	case !d.activity.sounding && d.now-d.activity.ended >= d.pause:
		d.over = Pause
	case d.now >= d.timeout:
		d.over = Timeout
	default:
		return false
	}
	d.overAt = d.now
	return true
}
