package realtime_test

import (
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/realtime"
)

// dialogue is a session whose peer the test plays by hand, in step.
type dialogue struct {
	*realtime.Session
	t     *testing.T
	sent  chan message // by the session
	reply chan string  // to it
	heard *recorder
}

func converse(t *testing.T) *dialogue {
	d := &dialogue{t: t, sent: make(chan message, 100), reply: make(chan string), heard: record()}
	provider := serve(t, func(p *peer) {
		p.open()
		writing := make(chan struct{})
		gone := make(chan struct{})
		go func() {
			defer close(writing)
			for {
				select {
				case msg := <-d.reply:
					p.send(msg)
				case <-gone:
					return
				}
			}
		}()
		for {
			m, ok := p.next()
			if !ok {
				break
			}
			d.sent <- m
		}
		close(gone)
		<-writing
	})
	d.Session, _ = start(t, realtime.Config{Providers: []realtime.Provider{provider}, Properties: ulaw, Handler: d.heard})
	await[realtime.SessionOpened](t, d.heard)
	return d
}

// say sends a server event and waits until the session has handed it on.
func (d *dialogue) say(msg string) {
	d.t.Helper()
	d.reply <- msg
	receive(d.t, d.heard.events)
}

// expect returns the next client event, which must have the type and the
// instructions of a response.
func (d *dialogue) expect(kind, instructions string) message {
	d.t.Helper()
	m := receive(d.t, d.sent)
	var response struct{ Instructions string }
	if m.Response != nil {
		if err := json.Unmarshal(m.Response, &response); err != nil {
			d.t.Fatal(err)
		}
	}
	if m.Type != kind || response.Instructions != instructions {
		d.t.Fatalf("sent %s, want %s %q", m.Raw, kind, instructions)
	}
	return m
}

// silent checks that nothing was sent: a commit comes through first.
func (d *dialogue) silent() {
	d.t.Helper()
	if err := d.Commit(); err != nil {
		d.t.Fatal(err)
	}
	d.expect("input_audio_buffer.commit", "")
}

func (d *dialogue) respond(r realtime.ResponseRequest) {
	d.t.Helper()
	if err := d.Respond(r); err != nil {
		d.t.Fatal(err)
	}
}

func say(instructions string) realtime.ResponseRequest {
	return realtime.ResponseRequest{Instructions: instructions}
}

func created(id string) string {
	return `{"type":"response.created","response":{"id":"` + id + `","conversation_id":"conv"}}`
}

func done(id string) string {
	return `{"type":"response.done","response":{"id":"` + id + `","conversation_id":"conv","status":"completed"}}`
}

func refuse(m message, code string) string {
	return `{"type":"error","error":{"type":"invalid_request_error","code":"` + code + `","message":"m","event_id":"` + m.EventID + `"}}`
}

const active = "conversation_already_has_active_response"

func TestOneResponseIsInFlight(t *testing.T) {
	d := converse(t)
	d.respond(say("one"))
	d.expect("response.create", "one")
	d.respond(say("two")) // asked for while one is requested
	d.silent()
	d.say(created("r1"))
	d.respond(say("three")) // and while it runs
	d.silent()
	d.say(done("r1"))
	d.expect("response.create", "two")
	d.silent()
	d.say(created("r2"))
	d.say(done("r2"))
	d.expect("response.create", "three")
}

func TestPlainRequestsThatWaitBecomeOne(t *testing.T) {
	d := converse(t)
	d.say(created("r1")) // the server's own
	for range 5 {
		d.respond(realtime.ResponseRequest{})
	}
	d.respond(say("last"))
	d.say(done("r1"))
	d.expect("response.create", "")
	d.silent()
	d.say(created("r2"))
	d.say(done("r2"))
	d.expect("response.create", "last")
}

func TestARequestThatCameTooEarlyIsAskedAgain(t *testing.T) {
	d := converse(t)
	d.respond(say("mine"))
	first := d.expect("response.create", "mine")
	d.respond(say("next"))
	d.say(created("theirs"))
	d.say(refuse(first, active))
	d.silent()
	d.say(done("theirs"))
	again := d.expect("response.create", "mine")
	if again.EventID == first.EventID {
		t.Error("the event id is used twice")
	}
	d.say(created("r2"))
	d.say(done("r2"))
	d.expect("response.create", "next")
}

func TestARefusalWithoutAnEventIDIsOurs(t *testing.T) {
	d := converse(t)
	d.respond(say("mine"))
	d.expect("response.create", "mine")
	d.say(refuse(message{}, active)) // and no response.created before it
	d.silent()
	d.say(done("theirs"))
	d.expect("response.create", "mine")
}

