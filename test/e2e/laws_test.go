package e2e_test

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/transcode"
	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/callgw/callgw/sip/siptest"
)

// TestAPhoneOfTheOtherLaw opens a session for one law and lets the phone speak the
// other, as phones and carriers come to do: both hear each other, byte by byte, and it is
// told.
func TestAPhoneOfTheOtherLaw(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		codecs  string // of the trunk that is called by; empty: the phone calls
		connect func(t *testing.T, l *line)
		hears   media.Codec // the phone; it says A-law
	}{
		{"a call out that is answered with A-law", "[pcmu, pcma]", func(_ *testing.T, l *line) {
			l.picksUp("8")
			l.turn(media.PCMA)
		}, media.PCMA},
		{"a call out that is answered with both, and the phone takes the second", "[pcmu, pcma]", func(t *testing.T, l *line) {
			l.picksUp("0 8")
			l.until(patience, "audio from the gateway", func() bool { return len(l.packets) > 10 })
			l.turn(media.PCMA)
		}, media.PCMU},
		{"an offer that comes late", "", func(_ *testing.T, l *line) {
			l.dialog.Invite()
			ok := l.sip.Skip("200 INVITE")
			l.dialog.Learn(ok)
			l.dialog.Ack(l.describe("8"))
			l.turn(media.PCMA)
			l.reaches(ok)
		}, media.PCMA},
		{"a carrier that moves the call", "", func(_ *testing.T, l *line) {
			l.answered(l.dialog.Establish(l.offer()))
			l.dialog.Invite(l.describe("8"))
			l.sip.Skip("200 INVITE")
			l.dialog.Ack()
			l.turn(media.PCMA)
		}, media.PCMA},
		{"a carrier that moves the call and asks for an offer", "", func(_ *testing.T, l *line) {
			l.answered(l.dialog.Establish(l.offer()))
			l.dialog.Invite()
			l.sip.Skip("200 INVITE")
			l.dialog.Ack(l.describe("8"))
			l.turn(media.PCMA)
		}, media.PCMA},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			const length = 20 * time.Second
			setup := Setup{Agent: unmoved, Provider: realtimetest.Config{Voice: singing(length)}}
			var g *Gateway
			var l *line
			var id string
			if c.codecs == "" {
				g = start(t, setup)
				l = dialLine(t, g, lineConfig{})
			} else {
				var peer *siptest.Peer
				g, peer = carrier(t, ", codecs: "+c.codecs, setup)
				l = newLine(t, peer, lineConfig{})
				id = g.place(t, "")
			}
			c.connect(t, l)
			s := g.Session(0)
			w, told := g.Calls.Await(t, 0, bridge.EventRecoded)
			if told.Attr("phone") != "pcma" || told.Attr("session") != "pcmu" {
				t.Errorf("the timeline tells of %v", told.Attrs)
			}

			said := noise(2 * time.Second)
			l.say(said)
			l.until(patience, "the caller to finish", func() bool { return l.spoken == len(said) })
			arrives(t, s)
			if f := s.Settings(); f.Input != realtimetest.PCMU || f.Output != realtimetest.PCMU {
				t.Errorf("the session is one of %v and %v", f.Input, f.Output)
			}
			want := transcode.AppendLaw(nil, said, media.PCMA, media.PCMU)
			switch got := from(s.Input(), want); {
			case l.late() && !bytes.Equal(got, want):
				// Silence takes the place of audio that is so late.
				t.Log("this machine is too busy to compare what the model hears")
			default:
				sameAudio(t, "phone to model", got, want)
			}

			var heard []byte
			for _, p := range l.since(t, 100) {
				if p.kind != c.hears.PayloadType() {
					t.Fatalf("payload type %d is sent to a phone that wants %v", p.kind, c.hears)
				}
				heard = append(heard, p.payload...)
			}
			song := transcode.AppendLaw(nil, tone(realtimetest.PCMU, length), media.PCMU, c.hears)
			at := max(0, bytes.Index(song, heard[:media.FrameBytes]))
			sameAudio(t, "model to phone", heard, song[at:min(at+len(heard), len(song))])

			if n := g.Metric(t, "callgw_sip_calls_converted_total"); n != 1 {
				t.Errorf("callgw_sip_calls_converted_total is %v", n)
			}
			if n := len(g.Log.Find(t, w.ID, "audio is converted between the two laws")); n != 1 {
				t.Errorf("the log tells %d times", n)
			}
			if id == "" {
				l.bye()
				return
			}
			if status, answer := g.http(t, "DELETE", "/api/v1/calls/"+w.ID, ""); status != http.StatusAccepted {
				t.Errorf("%d %s", status, answer)
			}
			l.sip.Reply(l.sip.Skip("BYE"), 200, "OK")
		})
	}
}

// picksUp answers a call out with these formats.
func (l *line) picksUp(formats string) {
	l.t.Helper()
	invite := l.sip.Expect("INVITE")
	l.sip.Reply(invite, 200, "OK", l.describe(formats))
	l.sip.Expect("ACK")
	l.reaches(invite)
}

// since returns the next n packets.
func (l *line) since(t *testing.T, n int) []packet {
	t.Helper()
	before := len(l.heard())
	l.until(patience, "audio from the gateway", func() bool { return len(l.packets) >= before+n })
	return l.heard()[before : before+n]
}

// late reports whether the phone itself was.
func (l *line) late() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.longest > 75*time.Millisecond
}
