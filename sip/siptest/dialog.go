package siptest

import (
	"fmt"
	"strings"

	gosip "github.com/emiago/sipgo/sip"
)

// Dialog is a call that the peer places.
type Dialog struct {
	p        *Peer
	CallID   string
	URI      string // of requests outside the dialog, and inside it until Target is known
	Target   string // the other side's Contact
	From, To string // with URI, without tag
	FromTag  string
	ToTag    string
	CSeq     int
	Contact  string
	branch   string // of the INVITE
	branches int
}

// SDP is an offer of PCMU, PCMA and telephone-event at addr:port.
func SDP(addr string, port int, attributes ...string) string {
	return SDPWith(addr, port, "0 8 101", append([]string{"rtpmap:101 telephone-event/8000"}, attributes...)...)
}

// SDPWith is a description of one audio line with these formats and attributes.
func SDPWith(addr string, port int, formats string, attributes ...string) string {
	s := fmt.Sprintf("v=0\no=peer 1 1 IN IP4 %s\ns=-\nc=IN IP4 %s\nt=0 0\nm=audio %d RTP/AVP %s\n", addr, addr, port, formats)
	for _, a := range attributes {
		s += "a=" + a + "\n"
	}
	return s
}

// Call makes a dialog that is not begun.
func (p *Peer) Call() *Dialog {
	p.calls++
	return &Dialog{
		p: p, CallID: fmt.Sprintf("call%d@%s", p.calls, p.Addr), URI: fmt.Sprintf("sip:+14155550123@%s", p.Server),
		From: "<sip:+14155550199@peer.example>", To: fmt.Sprintf("<sip:+14155550123@%s>", p.Server),
		FromTag: fmt.Sprintf("from%d", p.calls), Contact: fmt.Sprintf("<sip:peer@%s>", p.Addr),
	}
}

// Invite sends an INVITE with the next CSeq. A body begins with "v=0"; other
// lines of more are headers.
func (d *Dialog) Invite(more ...string) {
	d.p.t.Helper()
	d.CSeq++
	d.branch = d.newBranch()
	d.send("INVITE", d.CSeq, d.branch, more...)
}

// Again sends the INVITE of the last Invite with the same branch.
func (d *Dialog) Again(more ...string) {
	d.p.t.Helper()
	d.send("INVITE", d.CSeq, d.branch, more...)
}

// Cancel cancels the last INVITE.
func (d *Dialog) Cancel() {
	d.p.t.Helper()
	d.send("CANCEL", d.CSeq, d.branch)
}

// Ack acknowledges a 2xx to the last INVITE.
func (d *Dialog) Ack(more ...string) {
	d.p.t.Helper()
	d.send("ACK", d.CSeq, d.newBranch(), more...)
}

// AckFailure acknowledges a failure response, with the INVITE's branch.
func (d *Dialog) AckFailure(res Message) {
	d.p.t.Helper()
	tag := d.ToTag
	d.ToTag = res.To().Params.GetOr("tag", "")
	d.send("ACK", d.CSeq, d.branch)
	d.ToTag = tag
}

// Request sends any other request with the next CSeq.
func (d *Dialog) Request(method string, more ...string) {
	d.p.t.Helper()
	d.CSeq++
	d.send(method, d.CSeq, d.newBranch(), more...)
}

// Learn takes the dialog's other half from a response.
func (d *Dialog) Learn(res Message) {
	d.p.t.Helper()
	d.ToTag = res.To().Params.GetOr("tag", "")
	r := res.Response()
	if r == nil || r.Contact() == nil {
		d.p.t.Fatalf("no Contact in:\n%s", res.Raw)
	}
	d.Target = r.Contact().Address.String()
}

// Establish sends an INVITE with an offer, expects ringing and the answer, and
// acknowledges it. It returns the 200.
func (d *Dialog) Establish(more ...string) Message {
	d.p.t.Helper()
	if len(more) == 0 {
		more = []string{SDP(d.p.Addr.Addr().String(), 40000)}
	}
	d.Invite(more...)
	d.p.Expect("180 INVITE")
	ok := d.p.Expect("200 INVITE")
	d.Learn(ok)
	d.Ack()
	return ok
}

func (d *Dialog) newBranch() string {
	d.branches++
	return fmt.Sprintf("z9hG4bK-%s-%d", d.CallID, d.branches)
}

func (d *Dialog) send(method string, cseq int, branch string, more ...string) {
	d.p.t.Helper()
	d.p.Send(d.Text(method, cseq, branch, more...))
}

// Text returns a request of the dialog as it would be sent.
func (d *Dialog) Text(method string, cseq int, branch string, more ...string) string {
	uri := d.URI
	if d.Target != "" && d.ToTag != "" {
		uri = d.Target
	}
	to := d.To
	if d.ToTag != "" {
		to += ";tag=" + d.ToTag
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s SIP/2.0\n", method, uri)
	fmt.Fprintf(&b, "Via: SIP/2.0/UDP %s;branch=%s;rport\n", d.p.Addr, branch)
	fmt.Fprintf(&b, "From: %s;tag=%s\nTo: %s\nCall-ID: %s\nCSeq: %d %s\n", d.From, d.FromTag, to, d.CallID, cseq, method)
	maxForwards, contact, body := "Max-Forwards: 70\n", "", ""
	if method == string(gosip.INVITE) || method == string(gosip.UPDATE) {
		contact = "Contact: " + d.Contact + "\n"
	}
	for _, line := range more {
		switch {
		case strings.HasPrefix(line, "v=0"):
			body = CRLF(line)
			b.WriteString("Content-Type: application/sdp\n")
		case strings.HasPrefix(line, "\n"):
			body = CRLF(line[1:]) // of another type, whose header is in more
		case line == "-Contact":
			contact = ""
		case line != "":
			if strings.HasPrefix(line, "Max-Forwards:") {
				maxForwards = ""
			}
			if strings.HasPrefix(line, "Contact:") {
				contact = ""
			}
			b.WriteString(line + "\n")
		}
	}
	b.WriteString(maxForwards + contact)
	fmt.Fprintf(&b, "Content-Length: %d\n\n", len(body))
	return CRLF(b.String()) + body
}
