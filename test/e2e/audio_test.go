package e2e_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// unmoved is an agent that listens and speaks at the same time: nothing that the
// caller says interrupts it or is answered.
const unmoved = `
greeting: {say: Sing.}
session:
  turn_detection: {type: server_vad, create_response: false, interrupt_response: false}
`

// span is how long audio is compared.
func span() time.Duration {
	if testing.Short() {
		return 3 * time.Second
	}
	return time.Minute
}

// noise is audio of which no byte can be told from the others.
func noise(d time.Duration) []byte {
	audio := make([]byte, media.Bytes(d))
	_, _ = rand.Read(audio) // never fails
	return audio
}

// sameAudio compares audio by its hash, and tells where it differs.
func sameAudio(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if sha256.Sum256(got) == sha256.Sum256(want) {
		t.Logf("%s: %d bytes identical, SHA-256 %x", what, len(got), sha256.Sum256(got))
		return
	}
	n := common(got, want)
	t.Errorf("%s: %d of %d bytes came, and only the first %d (%v) are the same",
		what, len(got), len(want), n, media.Duration(int64(n)))
}

// common is how many bytes both begin with.
func common(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// from returns as much of heard as there is of audio, from where its first frame
// is.
func from(heard, audio []byte) []byte {
	at := bytes.Index(heard, audio[:media.FrameBytes])
	if at < 0 {
		return nil
	}
	return heard[at:min(at+len(audio), len(heard))]
}

// arrives waits until what was said by now has reached the provider, and what it
// says the caller: for half a second of further audio.
func arrives(t *testing.T, s *realtimetest.Session) {
	t.Helper()
	enough := s.InputBytes() + media.Bytes(500*time.Millisecond)
	if err := s.Wait(within(t), func() bool { return s.InputBytes() >= enough }); err != nil {
		t.Fatal(err)
	}
}

// sipAudio compares a span of it in both directions, at the same time.
func sipAudio(t *testing.T, codec media.Codec) {
	g := start(t, Setup{Agent: unmoved, Provider: realtimetest.Config{Voice: singing(span())}})
	l := call(t, g, lineConfig{codec: codec})
	s := g.Session(0)
	said := noise(span())
	l.say(said)
	l.until(span()+patience, "the caller to finish", func() bool { return l.spoken == len(said) })
	format := realtimetest.PCMU
	if codec == media.PCMA {
		format = realtimetest.PCMA
	}
	arrives(t, s)
	song := tone(format, span())
	l.until(patience, "the model to finish", func() bool {
		return len(l.packets)*media.FrameBytes >= len(song)+10*media.FrameBytes
	})
	l.bye()
	var heard []byte
	for _, p := range l.heard() {
		heard = append(heard, p.payload...)
	}
	sameAudio(t, "model to caller", from(heard, song), song)
	got := from(s.Input(), said)
	if l.longest > 75*time.Millisecond && !bytes.Equal(got, said) {
		// Silence takes the place of audio that is so late.
		t.Skipf("the test's own phone was up to %v late: this machine is too busy to compare the other direction", l.longest)
	}
	sameAudio(t, "caller to model", got, said)
}

// streamAudio does the same by media stream.
func streamAudio(t *testing.T) {
	g := start(t, Setup{Agent: unmoved, Provider: realtimetest.Config{Voice: singing(span())}})
	p := g.phone(streamLeg, 0)
	said := noise(span())
	if err := p.Phone.Say(withinFor(t, span()+patience), said); err != nil {
		t.Fatal(err)
	}
	song := tone(realtimetest.PCMU, span())
	arrives(t, p.Session)
	if err := p.Hangup(within(t)); err != nil {
		t.Error(err)
	}
	sameAudio(t, "model to caller", played(p.Stream()), song)
	sameAudio(t, "caller to model", from(p.Session.Input(), said), said)
	if n := len(p.Stream().Recording()); n > 1 {
		t.Logf("heard in %d pieces: this machine is busy", n)
	}
}

// played returns all that the carrier has played to the caller.
func played(c *mediastreamtest.Call) (all []byte) {
	for _, piece := range c.Recording() {
		all = append(all, piece.Audio...)
	}
	return all
}
