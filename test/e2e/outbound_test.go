package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/internal/admin"
	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/callgw/callgw/sip/siptest"
)

// TestOneGatewayCallsAnother places a call out: the caller's agent is ready when
// the callee's picks up, and both hear each other.
func TestOneGatewayCallsAnother(t *testing.T) {
	t.Parallel()
	callee := start(t, Setup{})
	out := start(t, Setup{Agent: "greeting: {say: Introduce yourself.}"})
	id, err := out.Call(within(t), admin.Outbound{To: "sip:" + calledNumber + "@" + callee.SIP().String(), From: callerNumber})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range []*Gateway{out, callee} {
		session, err := g.Provider.WaitSession(within(t), 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := session.WaitEvent(within(t), "input_audio_buffer.speech_started", 1); err != nil {
			t.Errorf("an agent hears nothing of the other: %v", err)
		}
	}
	call := out.Registry().Call(id)
	if call == nil {
		t.Fatal("the call is not registered under its id")
	}
	if state := call.State(); state != bridge.Talking {
		t.Errorf("the call is %v", state)
	}
}

// TestACallOutThatNobodyTakesEnds calls where nobody is, and whom nobody knows.
func TestACallOutThatNobodyTakesEnds(t *testing.T) {
	t.Parallel()
	callee := start(t, Setup{More: "dialplan: [{name: none, reject: {code: 486}}]"})
	out := start(t, Setup{})
	id, err := out.Call(within(t), admin.Outbound{To: "sip:" + calledNumber + "@" + callee.SIP().String(), From: callerNumber})
	if err != nil {
		t.Fatal(err)
	}
	if call := out.Registry().Call(id); call != nil {
		await(t, call.Ended(), "the call out to end")
	}
	if _, err := out.Call(within(t), admin.Outbound{To: "sip:x@127.0.0.1", Agent: "nobody"}); !errors.Is(err, admin.ErrRequest) {
		t.Errorf("an agent that does not exist: %v", err)
	}
}

// carrier is a gateway with a trunk to a peer that does as the test says.
func carrier(t *testing.T, trunk string, s Setup) (*Gateway, *siptest.Peer) {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Trunk, s.Trunks = "192.0.2.0/24", fmt.Sprintf(`out: {server: "sip:%s"%s}`, socket.LocalAddr(), trunk)
	g := start(t, s)
	return g, siptest.NewPeer(t, socket, g.SIP())
}

// place places a call over the API and returns its id.
func (g *Gateway) place(t *testing.T, members string) string {
	t.Helper()
	status, answer := g.post(t, "/api/v1/calls", `{"to": "+14155550177", "trunk": "out"`+members+`}`)
	var placed struct{ ID string }
	if err := json.Unmarshal([]byte(answer), &placed); err != nil || status != http.StatusAccepted {
		t.Fatalf("%d %s", status, answer)
	}
	return placed.ID
}

// TestACallOutIsDressed gives a call out all that the API can.
func TestACallOutIsDressed(t *testing.T) {
	t.Parallel()
	g, peer := carrier(t, "", Setup{})
	g.place(t, `, "from": "anonymous", "name": "Reception", "asserted": "+14155550199", "headers": {"X-Campaign": "autumn"}`)
	invite := peer.Expect("INVITE")
	for _, want := range []string{"X-Campaign: autumn", "P-Asserted-Identity: <sip:+14155550199@", "Privacy: id", "anonymous@anonymous.invalid"} {
		if !strings.Contains(invite.Raw, want) {
			t.Errorf("no %s in\n%s", want, invite.Raw)
		}
	}
	peer.Reply(invite, 603, "Decline")
	peer.Skip("ACK")
	for members, want := range map[string]string{
		`"headers": {"Via": "x"}`: "callgw writes this header itself", `"headers": {"X-A": "a\r\nB: c"}`: "cannot be sent",
		`"asserted": "a b"`: "asserted identity", `"from": "a b"`: "neither a number", `"ring_seconds": 1000`: "ring_seconds",
	} {
		if status, answer := g.post(t, "/api/v1/calls", `{"to": "1", "trunk": "out", `+members+`}`); status != http.StatusBadRequest || !strings.Contains(answer, want) {
			t.Errorf("%s: %d %s", members, status, answer)
		}
	}
}

// TestWhatBecomesOfACallOut lets a far end ring, be heard early, and refuse, and wants
// the timeline, the API, the log and the metrics to say what happened and nothing else.
func TestWhatBecomesOfACallOut(t *testing.T) {
	t.Parallel()
	early := siptest.SDP("127.0.0.1", 40000)
	for _, c := range []struct {
		name    string
		members string
		far     func(p *siptest.Peer, invite siptest.Message)
		events  string
		cause   string
		status  int
	}{
		{"busy", "", func(p *siptest.Peer, invite siptest.Message) {
			p.Reply(invite, 100, "Trying")
			p.Reply(invite, 486, "Busy Here")
			p.Skip("ACK")
		}, "", "busy", 486},
		{"declined after it rang", "", func(p *siptest.Peer, invite siptest.Message) {
			p.Reply(invite, 180, "Ringing")
			p.Reply(invite, 180, "Ringing")
			p.Reply(invite, 603, "Decline")
			p.Skip("ACK")
		}, "ringing", "rejected", 603},
		{"an announcement", "", func(p *siptest.Peer, invite siptest.Message) {
			p.Reply(invite, 183, "Session Progress", early)
			p.Reply(invite, 404, "Not Found")
			p.Skip("ACK")
		}, "early_media ringing", "no_route", 404},
		{"no answer", `, "ring_seconds": 1`, func(p *siptest.Peer, invite siptest.Message) {
			p.Reply(invite, 180, "Ringing")
			p.Reply(p.Skip("CANCEL"), 200, "OK")
			p.Reply(invite, 487, "Request Terminated")
			p.Skip("ACK")
		}, "ringing", "no_answer", 0},
		{"unreachable", "", func(p *siptest.Peer, invite siptest.Message) {
			p.Reply(invite, 503, "Service Unavailable")
			p.Skip("ACK")
		}, "", "leg_failed", 503},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g, peer := carrier(t, "", Setup{})
			id := g.place(t, c.members)
			invite := peer.Expect("INVITE")
			c.far(peer, invite)
			w, ended := g.Calls.Await(t, 0, bridge.EventEnded)
			var told []string
			for _, e := range w.Events {
				switch e.Name {
				case bridge.EventRinging, bridge.EventEarlyMedia, bridge.EventAnswered:
					told = append(told, e.Name)
				}
			}
			if got := strings.Join(told, " "); got != c.events {
				t.Errorf("the timeline says %q, not %q\n%v", got, c.events, w)
			}
			status, _ := ended.Attr("sip_status").(int)
			if ended.Attr("cause") != c.cause || status != c.status {
				t.Errorf("it ended for %v, %d", ended.Attr("cause"), status)
			}
			g.saysWhy(w, c.cause)
			if got := g.Log.Find(t, id, "call ended")[0].Text("carrier_call"); got != invite.CallID().Value() {
				t.Errorf("carrier_call %q is not the Call-ID %q", got, invite.CallID().Value())
			}
			var shown struct {
				State, Cause string
				Status       int    `json:"sip_status"`
				Carrier      string `json:"carrier_call"`
			}
			if !settles(patience, func() bool {
				_, answer := g.http(t, "GET", "/api/v1/calls/"+id, "")
				return json.Unmarshal([]byte(answer), &shown) == nil && shown.State == "ended"
			}) || shown.Cause != c.cause || shown.Status != c.status || shown.Carrier != invite.CallID().Value() {
				t.Errorf("the API says %+v", shown)
			}
			if c.status > 0 {
				if n := g.Metric(t, "callgw_calls_refused_total", "sip_status", fmt.Sprint(c.status)); n != 1 {
					t.Errorf("callgw_calls_refused_total is %v", n)
				}
			}
		})
	}
}

