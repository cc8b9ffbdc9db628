package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zaf/g711"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/admin"
	"github.com/callgw/callgw/internal/phone"
	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/callgw/callgw/test/fixtures"
)

// What answers.
var (
	announcement = slices.Concat(fixtures.CallerHello, fixtures.CallerInterrupt, fixtures.CallerHello)
	beep         = slices.Concat(hush(300*time.Millisecond), sine(1000, 400*time.Millisecond), hush(100*time.Millisecond))
	faxAnswer    = sine(2100, 1500*time.Millisecond)
)

func hush(d time.Duration) []byte {
	p := make([]byte, media.Bytes(d))
	media.PCMU.FillSilence(p)
	return p
}

// sine is a tone at -15 dBFS.
func sine(hz float64, d time.Duration) []byte {
	p := make([]byte, media.Bytes(d))
	for i := range p {
		p[i] = g711.EncodeUlawFrame(int16(8000 * math.Sin(2*math.Pi*hz*float64(i)/media.SampleRate)))
	}
	return p
}

// says is somebody who answers with words, and listens then.
func says(audio []byte) script {
	return func(ctx context.Context, p *phone.Phone) {
		_ = p.Say(ctx, audio) // fails when it is hung up
		<-ctx.Done()
	}
}

const leaveMessage = "Ask to call back."

// messenger greets, and leaves a message when it is told to.
func messenger(turn realtimetest.Turn) realtimetest.Reply {
	if turn.Instructions == leaveMessage {
		return realtimetest.Speak(theMessage(), "Please call back.")
	}
	return realtimetest.Parrot(turn)
}

func theMessage() []byte { return tone(realtimetest.PCMU, 1500*time.Millisecond) }

// reached is a call out that is answered.
type reached struct {
	*Gateway
	*callee
	id string
}

// reach has a gateway call somebody. By Twilio, carrier is what that finds out.
func reach(t *testing.T, leg, detection, carrier string, do script) *reached {
	t.Helper()
	setup := Setup{Provider: realtimetest.Config{Voice: messenger}}
	if leg == sipLeg {
		return dialOut(t, start(t, setup), sipCallee(t, do), detection)
	}
	c := streamCallee(t, carrier, do)
	setup.Twilio = fmt.Sprintf("account_sid: %s, api_key: %s, api_secret: %s, rest_url: %q", twilioAccount, twilioKey, twilioSecret, c.url)
	g := start(t, setup)
	address := strings.TrimPrefix(g.URL("http"), "http://")
	c.gateway.Store(&address)
	return dialOut(t, g, c.callee, detection)
}

func dialOut(t *testing.T, g *Gateway, c *callee, detection string) *reached {
	t.Helper()
	id, err := g.Call(within(t), admin.Outbound{To: c.number, From: callerNumber, MachineDetection: []byte(detection)})
	if err != nil {
		t.Fatal(err)
	}
	r := &reached{g, c, id}
	g.Calls.Await(t, 0, bridge.EventAnswered)
	return r
}

// finds waits until it is known who has answered, everywhere.
func (r *reached) finds(t *testing.T, by, source string) {
	t.Helper()
	_, e := r.Calls.Await(t, 0, bridge.EventAnsweredBy)
	if e.Attr("by") != by || e.Attr("source") != source {
		t.Errorf("answered by %v, says the %v", e.Attr("by"), e.Attr("source"))
	}
	if got := r.Metric(t, "callgw_answered_by_total", "by", by, "source", source); got != 1 {
		t.Errorf("callgw_answered_by_total counts %v", got)
	}
}

// leaves checks that the callee has heard the message whole, and was hung up then.
func (r *reached) leaves(t *testing.T) {
	t.Helper()
	_, ended := r.Calls.Await(t, 0, bridge.EventEnded)
	if cause := ended.Attr("cause"); cause != media.AnsweringMachine.String() {
		t.Errorf("ended for %v", cause)
	}
	await(t, r.done, "the callee's side to end")
	if _, answer := r.http(t, "GET", "/api/v1/calls/"+r.id, ""); !strings.Contains(answer, `"answered_by":"machine"`) {
		t.Errorf("the API remembers %s", answer)
	}
	want := theMessage()
	if got := unbroken(r.Report().Recording, want); got < len(want) {
		t.Errorf("of the message the first %d bytes of %d were heard", got, len(want))
	}
}

// unbroken is how much of audio was heard, frame by frame. A late pacer leaves time
// out, which the far end fills with silence.
func unbroken(heard, audio []byte) (n int) {
	const frame = media.FrameBytes
	silence := hush(media.FrameDuration)
	heard = heard[max(bytes.Index(heard, audio[:frame]), 0):]
	for len(heard) >= frame && n < len(audio) {
		switch {
		case bytes.Equal(heard[:frame], audio[n:n+frame]):
			n += frame
		case !bytes.Equal(heard[:frame], silence):
			return n
		}
		heard = heard[frame:]
	}
	return n
}

