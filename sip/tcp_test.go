package sip_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/bridge/pacer"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/rtp"
	"github.com/callgw/callgw/sip/siptest"
)

// loopback runs a server on real sockets until the test ends.
func loopback(t *testing.T, handler func(context.Context, *sip.Call), tweak ...func(*sip.Config)) *sip.Server {
	t.Helper()
	ports, err := rtp.NewPorts(rtp.PortsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	p := pacer.New(pacer.Config{Shards: 1})
	cfg := sip.Config{
		Listen:        []sip.Listen{{Network: "udp", Addr: "127.0.0.1:0"}, {Network: "tcp", Addr: "127.0.0.1:0"}},
		AcceptUnknown: true, Ports: ports, Pacer: p, MediaTimeout: -1, Handler: handler,
	}
	for _, f := range tweak {
		f(&cfg)
	}
	s, err := sip.NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = p.Run(ctx) })
	running.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
		if n := ports.InUse(); n != 0 {
			t.Errorf("%d ports are in use", n)
		}
	})
	return s
}

// conn is a connection to the server, read message by message.
type conn struct {
	net.Conn
	t *testing.T
	r *bufio.Reader
}

func connect(t *testing.T, s *sip.Server) *conn {
	t.Helper()
	c, err := net.Dial("tcp", s.Addrs()[1].String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &conn{c, t, bufio.NewReader(c)}
}

func (c *conn) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, siptest.CRLF(text)); err != nil {
		c.t.Fatal(err)
	}
}

// expect reads messages until one begins with want.
func (c *conn) expect(want string) textproto.MIMEHeader {
	c.t.Helper()
	r := textproto.NewReader(c.r)
	for {
		line, err := r.ReadLine()
		if err != nil {
			c.t.Fatalf("waiting for %s: %v", want, err)
		}
		h, err := r.ReadMIMEHeader()
		if err != nil {
			c.t.Fatal(err)
		}
		var n int
		if _, err := fmt.Sscan(h.Get("Content-Length"), &n); err != nil {
			c.t.Fatalf("%s: Content-Length: %v", line, err)
		}
		if _, err := io.CopyN(io.Discard, c.r, int64(n)); err != nil {
			c.t.Fatal(err)
		}
		if strings.HasPrefix(line, want) {
			return h
		}
	}
}

func (c *conn) request(method, id string, cseq int, to string, more ...string) string {
	body := ""
	if method == "INVITE" {
		body = siptest.CRLF(siptest.SDP("127.0.0.1", 40000))
		more = append(more, "Content-Type: application/sdp")
	}
	return siptest.CRLF(fmt.Sprintf("%s sip:a@127.0.0.1 SIP/2.0\nVia: SIP/2.0/TCP %s;branch=z9hG4bK%s%d%s\nFrom: <sip:b@127.0.0.1>;tag=f\nTo: %s\n"+
		"Call-ID: %s\nCSeq: %d %s\nMax-Forwards: 70\nContact: <sip:b@%s;transport=tcp>\n%s\nContent-Length: %d\n\n%s",
		method, c.LocalAddr(), id, cseq, method, to, id, cseq, method, c.LocalAddr(), strings.Join(append(more, "X: y"), "\n"), len(body), body))
}

func answerAll(ended chan<- error) func(context.Context, *sip.Call) {
	return func(ctx context.Context, c *sip.Call) {
		var running sync.WaitGroup
		running.Go(func() {
			err := c.Run(ctx, silence{}, silence{})
			if ended != nil {
				ended <- err
			}
		})
		_ = c.Answer(ctx)
		running.Wait()
	}
}

func TestStreamFraming(t *testing.T) {
	s := loopback(t, answerAll(nil))
	c := connect(t, s)
	// Keep-alives between messages, a message in pieces, two in one piece.
	c.send("\n\n")
	pong := make([]byte, 2)
	if _, err := io.ReadFull(c.r, pong); err != nil || string(pong) != "\r\n" {
		t.Errorf("ping is answered with %q, %v", pong, err)
	}
	one := c.request("OPTIONS", "o", 1, "<sip:a@b>")
	for i := 0; i < len(one); i += 37 {
		if _, err := io.WriteString(c, one[i:min(i+37, len(one))]); err != nil {
			t.Fatal(err)
		}
	}
	c.expect("SIP/2.0 200")
	c.send("\n" + c.request("OPTIONS", "o", 2, "<sip:a@b>") + "\n\n" + c.request("OPTIONS", "o", 3, "<sip:a@b>"))
	for _, want := range []string{"2 OPTIONS", "3 OPTIONS"} {
		if got := c.expect("SIP/2.0 200").Get("CSeq"); got != want {
			t.Errorf("CSeq %s, want %s: answered out of order", got, want)
		}
	}
}

