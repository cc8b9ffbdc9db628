package gateway_test

import (
	"bytes"
	"testing"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/gateway"
	"github.com/callgw/callgw/internal/transcode"
)

// ends are both ends of what is recoded.
type ends struct {
	heard []byte // of the far end
	says  []byte // the session
}

func (e *ends) Frame(p []byte)         { e.heard = append(e.heard[:0], p...) }
func (e *ends) Digit(media.Digit)      {}
func (e *ends) Hold(bool)              {}
func (e *ends) Next(p []byte) int      { return copy(p, e.says) }
func (e *ends) Ready() <-chan struct{} { return nil }
func (e *ends) Heard(int64)            {}

func TestAFarEndOfAnotherLawIsRecoded(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, session := range []media.Codec{media.PCMU, media.PCMA} {
		far := media.PCMU + media.PCMA - session
		e := &ends{says: all[:100]}
		up, down := gateway.Recoded(session, far, e, e)
		up.Frame(all)
		if want := transcode.AppendLaw(nil, all, far, session); !bytes.Equal(e.heard, want) {
			t.Errorf("a session of %v hears\n%x, not\n%x", session, e.heard, want)
		}
		frame := make([]byte, media.FrameBytes)
		n := down.Next(frame)
		if want := transcode.AppendLaw(nil, e.says, session, far); n != 100 || !bytes.Equal(frame[:n], want) {
			t.Errorf("a far end of %v hears\n%x, not\n%x", far, frame[:n], want)
		}
		if n := testing.AllocsPerRun(100, func() {
			up.Frame(frame)
			down.Next(frame)
		}); n != 0 {
			t.Errorf("%v allocations a frame", n)
		}
	}
}
