package e2e_test

import (
	"testing"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
)

// What a carrier says of the caller, and of those whom he meant.
const (
	attested   = `P-Asserted-Identity: "Ann" <sip:+14155550123;verstat=TN-Validation-Passed@carrier.example>`
	spoofed    = `P-Asserted-Identity: <tel:+14155550123;verstat=TN-Validation-Failed>`
	diverted   = `Diversion: <sip:+14155550199@pbx.example>;reason=user-busy;counter=1`
	missed     = `History-Info: <sip:+14155550198@pbx.example?Reason=SIP%3Bcause%3D486>;index=1`
	retargeted = `History-Info: <sip:+14155550100@pbx.example;cause=302>;index=1.1`
)

// TestWhoCallsIsKnownToDialplanAndAgent: what a trunk's carrier says in headers chooses
// the route and stands in the instructions; of a trunk that is not believed it does not.
func TestWhoCallsIsKnownToDialplanAndAgent(t *testing.T) {
	t.Parallel()
	const (
		agent = `
session: {instructions: 'Identity {{.Header "P-Asserted-Identity"}}; for {{.Header "diversion"}}; by {{.Header "History-Info"}}.'}
`
		plan = `dialplan:
  - {name: spoofed, when: {header: {P-Asserted-Identity: "*verstat=TN-Validation-Failed*"}}, reject: {code: 608}}
  - {name: busy, when: {header: {Diversion: "*reason=user-busy*"}}, agent: reception, set: {session: {voice: cedar}}}
  - {name: retargeted, when: {header: {History-Info: "*cause=302*"}}, agent: reception, set: {session: {voice: sage}}}
  - {name: all, agent: reception}
`
	)
	for _, test := range []struct {
		name         string
		strip        string
		headers      []string
		refused      string // with what
		instructions string
		voice        string
	}{
		{"nothing is said", "", nil, "", "Identity ; for ; by .", "marin"},
		{"who was verified", "", []string{attested}, "", `Identity "Ann" <sip:+14155550123;verstat=TN-Validation-Passed@carrier.example>; for ; by .`, "marin"},
		{"who was not", "", []string{spoofed}, "608 INVITE", "", ""},
		{"a failed one that is not believed", "P-Asserted-Identity", []string{spoofed}, "", "Identity ; for ; by .", "marin"},
		{"whose line was busy", "", []string{attested, diverted}, "", `Identity "Ann" <sip:+14155550123;verstat=TN-Validation-Passed@carrier.example>; for <sip:+14155550199@pbx.example>;reason=user-busy;counter=1; by .`, "cedar"},
		{"who was called before", "", []string{missed, retargeted}, "", "Identity ; for ; by <sip:+14155550198@pbx.example?Reason=SIP%3Bcause%3D486>;index=1, <sip:+14155550100@pbx.example;cause=302>;index=1.1.", "sage"},
		{"a diversion that is not believed", "diversion", []string{diverted}, "", "Identity ; for ; by .", "marin"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := start(t, Setup{
				Agent: agent, More: plan, Trunk: "192.0.2.0/24",
				Trunks: "carrier: {from: [127.0.0.0/8], strip: [" + test.strip + "]}",
			})
			if test.refused != "" {
				l := dialLine(t, g, lineConfig{codec: media.PCMU})
				l.dialog.Invite(append(test.headers, l.offer())...)
				l.dialog.AckFailure(l.sip.Skip(test.refused))
				return
			}
			l := dialLine(t, g, lineConfig{codec: media.PCMU})
			l.answered(l.dialog.Establish(append(test.headers, l.offer())...))
			g.Calls.Await(t, 0, bridge.EventAnswered)
			s := g.Session(0).Settings()
			if s.Instructions != test.instructions {
				t.Errorf("the agent is told\n%s\nnot\n%s", s.Instructions, test.instructions)
			}
			if s.Voice != test.voice {
				t.Errorf("the route gave voice %s, not %s", s.Voice, test.voice)
			}
			l.bye()
		})
	}
}