func TestStreamThatMakesNoSenseIsClosed(t *testing.T) {
	s := loopback(t, answerAll(nil))
	for _, text := range []string{"GET / HTTP/1.1\nHost: x\n\n", strings.Repeat("x", 100<<10), "OPTIONS sip:a SIP/2.0\nCall-ID: x\n\n"} {
		c := connect(t, s)
		_, _ = io.WriteString(c, siptest.CRLF(text)) // may be closed before all is sent
		if _, err := io.Copy(io.Discard, c.r); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

func TestCallOverTCPThatLosesItsConnection(t *testing.T) {
	ended := make(chan error, 1)
	s := loopback(t, answerAll(ended))
	c := connect(t, s)
	c.send(c.request("INVITE", "x", 1, "<sip:a@b>"))
	h := c.expect("SIP/2.0 200")
	if contact := h.Get("Contact"); !strings.Contains(contact, ";transport=tcp") || !strings.Contains(contact, s.Addrs()[1].String()) {
		t.Errorf("Contact: %s", contact)
	}
	c.send(c.request("ACK", "x", 1, h.Get("To")))
	c.Close()

	// The dialog goes on over another connection.
	again := connect(t, s)
	again.send(again.request("BYE", "x", 2, h.Get("To")))
	again.expect("SIP/2.0 200")
	if err := <-ended; media.CauseOf(err) != media.CallerHungUp {
		t.Errorf("Run() = %v", err)
	}
}

func TestDialOverTCP(t *testing.T) {
	ended := make(chan error, 1)
	near, far := loopback(t, answerAll(nil)), loopback(t, answerAll(ended))
	c, err := near.Dial(t.Context(), sip.Dial{To: fmt.Sprintf("sip:bob@%s;transport=tcp", far.Addrs()[1])})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, silence{}, silence{}) }()
	cancel(media.AgentHungUp)
	if err := <-done; media.CauseOf(err) != media.AgentHungUp {
		t.Errorf("Run() = %v", err)
	}
	if err := <-ended; media.CauseOf(err) != media.CallerHungUp {
		t.Errorf("the other side: %v", err)
	}
}

func TestDialToAClosedPort(t *testing.T) {
	s := loopback(t, answerAll(nil))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr()
	ln.Close()
	if _, err := s.Dial(t.Context(), sip.Dial{To: fmt.Sprintf("sip:bob@%s;transport=tcp", addr)}); media.CauseOf(err) != media.LegFailed {
		t.Errorf("Dial() = %v", err)
	}
}

func TestLargeResponseGoesOutOverUDP(t *testing.T) {
	s := loopback(t, answerAll(nil))
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := siptest.NewPeer(t, pc, s.Addrs()[0].(*net.UDPAddr).AddrPort())
	d := p.Call()
	more := []string{siptest.SDP("127.0.0.1", 40000)}
	for i := range 40 {
		more = append(more, fmt.Sprintf("Record-Route: <sip:127.0.0.1:%d;lr;padding=%s>", 20000+i, strings.Repeat("x", 50)))
	}
	d.Invite(more...)
	ok := p.Skip("200 INVITE")
	if len(ok.Raw) < 3000 || len(ok.GetHeaders("Record-Route")) != 40 {
		t.Errorf("%d bytes", len(ok.Raw))
	}
}

func TestPortsRunOut(t *testing.T) {
	ports, err := rtp.NewPorts(rtp.PortsConfig{Min: 31000, Max: 31001})
	if err != nil {
		t.Fatal(err)
	}
	taken, err := ports.Open()
	if err != nil {
		t.Skip("the test's ports are in use: ", err)
	}
	rejected := make(chan media.Cause, 2)
	s := loopback(t, answerAll(nil), func(cfg *sip.Config) {
		cfg.Ports = ports
		cfg.Rejected = func(_ string, cause media.Cause) { rejected <- cause }
	})
	c := connect(t, s)
	c.send(c.request("INVITE", "x", 1, "<sip:a@b>"))
	if c.expect("SIP/2.0 503").Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if cause := <-rejected; cause != media.Busy {
		t.Errorf("rejected for %v", cause)
	}
	taken.Close()
}