// TestACallOutThatNoRouteTakesIsRemembered calls for an agent that the dialplan has not.
func TestACallOutThatNoRouteTakesIsRemembered(t *testing.T) {
	t.Parallel()
	g, _ := carrier(t, "", Setup{More: `dialplan: [{name: in, when: {to: "+1*0"}, agent: reception}]`})
	path := "/api/v1/calls/" + g.place(t, "")
	var answer string
	if !settles(patience, func() bool {
		_, answer = g.http(t, "GET", path, "")
		return strings.Contains(answer, `"cause":"no_route"`)
	}) {
		t.Errorf("the API says %s", answer)
	}
}

// TestACallOutByACarrierRings is told by the carrier's callback, and nobody else.
func TestACallOutByACarrierRings(t *testing.T) {
	t.Parallel()
	r := reach(t, streamLeg, "", "", says(nil))
	var told []string
	w, _ := r.Calls.Await(t, 0, bridge.EventAnswered)
	for _, e := range w.Events {
		if e.Name == bridge.EventRinging || e.Name == bridge.EventAnswered || e.Name == bridge.EventSessionOpen {
			told = append(told, e.Name)
		}
	}
	if rings := slices.Index(told, bridge.EventRinging); rings < 0 || slices.Index(told, bridge.EventAnswered) < rings || len(told) != 3 {
		t.Errorf("the timeline says %v", told)
	}
}

