package realtime_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// model runs the strict server of realtimetest for a test.
func model(t testing.TB, cfg realtimetest.Config) (*realtimetest.Server, realtime.Provider) {
	t.Helper()
	if cfg.Pace == nil {
		cfg.Pace = &realtimetest.Pace{}
	}
	server := realtimetest.New(cfg)
	listener := httptest.NewServer(server)
	t.Cleanup(func() {
		server.Close()
		listener.Close()
	})
	url := "ws" + strings.TrimPrefix(listener.URL, "http") + "/v1/realtime"
	return server, realtime.Provider{Name: "test", BaseURL: url, Model: "test"}
}

// phone is a conversation that outlives its connections.
type phone struct {
	*realtime.Session
	t      testing.TB
	server *realtimetest.Server
	heard  *recorder
	result <-chan error
}

// dialUp opens and runs a session at a server, with transcription.
func dialUp(t testing.TB, server *realtimetest.Server, cfg realtime.Config) *phone {
	t.Helper()
	heard := record()
	cfg.Handler = heard
	if cfg.RepairTimeout == 0 {
		cfg.RepairTimeout = 3 * time.Second
	}
	if cfg.Properties.InputAudioFormat == "" {
		cfg.Properties = ulaw
		cfg.Properties.InputAudioTranscription = &realtime.Transcription{Model: "gpt-transcribe"}
	}
	s, result := start(t, cfg)
	return &phone{s, t, server, heard, result}
}

