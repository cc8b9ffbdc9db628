package e2e_test

import (
	"testing"

	"github.com/callgw/callgw/bridge/media"
)

// TestLongCalls are those that last a minute, side by side and without the
// bustle of the others: audio that is compared byte by byte needs phones that
// send in time.
func TestLongCalls(t *testing.T) {
	long := func(name string, test func(*testing.T)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
	for _, compute := range tones {
		compute() // before anybody listens
	}
	for _, codec := range []media.Codec{media.PCMU, media.PCMA} {
		long("audio of a SIP call is untouched, "+codec.String(), func(t *testing.T) { sipAudio(t, codec) })
	}
	long("audio of a media stream is untouched", streamAudio)
	if testing.Short() {
		return
	}
	for _, s := range stalls() {
		long(s.leg+": "+s.name, s.test)
	}
	long("twilio: the stream never comes", neverStreams)
	long("sip: the phone sends no audio any more", audioStops)
}
