package sip_test

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/transcode"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/siptest"
)

// What phones and agents say all the time: every frame is like the others, and no byte
// of it is silence.
var callerWords, agentWords = words(1), words(101)

func words(first byte) []byte {
	frame := make([]byte, media.FrameBytes)
	for i := range frame {
		frame[i] = first + byte(i%25)
	}
	return frame
}

// agent is a bridge that speaks without end and notes what it hears.
type agent struct {
	silence
	mu      sync.Mutex
	audio   []byte
	recoded []media.Codec
}

func (a *agent) Frame(p []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.audio = append(a.audio, p...)
}

func (a *agent) Next(p []byte) int { return copy(p, agentWords) }

func (a *agent) Recoded(phone media.Codec) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.recoded = append(a.recoded, phone)
}

// heard returns what has been heard since the last time.
func (a *agent) heard() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	audio := a.audio
	a.audio = nil
	return audio
}

// serve serves calls whose bridge is a, and hands each over when it is answered.
func (a *agent) serve(ctx context.Context, c *sip.Call, r *rig) {
	var running sync.WaitGroup
	running.Go(func() { r.ended <- c.Run(ctx, a, a) })
	_ = c.Ring(ctx)
	_ = c.Answer(ctx)
	r.calls <- c
	running.Wait()
}

// laws is SDP for these formats, of a phone with audio at addr.
func laws(addr, formats string) string {
	return siptest.SDPWith(addr, 40000, formats+" 101", "rtpmap:101 telephone-event/8000")
}

// speak says n frames of one law.
func (h *handset) speak(law media.Codec, n int) {
	for range n {
		h.tick()
		h.send(law.PayloadType(), callerWords)
		time.Sleep(media.FrameDuration)
	}
}

// understand lets a phone that speaks says, and is spoken to in hears, talk with an agent
// of session's law, and wants both to hear what was said, byte by byte.
func understand(t *testing.T, h *handset, a *agent, session, says, hears media.Codec) {
	t.Helper()
	time.Sleep(time.Second)
	h.hear()
	a.heard()
	const n = 50
	h.speak(says, n)
	time.Sleep(200 * time.Millisecond)
	heard := a.heard()
	want := bytes.Repeat(transcode.AppendLaw(nil, callerWords, says, session), n)
	before, after, found := bytes.Cut(heard, want)
	if !found {
		t.Errorf("an agent of %v does not hear what a phone says in %v", session, says)
	}
	quiet := []byte{session.Silence()}
	for _, law := range []media.Codec{media.PCMU, media.PCMA} {
		quiet = transcode.AppendLaw(quiet, []byte{law.Silence()}, law, session)
	}
	for _, b := range append(before, after...) {
		if !bytes.Contains(quiet, []byte{b}) {
			t.Errorf("an agent of %v hears %#x where nobody speaks", session, b)
			break
		}
	}
	h.hear()
	if len(h.raw) < n {
		t.Errorf("%d packets in more than a second", len(h.raw))
	}
	want = transcode.AppendLaw(nil, agentWords, session, hears)
	for _, p := range h.raw {
		if p[1]&0x7F != hears.PayloadType() || !bytes.Equal(p[12:], want) {
			t.Errorf("a phone is sent payload type %d with\n%x, want %v with\n%x", p[1]&0x7F, p[12:], hears, want)
			break
		}
	}
}

// lines returns the formats of an answer or offer.
func lines(m siptest.Message) string {
	for line := range strings.Lines(string(m.Body())) {
		if formats, ok := strings.CutPrefix(line, "m=audio "); ok {
			_, formats, _ = strings.Cut(strings.TrimSpace(formats), "RTP/AVP ")
			return formats
		}
	}
	return ""
}

func TestPhoneOfAnotherLawThanTheCall(t *testing.T) {
	const u, a = media.PCMU, media.PCMA
	for _, test := range []struct {
		name        string
		codecs      []media.Codec // of the trunk
		begin       string        // formats of the offer; empty: it comes late
		answer      string        // to a late offer
		session     media.Codec
		says, hears media.Codec
		told        bool
	}{
		{"the same law", nil, "8", "", a, a, a, false},
		{"the trunk's preference", []media.Codec{u, a}, "8 0", "", u, u, u, false},
		{"a late offer, answered with the other", nil, "", "8", u, a, a, true},
		{"a late offer, answered with the other, of a trunk that likes A-law", []media.Codec{a, u}, "", "0", a, u, u, true},
		{"a late offer, answered with both: the other is spoken", nil, "", "0 8", u, a, u, true},
		{"a late offer, answered with both: the other goes first, and no one has to convert", nil, "", "8 0", u, u, u, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			ag := &agent{}
			bubble(t, ag.serve, func(r *rig) {
				p := r.peer()
				h := r.handset("10.0.1.1:40000", 0)
				defer h.sock.Close()
				d := p.Call()
				if test.begin != "" {
					d.Establish(laws("10.0.1.1", test.begin))
				} else {
					d.Invite()
					d.Learn(p.Skip("200 INVITE"))
					d.Ack(laws("10.0.1.1", test.answer))
				}
				c := <-r.calls
				if c.Codec() != test.session {
					t.Errorf("the call is one of %v", c.Codec())
				}
				understand(t, h, ag, test.session, test.says, test.hears)
				if n := c.Stats().Rejected; n != [len(n)]uint64{} {
					t.Errorf("rejected: %v", n)
				}
				d.Request("BYE")
				p.Expect("200 BYE")
				r.wantCause(media.CallerHungUp)
			}, func(cfg *sip.Config) { cfg.Codecs = test.codecs })
			if told := len(ag.recoded) == 1; told != test.told {
				t.Errorf("the bridge was told %v", ag.recoded)
			}
		})
	}
}

