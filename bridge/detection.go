package bridge

import (
	"time"

	"github.com/callgw/callgw/bridge/answering"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/vad"
)

// Detection says whether it is found out who answers a call out, a human or a
// machine, and what is done then. The agent speaks meanwhile, unless WaitForHuman.
// The zero value finds nothing out.
type Detection struct {
	By DetectedBy
	// Timing is what the detector goes by. Its Timeout bounds the carrier's
	// detection as well; the codec is the leg's.
	Timing answering.Config
	// OnMachine is what is done when a machine has answered. A fax gets no message,
	// and is hung up where a machine would get one.
	OnMachine OnMachine
	// Message is what LeaveMessage leaves: it is heard out, then the call ends.
	Message Greeting
	// WaitForHuman holds the agent's words until a human has answered, or it is
	// clear that this stays unknown.
	WaitForHuman bool
	// Tell is what the model is told of who has answered; nothing where it is
	// empty.
	Tell map[answering.Verdict]string
}

// DetectedBy is who finds out who has answered.
type DetectedBy uint8

// The ways to find out.
const (
	DetectedByNobody  DetectedBy = iota
	DetectedInAudio              // our own detector
	DetectedByCarrier            // whoever calls Call.Answered
)

// String returns the name that metrics and timelines have for it.
func (d DetectedBy) String() string {
	return [...]string{"", "detector", "carrier"}[d]
}

// OnMachine is what is done when a machine has answered.
type OnMachine uint8

// What can be done.
const (
	CarryOn      OnMachine = iota // as if a human had
	HangUpAtOnce                  // the call ends
	LeaveMessage                  // when the machine's message is over
)

// listener runs the detector over what comes from the leg. It belongs to the leg's
// reader.
type listener struct {
	call     *Call
	codec    media.Codec
	detector *answering.Detector
	echo     *reference
	silence  [media.FrameBytes]byte
}

func newListener(c *Call, echo *reference) (*listener, error) {
	cfg := c.cfg.Agent.Detection.Timing
	cfg.Codec = c.cfg.Leg.Codec()
	d, err := answering.New(cfg)
	if err != nil {
		return nil, err
	}
	l := &listener{call: c, codec: cfg.Codec, detector: d, echo: echo}
	l.codec.FillSilence(l.silence[:])
	return l, nil
}

// hear takes audio of the leg. The agent's own echo, come back, is silence.
func (l *listener) hear(p []byte, now time.Time) {
	if l.detector.Done() {
		return
	}
	news := false
	if l.echo.explains(vad.Level(l.codec, p), now) {
		for n := len(p); n > 0; n -= len(l.silence) {
			news = l.detector.Hear(l.silence[:min(n, len(l.silence))]) || news
		}
	} else {
		news = l.detector.Hear(p)
	}
	if news {
		l.tell()
	}
}

// tell hands the detector's news to the call's own goroutine.
func (l *listener) tell() {
	v, after := l.detector.Verdict()
	over, _ := l.detector.Over()
	c := l.call
	c.post(func() { c.learn(v, over, after) })
}