func (p *phone) session(n int) *realtimetest.Session {
	p.t.Helper()
	s, err := p.server.WaitSession(p.t.Context(), n)
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

// event waits for an event at a server's session.
func (p *phone) event(s *realtimetest.Session, kind string, n int) realtimetest.Event {
	p.t.Helper()
	e, err := s.WaitEvent(p.t.Context(), kind, n)
	if err != nil {
		p.t.Fatal(err)
	}
	return e
}

func (p *phone) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func tone(d time.Duration) []byte { return realtimetest.ToneAudio(realtimetest.PCMU, d) }

func silence(d time.Duration) []byte {
	return bytes.Repeat([]byte{0xff}, int(realtime.FormatULaw.Bytes(d)))
}

// say appends audio in the frames of a telephone.
func (p *phone) say(audio []byte) {
	for len(audio) > 0 {
		n := min(160, len(audio))
		p.Append(audio[:n])
		audio = audio[n:]
	}
}

// told is a conversation as a server has it.
func told(s *realtimetest.Session) []string {
	var list []string
	for _, item := range s.Items() {
		text := item.Role
		for _, c := range item.Content {
			text += " " + c.Text
		}
		list = append(list, fmt.Sprintf("%s %s: %s%s%s%s", item.ID, item.Type, text, item.CallID, item.Name, item.Output))
	}
	return list
}

func (p *phone) sameConversation(before, after *realtimetest.Session) {
	p.t.Helper()
	want := told(before)
	p.must(after.Wait(p.t.Context(), func() bool { return len(told(after)) >= len(want) }))
	if diff := cmp.Diff(want, told(after)[:len(want)]); diff != "" {
		p.t.Errorf("the conversation at the new server (-old +new):\n%s", diff)
	}
	for _, s := range []*realtimetest.Session{before, after} {
		if v := s.Violations(); len(v) > 0 {
			p.t.Errorf("session %d: violations %+v", s.Number, v)
		}
	}
}

// exchange is a greeting, a turn of the caller's and its answer.
func (p *phone) exchange() *realtimetest.Session {
	p.t.Helper()
	s := p.session(0)
	p.must(p.CreateItem(realtime.Message("system", "The caller is known.")))
	p.must(p.Respond(say("Greet.")))
	p.event(s, "response.done", 1)
	p.say(tone(600 * time.Millisecond))
	p.say(silence(time.Second))
	p.event(s, "conversation.item.input_audio_transcription.completed", 1)
	p.event(s, "response.done", 2)
	await[realtime.TranscriptionDone](p.t, p.heard)
	return s
}

func requested(s *realtimetest.Session) (list []string) {
	for _, e := range s.Events() {
		if e.Type == "response.create" {
			list = append(list, string(e.Raw))
		}
	}
	return list
}

func TestALossBetweenTurns(t *testing.T) {
	server, provider := model(t, realtimetest.Config{})
	p := dialUp(t, server, realtime.Config{
		Providers: []realtime.Provider{provider},
		Items:     []realtime.Item{realtime.Message("user", "Earlier, by mail: is it ready?"), realtime.Message("assistant", "Not yet.")},
	})
	old := p.exchange()
	p.must(p.Update(realtime.Properties{Instructions: "Mid-call."}))
	await[realtime.SessionUpdated](t, p.heard)
	old.Drop()
	lost := await[realtime.SessionLost](t, p.heard)
	restored := await[realtime.SessionRestored](t, p.heard)
	var loss *realtime.LostError
	if !errors.As(lost.Err, &loss) || lost.Provider != "test" {
		t.Errorf("lost = %+v", lost)
	}
	if restored.Provider != "test" || restored.Replayed != 6 || restored.Took <= 0 {
		t.Errorf("restored = %+v", restored)
	}
	now := p.session(1)
	p.sameConversation(old, now)
	if got := requested(now); got != nil {
		t.Errorf("asked for %v, nothing was owed", got)
	}
	if got := now.Settings().Instructions; got != "Mid-call." {
		t.Errorf("instructions = %q", got)
	}
	// The conversation goes on.
	p.say(tone(600 * time.Millisecond))
	p.say(silence(time.Second))
	p.event(now, "response.done", 1)
	if n := len(now.Items()); n != 8 {
		t.Errorf("%d items after another turn", n)
	}
}

const sentence = "This is a long sentence of which the caller hears no more than the beginning because the line breaks."

func TestALossInMidSentence(t *testing.T) {
	server, provider := model(t, realtimetest.Config{
		Pace: &realtimetest.Pace{Rate: 20},
		Voice: func(turn realtimetest.Turn) realtimetest.Reply {
			return realtimetest.Speak(tone(7*time.Second), sentence)
		},
		Fault: func(n int) realtimetest.Fault {
			if n > 0 {
				return realtimetest.Fault{}
			}
			return realtimetest.Fault{Triggers: []realtimetest.Trigger{{On: "response.output_audio.delta", Nth: 10, Do: (*realtimetest.Session).Drop}}}
		},
	})
	p := dialUp(t, server, realtime.Config{Providers: []realtime.Provider{provider}})
	p.must(p.Respond(say("Greet.")))
	done := await[realtime.ResponseDone](t, p.heard).Response
	if done.Status != "incomplete" || done.StatusDetails.Reason != realtime.SessionLostReason {
		t.Errorf("the broken response ended as %+v", done)
	}
	await[realtime.SessionLost](t, p.heard)
	await[realtime.SessionRestored](t, p.heard)
	now := p.session(1)
	p.event(now, "response.done", 1)
	items := told(now)
	id := p.session(0).Items()[0].ID
	first, ok := strings.CutPrefix(items[0], id+" message: assistant ")
	if !ok || len(first) < 10 || len(first) > 60 || !strings.HasPrefix(sentence, first+" ") {
		t.Errorf("the new server knows %q", items[0])
	}
	asked := requested(now)
	if len(asked) != 1 || strings.Contains(asked[0], "Greet") {
		t.Errorf("asked for %q, want one plain response", asked)
	}
	if v := now.Violations(); len(v) > 0 {
		t.Error(v)
	}

	// What the caller does not hear of it can still be taken back.
	p.must(p.Truncate(id, 0, 500*time.Millisecond))
	p.event(now, "conversation.item.deleted", 1)
	p.must(now.Wait(t.Context(), func() bool {
		items := told(now)
		return len(items) == 2 && items[0] == id+" message: assistant This"
	}))
	if h := p.History(); h[0].Heard != "This" || h[0].AudioHeard != 500*time.Millisecond {
		t.Errorf("history = %+v", h[0])
	}
	p.must(p.Truncate(id, 0, 0))
	p.must(now.Wait(t.Context(), func() bool { return len(now.Items()) == 1 }))
	if v := now.Violations(); len(v) > 0 {
		t.Error(v)
	}
}

func TestALossBeforeTheGreetingSoundsAsksForItAgain(t *testing.T) {
	server, provider := model(t, realtimetest.Config{Fault: func(n int) realtimetest.Fault {
		if n > 0 {
			return realtimetest.Fault{}
		}
		return realtimetest.Fault{Triggers: []realtimetest.Trigger{{On: "response.create", Do: (*realtimetest.Session).Drop}}}
	}, Pace: &realtimetest.Pace{Latency: time.Minute}})
	p := dialUp(t, server, realtime.Config{Providers: []realtime.Provider{provider}})
	p.must(p.Respond(say("Greet.")))
	await[realtime.SessionRestored](t, p.heard)
	p.event(p.session(1), "response.create", 1)
	if asked := requested(p.session(1)); len(asked) != 1 || !strings.Contains(asked[0], "Greet") {
		t.Errorf("asked for %q", asked)
	}
}

func TestALossWhileAToolRuns(t *testing.T) {
	for _, c := range []struct {
		name      string
		connected bool // when the tool has its result
	}{{"the result comes while there is no connection", false}, {"the result comes afterwards", true}} {
		t.Run(c.name, func(t *testing.T) {
			server, provider := model(t, realtimetest.Config{
				Voice: func(turn realtimetest.Turn) realtimetest.Reply {
					if turn.Session.Number == 0 {
						return realtimetest.Reply{Items: []realtimetest.Output{{Call: &realtimetest.Call{ID: "call_1", Name: "look_up", Arguments: `{"a":1}`}}}}
					}
					return realtimetest.Speak(tone(time.Second), "It is ready.")
				},
				Fault: func(n int) realtimetest.Fault {
					if n != 1 || c.connected {
						return realtimetest.Fault{}
					}
					return realtimetest.Fault{Refuse: 503}
				},
			})
			properties := ulaw
			properties.Tools = []realtime.Tool{{Name: "look_up"}} // the program answers it
			p := dialUp(t, server, realtime.Config{Providers: []realtime.Provider{provider}, Properties: properties})
			p.must(p.CreateItem(realtime.Message("user", "Is it ready?")))
			p.must(p.Respond(realtime.ResponseRequest{}))
			old := p.session(0)
			p.event(old, "response.done", 1)
			await[realtime.ResponseDone](t, p.heard)
			old.Drop()
			await[realtime.SessionLost](t, p.heard)
			want := 2
			if c.connected {
				await[realtime.SessionRestored](t, p.heard)
			}
			p.must(p.CreateItem(realtime.FunctionOutput("call_1", `{"ready":true}`)))
			p.must(p.Respond(realtime.ResponseRequest{}))
			if !c.connected {
				want = await[realtime.SessionRestored](t, p.heard).Replayed
			}
			sessions := server.Sessions()
			now := sessions[len(sessions)-1]
			p.event(now, "response.done", 1)
			items := told(now)
			if len(items) != 4 || !strings.Contains(items[1], "function_call: call_1look_up") ||
				!strings.HasSuffix(items[2], `function_call_output: call_1{"ready":true}`) || !strings.HasSuffix(items[3], "It is ready.") {
				t.Errorf("items = %q", items)
			}
			if want != 2 {
				t.Errorf("%d items replayed", want)
			}
			if len(requested(now)) != 1 {
				t.Errorf("asked for %q", requested(now))
			}
			p.sameConversation(old, now)
		})
	}
}

func TestALossWhileTheCallerSpeaks(t *testing.T) {
	server, provider := model(t, realtimetest.Config{})
	p := dialUp(t, server, realtime.Config{Providers: []realtime.Provider{provider}})
	old := p.exchange()
	spoken := tone(3 * time.Second)
	p.say(spoken[:8000])
	p.event(old, "input_audio_buffer.speech_started", 2)
	old.Drop()
	p.say(spoken[8000:12000])
	await[realtime.SessionLost](t, p.heard)
	p.say(spoken[12000:])
	await[realtime.SessionRestored](t, p.heard)
	p.say(silence(time.Second))
	now := p.session(1)
	p.event(now, "response.done", 1)
	turns := 0
	for _, item := range now.Items() {
		for _, c := range item.Content {
			if c.Type == "input_audio" {
				turns++
				if !bytes.Contains(c.Audio, spoken) {
					t.Errorf("the turn has %d bytes, not all %d that were said", len(c.Audio), len(spoken))
				}
			}
		}
	}
	if turns != 1 {
		t.Errorf("%d turns of the caller", turns)
	}
	p.sameConversation(old, now)
	// The clock goes on: the turn ends where the caller's audio of the whole call
	// has it.
	all := time.Duration(len(spoken))/8*time.Millisecond + 600*time.Millisecond + 2*time.Second
	for {
		e := await[realtime.SpeechStopped](t, p.heard)
		if end := time.Duration(e.AudioEndMS) * time.Millisecond; end > 4*time.Second {
			if end > all || end < all-time.Second {
				t.Errorf("the turn ended at %v of %v", end, all)
			}
			break
		}
	}
}

func TestAnUnansweredTurnWithoutItsWordsIsReplayedAsAudio(t *testing.T) {
	server, provider := model(t, realtimetest.Config{
		Fault: func(n int) realtimetest.Fault {
			if n > 0 {
				return realtimetest.Fault{}
			}
			return realtimetest.Fault{Triggers: []realtimetest.Trigger{{On: "response.created", Nth: 2, Do: (*realtimetest.Session).Drop}}}
		},
		Pace: &realtimetest.Pace{Latency: 50 * time.Millisecond},
	})
	p := dialUp(t, server, realtime.Config{Providers: []realtime.Provider{provider}, Properties: ulaw})
	spoken := tone(600 * time.Millisecond)
	for range 2 {
		p.say(spoken)
		p.say(silence(time.Second))
		await[realtime.InputCommitted](t, p.heard)
		if p.server.Handshakes() == 1 {
			if e := await[realtime.ResponseDone](t, p.heard); e.Response.Status == "incomplete" {
				break
			}
		}
	}
	await[realtime.SessionRestored](t, p.heard)
	now := p.session(1)
	p.event(now, "response.done", 1)
	items := now.Items()
	if len(items) != 4 {
		t.Fatalf("items = %q", told(now))
	}
	if got := items[0].Content[0]; got.Type != "input_text" || !strings.Contains(got.Text, "not transcribed") {
		t.Errorf("the first turn is %+v", got)
	}
	if got := items[2].Content[0]; got.Type != "input_audio" || !bytes.Contains(got.Audio, spoken) {
		t.Errorf("the second turn is %s of %d bytes", got.Type, len(got.Audio))
	}
	if len(requested(now)) != 1 {
		t.Errorf("asked for %q", requested(now))
	}
	if v := now.Violations(); len(v) > 0 {
		t.Error(v)
	}
}

func TestTurnsMadeByHandAreCommittedAgain(t *testing.T) {
	server, provider := model(t, realtimetest.Config{Fault: func(n int) realtimetest.Fault {
		if n > 0 {
			return realtimetest.Fault{}
		}
		return realtimetest.Fault{Triggers: []realtimetest.Trigger{{On: "input_audio_buffer.append", Do: (*realtimetest.Session).StallReading}}}
	}})
	properties := ulaw
	properties.TurnDetection = &realtime.TurnDetection{Type: realtime.NoDetection}
	p := dialUp(t, server, realtime.Config{Providers: []realtime.Provider{provider}, Properties: properties})
	first, second := tone(300*time.Millisecond), tone(500 * time.Millisecond)[800:]
	p.Append(first)
	p.must(p.Commit())
	p.must(p.CreateItem(realtime.Message("user", "The caller pressed: 1")))
	p.event(p.session(0), "input_audio_buffer.append", 1)
	p.session(0).Drop()
	await[realtime.SessionLost](t, p.heard)
	p.Append(second)
	p.must(p.Commit())
	p.must(p.Respond(realtime.ResponseRequest{}))
	await[realtime.SessionRestored](t, p.heard)
	now := p.session(1)
	p.event(now, "response.done", 1)
	var got [][]byte
	for _, item := range now.Items() {
		if item.Role == "user" && item.Content[0].Type == "input_audio" {
			got = append(got, item.Content[0].Audio)
		}
	}
	if diff := cmp.Diff([][]byte{first, second}, got); diff != "" {
		t.Errorf("turns (-want +got):\n%s", diff)
	}
	if len(now.Items()) != 4 || len(requested(now)) != 1 || len(now.Violations()) > 0 {
		t.Errorf("items = %q, asked = %q, violations = %v", told(now), requested(now), now.Violations())
	}
}

func TestRepairsLeaveNothingBehind(t *testing.T) {
	server, provider := model(t, realtimetest.Config{Voice: realtimetest.Tone(300 * time.Millisecond), Pace: &realtimetest.Pace{Rate: 30}})
	files := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc")
		}
		return len(list)
	}
	before := 0
	for i := range 50 {
		p := dialUp(t, server, realtime.Config{Providers: []realtime.Provider{provider}})
		s := p.session(2 * i)
		p.must(p.CreateItem(realtime.Message("user", "Say something.")))
		p.must(p.Respond(realtime.ResponseRequest{}))
		switch i % 3 {
		case 0:
			p.event(s, "response.created", 1)
		case 1:
			p.event(s, "response.output_audio.delta", 1)
		case 2:
			p.event(s, "response.done", 1)
			p.say(tone(200 * time.Millisecond))
		}
		s.Drop()
		await[realtime.SessionRestored](t, p.heard)
		next := p.session(2*i + 1)
		p.must(next.Wait(t.Context(), func() bool { return len(next.Items()) > 0 }))
		if got := told(next)[0]; !strings.HasSuffix(got, "Say something.") {
			t.Errorf("run %d: %q", i, got)
		}
		p.Close()
		if err := receive(t, p.result); err != nil {
			t.Errorf("run %d: %v", i, err)
		}
		<-s.Done()
		<-next.Done()
		if i == 5 {
			before = files()
		}
	}
	if after := files(); after > before+2 {
		t.Errorf("%d open files, %d at first", after, before)
	}
}
