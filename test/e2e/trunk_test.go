package e2e_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/callgw/callgw/internal/admin"
	"github.com/callgw/callgw/sip/siptest"
)

// TestATrunkThatRegisters is about a PBX that wants to be registered at: readiness
// and metrics tell the state, its calls and those out over it belong to the trunk,
// and its account opens it.
func TestATrunkThatRegisters(t *testing.T) {
	t.Parallel()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	registrar := socket.LocalAddr().String()
	g := start(t, Setup{
		Trunk: "192.0.2.0/24",
		Trunks: fmt.Sprintf(`pbx: {country: "49", register: {server: "sip:%s", username: "100", password: secret, required: true}}`,
			registrar),
	})
	ready := func(want int, reason string) {
		t.Helper()
		if status, body := fetch(t, http.MethodGet, g.URL("admin")+"/readyz"); status != want || !strings.Contains(body, reason) {
			t.Errorf("/readyz: %d %s", status, body)
		}
	}
	ready(http.StatusServiceUnavailable, "trunk pbx is not registered")
	pbx := siptest.NewPeer(t, socket, netip.MustParseAddrPort(g.SIP().String()))
	account := siptest.Registrar{Realm: "pbx", User: "100", Password: "secret", QOP: "auth", Algorithm: "SHA-256"}
	for account.Take(pbx, pbx.Expect("REGISTER")) != http.StatusOK {
		ready(http.StatusServiceUnavailable, "trunk pbx is not registered")
	}
	if !settles(patience, func() bool { return g.Metric(t, "callgw_trunk_registered", "trunk", "pbx") == 1 }) {
		t.Error("callgw_trunk_registered is not 1")
	}
	ready(http.StatusOK, "ready")

	// A call in, for whom To names.
	in := pbx.Call()
	in.URI, in.To = "sip:100@"+g.SIP().String(), "<sip:03012345@pbx.example>"
	in.Invite(siptest.SDP("127.0.0.1", 40000))
	answer := pbx.Skip("200 INVITE")
	in.Learn(answer)
	in.Ack()
	calls := g.Registry().Calls()
	if len(calls) != 1 || calls[0].Facts().Trunk != "pbx" || calls[0].Facts().To != "+493012345" {
		t.Errorf("the call in: %+v", calls[0].Facts())
	}
	in.Request("BYE")
	pbx.Skip("200 BYE")

	// A call out to a number goes to the PBX, and proves whose it is.
	if _, err := g.Call(within(t), admin.Outbound{To: "030 99", Trunk: "pbx"}); err != nil {
		t.Fatal(err)
	}
	invite := pbx.Expect("INVITE")
	account.Take(pbx, invite)
	pbx.Expect("ACK")
	invite = pbx.Expect("INVITE")
	if got := invite.Request().Recipient.User; got != "+493099" || !account.Right(invite) {
		t.Errorf("the call out:\n%s", invite.Raw)
	}
	pbx.Reply(invite, http.StatusNotFound, "Not Found")
	pbx.Expect("ACK")
	if _, err := g.Call(within(t), admin.Outbound{To: "1", Trunk: "none"}); !errors.Is(err, admin.ErrRequest) {
		t.Errorf("a trunk that does not exist: %v", err)
	}

	// The account is given back when the gateway goes.
	go g.Stop()
	for account.Take(pbx, pbx.Skip("REGISTER")) != http.StatusOK {
	}
	if left := account.Contacts(); len(left) != 0 {
		t.Errorf("%v are left", left)
	}
	await(t, g.stopped, "the gateway to end")
}

// TestCallersWithAPassword lets in who knows it, from anywhere.
func TestCallersWithAPassword(t *testing.T) {
	t.Parallel()
	g := start(t, Setup{Trunk: "192.0.2.0/24", Trunks: `friends: {username: anna, password: secret}`})
	caller := start(t, Setup{Trunks: fmt.Sprintf(`home: {server: "sip:%s", login: {username: anna, password: secret}},
    guess: {server: "sip:%s", login: {username: anna, password: wrong}}`, g.SIP(), g.SIP())})
	if _, err := caller.Call(within(t), admin.Outbound{To: calledNumber, Trunk: "home"}); err != nil {
		t.Fatal(err)
	}
	session := g.Session(0)
	if _, err := session.WaitEvent(within(t), "input_audio_buffer.speech_started", 1); err != nil {
		t.Errorf("the agent hears nothing: %v", err)
	}
	if calls := g.Registry().Calls(); len(calls) != 1 || calls[0].Facts().Trunk != "friends" {
		t.Errorf("%d calls", len(calls))
	}
	if _, err := caller.Call(within(t), admin.Outbound{To: calledNumber, Trunk: "guess"}); err != nil {
		t.Fatal(err)
	}
	if !settles(patience, func() bool { return g.Metric(t, "callgw_calls_rejected_total", "reason", "unknown_trunk") == 1 }) {
		t.Error("the wrong password is not counted")
	}
}