// A carrier moves a call's audio to a machine that speaks the other law only, and back.
func TestLawChangesDuringTheCall(t *testing.T) {
	const u, a = media.PCMU, media.PCMA
	change := map[string]func(p *siptest.Peer, d *siptest.Dialog, formats string) siptest.Message{
		"re-INVITE": func(p *siptest.Peer, d *siptest.Dialog, formats string) siptest.Message {
			d.Invite(laws("10.0.1.1", formats))
			ok := p.Expect("200 INVITE")
			d.Ack()
			return ok
		},
		"UPDATE": func(p *siptest.Peer, d *siptest.Dialog, formats string) siptest.Message {
			d.Request("UPDATE", laws("10.0.1.1", formats))
			return p.Expect("200 UPDATE")
		},
		"re-INVITE without an offer": func(p *siptest.Peer, d *siptest.Dialog, formats string) siptest.Message {
			d.Invite()
			ok := p.Expect("200 INVITE")
			if got := lines(ok); got != "0 8 101" {
				t.Errorf("the offer has %s, want both laws, that of the call first", got)
			}
			d.Ack(laws("10.0.1.1", formats))
			return ok
		},
	}
	for how, change := range change {
		t.Run(how, func(t *testing.T) {
			ag, reg := &agent{}, prometheus.NewRegistry()
			bubble(t, ag.serve, func(r *rig) {
				p := r.peer()
				h := r.handset("10.0.1.1:40000", 0)
				defer h.sock.Close()
				d := p.Call()
				d.Establish(laws("10.0.1.1", "0"))
				c := <-r.calls
				for _, step := range []struct {
					formats     string
					says, hears media.Codec
				}{
					{"8", a, a}, {"0", u, u}, {"8", u, a}, // what was spoken before is still understood
					{"8 0", u, u},
				} {
					ok := change(p, d, step.formats)
					if formats := lines(ok); formats != "0 8 101" && formats != step.formats+" 101" && step.formats != "8 0" {
						t.Errorf("%s is answered with %s", step.formats, formats)
					}
					understand(t, h, ag, u, step.says, step.hears)
				}
				if c.Codec() != u {
					t.Errorf("the call's law has become %v", c.Codec())
				}
				d.Request("BYE")
				p.Expect("200 BYE")
				r.wantCause(media.CallerHungUp)
			}, func(cfg *sip.Config) { cfg.Metrics = sip.NewMetrics(reg) })
			if diff := cmp.Diff([]media.Codec{a}, ag.recoded); diff != "" {
				t.Errorf("the bridge was not told once: %s", diff)
			}
			if n := counted(t, reg, "callgw_sip_calls_converted_total"); n != 1 {
				t.Errorf("%v calls are counted", n)
			}
		})
	}
}

func TestLawThatTheTrunkDoesNotSpeakIsRefused(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Establish(laws("10.0.1.1", "0"))
		d.Invite(laws("10.0.1.1", "8"))
		d.AckFailure(p.Expect("488 INVITE"))
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
	}, func(cfg *sip.Config) { cfg.Codecs = []media.Codec{media.PCMU} })
}

func TestCallOutToAPhoneOfAnotherLaw(t *testing.T) {
	const u, a = media.PCMU, media.PCMA
	for _, test := range []struct {
		name    string
		out     sip.Dial
		offered string
		answer  string
		session media.Codec
		hears   media.Codec
	}{
		{"the answer decides", sip.Dial{}, "0 8 101", "8", a, a},
		{"the session is open already", sip.Dial{Fixed: true}, "0 8 101", "8", u, a},
		{"the session's law is among those answered", sip.Dial{Fixed: true}, "0 8 101", "8 0", u, u},
		{"A-law alone", sip.Dial{Fixed: true, Codecs: []media.Codec{a}}, "8 101", "8", a, a},
		{"A-law first", sip.Dial{Fixed: true, Codecs: []media.Codec{a, u}}, "8 0 101", "0", a, u},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				p := r.peer()
				h := r.handset("10.0.1.1:40000", 0)
				defer h.sock.Close()
				done := r.dial(context.Background(), test.out)
				invite := p.Expect("INVITE")
				if got := lines(invite); got != test.offered {
					t.Errorf("%s is offered", got)
				}
				p.Reply(invite, 200, "OK", laws("10.0.1.1", test.answer))
				p.Expect("ACK")
				d := <-done
				if d.err != nil {
					t.Fatal(d.err)
				}
				if d.call.Codec() != test.session {
					t.Errorf("the call is one of %v", d.call.Codec())
				}
				ag := &agent{}
				ctx, hangUp := context.WithCancelCause(context.Background())
				go func() { r.ended <- d.call.Run(ctx, ag, ag) }()
				understand(t, h, ag, test.session, test.hears, test.hears)
				hangUp(media.AgentHungUp)
				p.Reply(p.Expect("BYE"), 200, "OK")
				r.wantCause(media.AgentHungUp)
			})
		})
	}
}