func TestALateRefusalIsAskedAgainToo(t *testing.T) {
	d := converse(t)
	d.respond(say("mine"))
	first := d.expect("response.create", "mine")
	d.say(created("theirs"))
	d.say(done("theirs"))
	d.say(created("theirs2"))
	d.say(refuse(first, active))
	d.silent()
	d.say(done("theirs2"))
	d.expect("response.create", "mine")
}

func TestARefusedRequestDoesNotBlockTheNext(t *testing.T) {
	d := converse(t)
	d.respond(say("bad"))
	first := d.expect("response.create", "bad")
	d.respond(say("good"))
	d.say(refuse(first, "invalid_value"))
	d.expect("response.create", "good")
}

func TestOutOfBandResponsesDoNotWait(t *testing.T) {
	d := converse(t)
	d.say(created("r1"))
	d.respond(say("later"))
	d.respond(realtime.ResponseRequest{Conversation: "none", Instructions: "aside", Metadata: map[string]string{"k": "v"}})
	d.expect("response.create", "aside")
	d.say(`{"type":"response.created","response":{"id":"oob","conversation_id":null,"metadata":{"k":"v"}}}`)
	d.say(`{"type":"response.done","response":{"id":"oob","conversation_id":null,"metadata":{"k":"v"},"status":"completed"}}`)
	d.silent()
	d.say(done("r1"))
	d.expect("response.create", "later")
}

func TestServersThatNameNoConversationStillHaveOne(t *testing.T) {
	d := converse(t)
	d.respond(realtime.ResponseRequest{Conversation: "none", Instructions: "aside"})
	d.expect("response.create", "aside")
	d.say(`{"type":"response.created","response":{"id":"oob"}}`)
	d.respond(say("one"))
	d.expect("response.create", "one")
	d.say(`{"type":"response.created","response":{"id":"r1"}}`)
	d.respond(say("two"))
	d.say(`{"type":"response.done","response":{"id":"oob"}}`)
	d.silent()
	d.say(`{"type":"response.done","response":{"id":"r1"}}`)
	d.expect("response.create", "two")
}

func TestAnUnansweredRequestDoesNotBlockForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := make(chan string, 10)
		s, result := virtual(t, realtime.Config{}, func(p *peer) {
			p.open()
			for {
				m, ok := p.next()
				if !ok {
					return
				}
				asked <- string(m.Response)
			}
		})
		respond := func(instructions string) {
			if err := s.Respond(say(instructions)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		respond("one")
		time.Sleep(9 * time.Second)
		respond("two")
		if n := len(asked); n != 1 {
			t.Errorf("%d requests after 9 s", n)
		}
		time.Sleep(time.Second)
		respond("three")
		<-asked
		if got := <-asked; got != `{"instructions":"two"}` {
			t.Errorf("asked %s", got)
		}
		s.Close()
		<-result
	})
}

func TestTheQueueOfResponsesIsBounded(t *testing.T) {
	d := converse(t)
	d.say(created("r1"))
	for range 16 {
		d.respond(say("x"))
	}
	if err := d.Respond(say("x")); !errors.Is(err, realtime.ErrBacklog) {
		t.Errorf("err = %v", err)
	}
	if err := d.Respond(realtime.ResponseRequest{Conversation: "other"}); err == nil {
		t.Error("an unknown conversation is accepted")
	}
}

func TestAnErrorTellsWhatWasRefused(t *testing.T) {
	d := converse(t)
	if err := d.Truncate("i1", 0, 0); err != nil {
		t.Fatal(err)
	}
	m := receive(t, d.sent)
	d.reply <- `{"type":"error","error":{"type":"invalid_request_error","code":null,"message":"Audio content of 13600ms is already shorter than 55960ms","event_id":"` + m.EventID + `"}}`
	e := await[realtime.ErrorEvent](t, d.heard).Error
	if e.Request() != "conversation.item.truncate" || e.Kind() != realtime.Benign {
		t.Errorf("request = %q, kind = %v", e.Request(), e.Kind())
	}
	if (realtime.ErrorDetail{EventID: "someone_elses"}).Request() != "" {
		t.Error("a foreign event id is taken for ours")
	}
}

