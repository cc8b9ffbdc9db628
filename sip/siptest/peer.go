package siptest

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	gosip "github.com/emiago/sipgo/sip"
)

// Peer is a scripted user agent. Its methods fail the test when the other side
// does not do what the script expects, and are for the test's goroutine only.
type Peer struct {
	t      testing.TB
	conn   net.PacketConn
	Addr   netip.AddrPort
	Server netip.AddrPort // where it sends to
	in     chan Message
	calls  int
}

// Message is what a peer received and when.
type Message struct {
	gosip.Message // nil when it cannot be parsed
	At            time.Time
	Raw           string
}

// Request returns the message as a request, nil when it is a response.
func (m Message) Request() *gosip.Request {
	r, _ := m.Message.(*gosip.Request)
	return r
}

// Response returns the message as a response, nil when it is a request.
func (m Message) Response() *gosip.Response {
	r, _ := m.Message.(*gosip.Response)
	return r
}

// Short names the message: "INVITE", "200 INVITE".
func (m Message) Short() string {
	if r := m.Response(); r != nil {
		method := "?"
		if h := r.CSeq(); h != nil {
			method = string(h.MethodName)
		}
		return fmt.Sprintf("%d %s", r.StatusCode, method)
	}
	if r := m.Request(); r != nil {
		return string(r.Method)
	}
	var status int
	if _, err := fmt.Sscanf(m.Raw, "SIP/2.0 %d", &status); err != nil {
		return "nothing"
	}
	return fmt.Sprintf("%d ?", status)
}

// NewPeer starts a peer on conn that talks to server. It ends with the test.
func NewPeer(t testing.TB, conn net.PacketConn, server netip.AddrPort) *Peer {
	t.Helper()
	p := &Peer{
		t: t, conn: conn, Server: server, in: make(chan Message, 4096),
		Addr: netip.MustParseAddrPort(conn.LocalAddr().String()),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.read()
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	return p
}

func (p *Peer) read() {
	buf := make([]byte, 65535)
	for {
		n, _, err := p.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		// What echoes a malformed request does not parse either: it is left to
		// the script as text.
		msg, _ := gosip.ParseMessage(buf[:n])
		p.in <- Message{msg, time.Now(), string(buf[:n])}
	}
}

// Send sends text as it is, with its line ends made CRLF.
func (p *Peer) Send(text string) {
	p.t.Helper()
	p.SendRaw([]byte(CRLF(text)))
}

// SendRaw sends the bytes as they are.
func (p *Peer) SendRaw(data []byte) {
	p.t.Helper()
	if _, err := p.conn.WriteTo(data, net.UDPAddrFromAddrPort(p.Server)); err != nil {
		p.t.Fatalf("the peer cannot send: %v", err)
	}
}

// CRLF makes every line end of text the one that SIP wants.
func CRLF(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
}

// Next returns the next message that comes within timeout.
func (p *Peer) Next(timeout time.Duration) (Message, bool) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case m := <-p.in:
		return m, true
	case <-timer.C:
		return Message{}, false
	}
}

// Expect returns the next message, which must be named so: "180 INVITE", "BYE".
// It passes over keep-alives, and over 100 unless that is what is expected.
func (p *Peer) Expect(want string) Message {
	p.t.Helper()
	return p.ExpectWithin(40*time.Second, want)
}

// ExpectWithin is Expect with a time limit.
func (p *Peer) ExpectWithin(timeout time.Duration, want string) Message {
	p.t.Helper()
	for {
		m, ok := p.Next(timeout)
		if !ok {
			p.t.Fatalf("nothing came within %v, expected %s", timeout, want)
		}
		if m.Short() == want {
			return m
		}
		if r := m.Response(); r != nil && r.StatusCode == 100 || strings.TrimSpace(m.Raw) == "" {
			continue
		}
		p.t.Fatalf("%s came, expected %s:\n%s", m.Short(), want, m.Raw)
	}
}

// Skip reads until a message named want comes.
func (p *Peer) Skip(want string) Message {
	p.t.Helper()
	var seen []string
	for {
		m, ok := p.Next(40 * time.Second)
		if !ok {
			p.t.Fatalf("%v came, expected %s", seen, want)
		}
		if m.Short() == want {
			return m
		}
		seen = append(seen, m.Short())
	}
}

// ExpectNothing fails when a message comes within d.
func (p *Peer) ExpectNothing(d time.Duration) {
	p.t.Helper()
	if m, ok := p.Next(d); ok {
		p.t.Fatalf("%s came, expected nothing for %v:\n%s", m.Short(), d, m.Raw)
	}
}

// Reply answers a request that the peer received. A body begins with "v=0"; other
// lines of more are headers.
func (p *Peer) Reply(req Message, status int, reason string, more ...string) {
	p.t.Helper()
	p.ReplyAs("peer", req, status, reason, more...)
}

// ReplyAs is Reply with that tag, as one of several phones that a proxy rings.
func (p *Peer) ReplyAs(tag string, req Message, status int, reason string, more ...string) {
	p.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d %s\n", status, reason)
	for _, name := range []string{"Via", "Record-Route", "From"} {
		for _, h := range req.GetHeaders(name) {
			fmt.Fprintf(&b, "%s: %s\n", name, h.Value())
		}
	}
	to := req.To().Value()
	if !req.To().Params.Has("tag") && status > 100 {
		to += ";tag=" + tag
	}
	fmt.Fprintf(&b, "To: %s\nCall-ID: %s\nCSeq: %s\n", to, req.CallID().Value(), req.CSeq().Value())
	body := ""
	if !slices.ContainsFunc(more, func(line string) bool { return strings.HasPrefix(line, "Contact:") }) {
		fmt.Fprintf(&b, "Contact: <sip:peer@%s>\n", p.Addr)
	}
	for _, line := range more {
		if sdp, ok := strings.CutPrefix(line, "v=0"); ok {
			body = CRLF("v=0" + sdp)
			b.WriteString("Content-Type: application/sdp\n")
			continue
		}
		b.WriteString(line + "\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\n\n", len(body))
	p.SendRaw([]byte(CRLF(b.String()) + body))
}