// TestACallOutIsTakenBack hangs a call out up while it rings.
func TestACallOutIsTakenBack(t *testing.T) {
	t.Parallel()
	g, peer := carrier(t, "", Setup{})
	path := "/api/v1/calls/" + g.place(t, "")
	invite := peer.Expect("INVITE")
	peer.Reply(invite, 180, "Ringing")
	g.Calls.Await(t, 0, bridge.EventRinging)
	if status, answer := g.post(t, path+"/transfer", `{"target": "sip:x@127.0.0.1"}`); status != http.StatusConflict {
		t.Errorf("a transfer of a call that is not answered: %d %s", status, answer)
	}
	if status, answer := g.http(t, "DELETE", path, ""); status != http.StatusAccepted {
		t.Errorf("%d %s", status, answer)
	}
	peer.Reply(peer.Skip("CANCEL"), 200, "OK")
	peer.Reply(invite, 487, "Request Terminated")
	peer.Skip("ACK")
	if _, ended := g.Calls.Await(t, 0, bridge.EventEnded); ended.Attr("cause") != "operator_hung_up" {
		t.Errorf("it ended for %v", ended.Attr("cause"))
	}
}

// TestACallOutToAnotherLaw calls a far end that speaks one law only, whatever is offered
// first: the agents hear each other.
func TestACallOutToAnotherLaw(t *testing.T) {
	t.Parallel()
	for codecs, session := range map[string]realtimetest.Format{"[pcmu, pcma]": realtimetest.PCMU, "[pcma, pcmu]": realtimetest.PCMA} {
		for far, law := range map[string]realtimetest.Format{"pcma": realtimetest.PCMA, "pcmu": realtimetest.PCMU} {
			t.Run(codecs+" to "+far, func(t *testing.T) {
				t.Parallel()
				callee := start(t, Setup{Trunk: "192.0.2.0/24", Trunks: fmt.Sprintf(`law: {from: [127.0.0.0/8], codecs: [%s]}`, far)})
				out := start(t, Setup{Trunk: "192.0.2.0/24", Trunks: fmt.Sprintf(`out: {server: "sip:%s", codecs: %s}`, callee.SIP(), codecs)})
				out.place(t, "")
				for g, want := range map[*Gateway]realtimetest.Format{out: session, callee: law} {
					s := g.Session(0)
					if _, err := s.WaitEvent(within(t), "input_audio_buffer.speech_started", 1); err != nil {
						t.Errorf("an agent hears nothing of the other: %v", err)
					}
					if got := s.Settings().Input; got != want {
						t.Errorf("a session was opened for %v, not %v", got, want)
					}
				}
			})
		}
	}
}
