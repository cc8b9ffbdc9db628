package e2e_test

import (
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