// What is heard before the answer is in the law that its hearer was told.
func TestEarlyMediaOfAnotherLaw(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		h := r.handset("10.0.1.1:40000", 0)
		defer h.sock.Close()
		ag := &agent{}
		told := make(chan media.Codec, 1)
		done := r.dial(context.Background(), sip.Dial{Fixed: true, Early: func(law media.Codec) media.Uplink {
			told <- law
			return ag
		}})
		invite := p.Expect("INVITE")
		p.Reply(invite, 183, "Progress", laws("10.0.1.1", "8"))
		h.gateway = rtpOf(invite)
		h.speak(media.PCMA, 20)
		law := <-told
		if want := transcode.AppendLaw(nil, callerWords, media.PCMA, law); law != media.PCMU || !bytes.Contains(ag.heard(), want) {
			t.Errorf("the hearer was told %v, and hears something else", law)
		}
		p.Reply(invite, 486, "Busy Here")
		p.Expect("ACK")
		if d := <-done; d.err == nil {
			t.Error("a call")
		}
	})
}

// The caller is passed on to a phone of any law, and changes his own meanwhile. Between
// the two is the law that the caller had: bytes are the same wherever that is theirs.
func TestRelayBetweenLaws(t *testing.T) {
	const u, a = media.PCMU, media.PCMA
	for _, test := range []struct {
		name           string
		late           bool // the session is of the other law than the caller
		caller, target media.Codec
		offered        string
	}{
		{"µ-law to µ-law", false, u, u, "0 8 101"},
		{"µ-law to A-law", false, u, a, "0 8 101"},
		{"A-law to µ-law", false, a, u, "8 0 101"},
		{"A-law to A-law", false, a, a, "8 0 101"},
		{"A-law, converted for the session, to A-law", true, a, a, "8 0 101"},
		{"A-law, converted for the session, to µ-law", true, a, u, "8 0 101"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ag := &agent{}
			bubble(t, ag.serve, func(r *rig) {
				p, q := r.peer(), r.peer()
				caller, target := r.handset("10.0.1.1:40000", 0), r.handset("10.0.1.2:40000", 0)
				defer caller.sock.Close()
				defer target.sock.Close()
				d := p.Call()
				format := func(law media.Codec) string { return map[media.Codec]string{u: "0", a: "8"}[law] }
				if test.late {
					d.Invite()
					d.Learn(p.Skip("200 INVITE"))
					d.Ack(laws("10.0.1.1", format(test.caller)))
				} else {
					d.Establish(laws("10.0.1.1", format(test.caller)))
				}
				c := <-r.calls
				time.Sleep(time.Second)
				done := transfer(c, "+14155550100")
				invite := q.Expect("INVITE")
				if got := lines(invite); got != test.offered {
					t.Errorf("the target is offered %s", got)
				}
				q.Reply(invite, 200, "OK", laws("10.0.1.2", format(test.target)))
				q.Expect("ACK")
				if err := <-done; err != nil {
					t.Fatalf("Transfer() = %v", err)
				}
				r.wantCause(media.Transferred)
				relays(t, caller, target, test.caller, test.caller, test.target)
				relays(t, target, caller, test.target, test.caller, test.caller)
				other := u + a - test.caller
				d.Invite(laws("10.0.1.1", format(other)))
				p.Expect("200 INVITE")
				d.Ack()
				relays(t, caller, target, other, test.caller, test.target)
				relays(t, target, caller, test.target, test.caller, other)
				d.Request("BYE")
				p.Expect("200 BYE")
				q.Reply(q.Expect("BYE"), 200, "OK")
			}, bridging(sip.TransferBridge))
		})
	}
}

// relays lets a phone of one law speak, and wants it to be heard at that of another, by
// way of what is between them.
func relays(t *testing.T, from, to *handset, says, between, hears media.Codec) {
	t.Helper()
	time.Sleep(time.Second)
	from.hear()
	to.hear()
	from.speak(says, 20)
	time.Sleep(200 * time.Millisecond)
	to.hear()
	var heard []byte
	for _, p := range to.raw {
		if p[1]&0x7F != hears.PayloadType() {
			t.Fatalf("payload type %d is sent to a phone of %v", p[1]&0x7F, hears)
		}
		heard = append(heard, p[12:]...)
	}
	want := transcode.AppendLaw(nil, transcode.AppendLaw(nil, callerWords, says, between), between, hears)
	if want = bytes.Repeat(want, 20); !bytes.Contains(heard, want) {
		t.Errorf("what a phone says in %v is not what one of %v hears", says, hears)
	}
}

// counted returns what a counter says.
func counted(t *testing.T, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("there is no %s", name)
	return 0
}