func TestUpdatesMergeAndSendTheDifference(t *testing.T) {
	d := converse(t)
	update := func(p realtime.Properties) {
		t.Helper()
		if err := d.Update(p); err != nil {
			t.Fatal(err)
		}
	}
	session := func(want string) message {
		t.Helper()
		m := d.expect("session.update", "")
		if diff := cmp.Diff(parse(t, []byte(want)), parse(t, m.Session)); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		return m
	}
	updated := `{"type":"session.updated","session":{"id":"s"}}`

	update(realtime.Properties{Voice: "cedar", Instructions: "A."})
	session(`{"type":"realtime","instructions":"A.","audio":{"output":{"voice":"cedar"}}}`)
	update(realtime.Properties{Voice: "cedar", Instructions: "A."}) // under way already
	d.silent()
	d.say(updated)

	update(realtime.Properties{TurnDetection: &realtime.TurnDetection{Threshold: new(0.4)}})
	session(`{"type":"realtime","audio":{"input":{"turn_detection":{"type":"server_vad","threshold":0.4,"silence_duration_ms":500}}}}`)
	update(realtime.Properties{TurnDetection: &realtime.TurnDetection{SilenceDurationMS: new(800)}})
	session(`{"type":"realtime","audio":{"input":{"turn_detection":{"type":"server_vad","threshold":0.4,"silence_duration_ms":800}}}}`)
	d.say(updated)
	d.say(updated)

	// A refused update leaves nothing behind.
	update(realtime.Properties{Speed: new(1.5)})
	refused := session(`{"type":"realtime","audio":{"output":{"speed":1.5}}}`)
	d.say(refuse(refused, "invalid_value"))
	update(realtime.Properties{Speed: new(1.5)})
	refused = session(`{"type":"realtime","audio":{"output":{"speed":1.5}}}`)
	d.say(refuse(refused, "invalid_value"))

	// A voice that is locked does not take the rest down with it.
	update(realtime.Properties{Voice: "marin", Instructions: "B."})
	session(`{"type":"realtime","instructions":"B.","audio":{"output":{"voice":"marin"}}}`)
	d.say(`{"type":"error","error":{"code":"cannot_update_voice","param":"session.audio.output.voice"}}`)
	session(`{"type":"realtime","instructions":"B."}`)
	d.say(updated)
	update(realtime.Properties{Instructions: "B."})
	d.silent()

	if err := d.Update(realtime.Properties{InputAudioFormat: realtime.FormatALaw}); err == nil {
		t.Error("the format changed")
	}
	if err := d.Update(realtime.Properties{Speed: new(7.0)}); err == nil {
		t.Error("a faulty update is accepted")
	}
	d.silent()
}

func TestRetrieve(t *testing.T) {
	d := converse(t)
	type result struct {
		item realtime.Item
		err  error
	}
	retrieve := func(id string) <-chan result {
		c := make(chan result, 1)
		go func() {
			item, err := d.Retrieve(t.Context(), id)
			c <- result{item, err}
		}()
		return c
	}
	ctx, cancel := expired()
	defer cancel()

	one := retrieve("i1")
	d.expect("conversation.item.retrieve", "")
	two := retrieve("i1") // shares the request, or comes after the answer and asks again
	d.silent()
	d.say(`{"type":"conversation.item.retrieved","item":{"id":"i1","type":"message"}}`)
	if r := receive(t, one); r.err != nil || r.item.ID != "i1" {
		t.Errorf("first: %+v", r)
	}
	select {
	case m := <-d.sent:
		if m.Type != "conversation.item.retrieve" {
			t.Errorf("sent %s", m.Raw)
		}
		d.say(`{"type":"conversation.item.retrieved","item":{"id":"i1","type":"message"}}`)
		receive(t, two)
	case r := <-two:
		if r.err != nil || r.item.ID != "i1" {
			t.Errorf("second: %+v", r)
		}
	}

	lost := retrieve("i2")
	m := d.expect("conversation.item.retrieve", "")
	d.say(refuse(m, "item_not_found"))
	var detail realtime.ErrorDetail
	if r := receive(t, lost); !errors.As(r.err, &detail) || detail.Code != "item_not_found" {
		t.Errorf("refused: %v", r.err)
	}

	if _, err := d.Retrieve(ctx, "i3"); !errors.Is(err, ctx.Err()) {
		t.Errorf("late: %v", err)
	}
	d.expect("conversation.item.retrieve", "")

	open := retrieve("i4")
	d.expect("conversation.item.retrieve", "")
	d.Close()
	if r := receive(t, open); !errors.Is(r.err, realtime.ErrClosed) {
		t.Errorf("closed: %v", r.err)
	}
}
