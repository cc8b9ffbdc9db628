package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/callgw/callgw/internal/caller"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// TestTheLogTellsNoSecrets calls in every way that is logged and looks for what
// must not be there.
func TestTheLogTellsNoSecrets(t *testing.T) {
	t.Parallel()
	var provider outage
	g := start(t, Setup{
		Level: zerolog.InfoLevel, Provider: realtimetest.Config{Fault: provider.fault},
		More: `dialplan: [{name: nobody, when: {to: "+1999*"}, reject: {}}, {name: all, agent: reception}]`,
	})
	for n, leg := range legs {
		provider.Store(false)
		p := g.phone(leg, n)
		provider.Store(true)
		p.Session.Drop()
		p.Ends(atOnce+repair, "provider_lost")
	}
	refused := g.target(streamLeg)
	refused.To = "+19995550100"
	if _, err := caller.Dial(within(t), refused); err == nil {
		t.Error("the call was answered")
	}
	log := g.Log.String()
	for _, secret := range []string{callerNumber, calledNumber, "4155550123", "4155550100", "9995550100", apiKey, authToken} {
		if strings.Contains(log, secret) {
			t.Errorf("the log says %s:\n%s", secret, log)
		}
	}
	if !strings.Contains(log, "+1999***0100") {
		t.Errorf("the log does not tell the refused call's masked number:\n%s", log)
	}
}

// TestOneIDIsOnAllLinesOfACall finds the lines that belong to a call by whatever
// the carrier calls it.
func TestOneIDIsOnAllLinesOfACall(t *testing.T) {
	t.Parallel()
	for _, leg := range legs {
		t.Run(leg, func(t *testing.T) {
			t.Parallel()
			var provider outage
			g := start(t, Setup{Level: zerolog.InfoLevel, Provider: realtimetest.Config{Fault: provider.fault}})
			p := g.phone(leg, 0)
			provider.Store(true)
			p.Session.Drop()
			w := p.Ends(atOnce+repair, "provider_lost")
			carrier := g.Log.Find(t, w.ID, "call ended")[0].Text("carrier_call")
			if carrier == "" {
				t.Fatalf("no carrier's id:\n%v", g.Log)
			}
			lines := 0
			for _, e := range g.Log.Entries(t) {
				if e.Text("carrier_call") != carrier && e.Text("sip_call") != carrier && e.Text("call_sid") != carrier {
					continue
				}
				lines++
				if e.Text("call") != w.ID {
					t.Errorf("a line of the call without its id: %v", e)
				}
			}
			if lines < 3 { // answered, session lost, ended
				t.Errorf("%d lines tell of the call:\n%v", lines, g.Log)
			}
		})
	}
}

// TestHiddenTranscriptsAreNotShown has an operator speak of a secret in a call
// whose transcripts are hidden, and looks for it, and for what the agent says,
// wherever calls are shown.
func TestHiddenTranscriptsAreNotShown(t *testing.T) {
	t.Parallel()
	const secret = "swordfish"
	g := start(t, Setup{Level: zerolog.DebugLevel, Agent: "transcripts: false"})
	p := g.phone(sipLeg, 0)
	call := g.Registry().Calls()[0]
	path := "/api/v1/calls/" + call.Facts().ID
	for what, body := range map[string]string{
		"/say":     `{"instructions": "Say ` + secret + `."}`,
		"/message": `{"text": "The word is ` + secret + `."}`,
		"/session": `{"instructions": "Never say ` + secret + `."}`,
		"/dtmf":    `{"digits": "4711"}`,
	} {
		if status, answer := g.post(t, path+what, body); status != http.StatusOK {
			t.Fatalf("%s: %d %s", what, status, answer)
		}
	}
	if _, err := p.Session.WaitEvent(within(t), "response.done", 2); err != nil {
		t.Fatal(err)
	}
	var shown string
	for _, path := range []string{path, path + "/conversation"} {
		status, answer := g.http(t, "GET", path, "")
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, answer)
		}
		shown += answer
	}
	if !strings.Contains(shown, `"action":"say"`) {
		t.Errorf("the timeline does not tell what the operator did: %s", shown)
	}
	shown += g.Log.String()
	for _, word := range []string{secret, "4711", "Hello"} {
		if strings.Contains(shown, word) {
			t.Errorf("%q is shown:\n%s", word, shown)
		}
	}
}