// TestWhoAnswersCallsOut is every kind of callee, by every leg.
func TestWhoAnswersCallsOut(t *testing.T) {
	t.Parallel()
	for _, leg := range legs {
		t.Run("a human, "+leg, func(t *testing.T) {
			t.Parallel()
			r := reach(t, leg, `{"on_machine": "hang_up"}`, "", says(fixtures.CallerHello))
			r.finds(t, "human", "detector")
			if _, answer := r.http(t, "GET", "/api/v1/calls/"+r.id, ""); !strings.Contains(answer, `"answered_by":"human"`) {
				t.Errorf("the API says %s", answer)
			}
			if s := r.Registry().Call(r.id).State(); s != bridge.Talking {
				t.Errorf("the call is %v", s)
			}
			if r.Report().Replies == 0 {
				t.Error("nobody was greeted while it was not known who answers")
			}
		})
		t.Run("a machine that gets a message, "+leg, func(t *testing.T) {
			t.Parallel()
			r := reach(t, leg, fmt.Sprintf(`{"on_machine": "message", "message": {"say": %q}}`, leaveMessage), "",
				says(slices.Concat(announcement, beep)))
			r.finds(t, "machine", "detector")
			if _, over := r.Calls.Await(t, 0, bridge.EventMachineOver); over.Attr("how") != "beep" {
				t.Errorf("the machine is over by %v", over.Attr("how"))
			}
			r.leaves(t)
		})
		t.Run("a machine that is spoken to, "+leg, func(t *testing.T) {
			t.Parallel()
			r := reach(t, leg, `{"message_pause": "600ms"}`, "", says(announcement))
			r.finds(t, "machine", "detector")
			r.Calls.Await(t, 0, bridge.EventMachineOver)
			if _, err := r.Session(0).WaitEvent(within(t), "response.done", 2); err != nil {
				t.Errorf("the agent does not go on: %v", err)
			}
			told := func(it realtimetest.Item) bool {
				return it.Role == "system" && it.Content[0].Text == "An answering machine has answered the call."
			}
			if !slices.ContainsFunc(r.Session(0).Items(), told) {
				t.Error("the model was not told")
			}
		})
		t.Run("a human who is waited for, "+leg, func(t *testing.T) {
			t.Parallel()
			r := reach(t, leg, `{"wait_for_human": true}`, "", says(fixtures.CallerHello))
			r.finds(t, "human", "detector")
			w, speaks := r.Calls.Await(t, 0, bridge.EventAgentStarts)
			if by, _ := w.Find(bridge.EventAnsweredBy); speaks.Offset < by.Offset {
				t.Errorf("the agent speaks %v before it is known who listens", by.Offset-speaks.Offset)
			}
		})
		t.Run("a fax, "+leg, func(t *testing.T) {
			t.Parallel()
			r := reach(t, leg, `{"on_machine": "hang_up"}`, "", says(faxAnswer))
			r.finds(t, "fax", "detector")
			_, ended := r.Calls.Await(t, 0, bridge.EventEnded)
			if cause := ended.Attr("cause"); cause != media.AnsweringMachine.String() {
				t.Errorf("ended for %v", cause)
			}
			await(t, r.done, "the callee's side to end")
		})
	}
}

// TestTwilioTellsWhoAnswers leaves it to the carrier.
func TestTwilioTellsWhoAnswers(t *testing.T) {
	t.Parallel()
	for told, c := range map[string]struct {
		by     string
		leaves bool
	}{
		"human":               {"human", false},
		"machine_end_beep":    {"machine", true},
		"machine_end_silence": {"machine", true},
	} {
		t.Run(told, func(t *testing.T) {
			t.Parallel()
			r := reach(t, streamLeg, fmt.Sprintf(`{"by": "carrier", "on_machine": "message", "message": {"say": %q}}`, leaveMessage),
				told, says(fixtures.CallerHello))
			r.finds(t, c.by, "carrier")
			if c.leaves {
				r.leaves(t)
			}
		})
	}
}

// TestACallOutWithAWrongDetectionIsRefused names what is wrong.
func TestACallOutWithAWrongDetectionIsRefused(t *testing.T) {
	t.Parallel()
	g := start(t, Setup{})
	for body, want := range map[string]string{
		`{"by": "ear"}`:            "machine_detection.by",
		`{"timeout": "2m"}`:        "machine_detection.timeout",
		`{"onmachine": "x"}`:       "on_machine",
		`{"on_machine":"message"}`: "machine_detection.message",
		`7`:                        "machine_detection",
	} {
		status, answer := g.post(t, "/api/v1/calls", `{"to": "sip:x@127.0.0.1", "machine_detection": `+body+`}`)
		if status != http.StatusBadRequest || !strings.Contains(answer, want) {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
}
