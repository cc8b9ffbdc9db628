package load_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"time"
)

// invite sends an INVITE from a socket of its own and returns the final response's
// status and Retry-After, and how long it took. It acknowledges a refusal.
func invite(ctx context.Context, addr string, n int) (status int, retryAfter string, took time.Duration, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "udp", addr)
	if err != nil {
		return 0, "", 0, err
	}
	defer conn.Close()
	began := time.Now()
	if err := conn.SetDeadline(began.Add(5 * time.Second)); err != nil {
		return 0, "", 0, err
	}
	local := conn.LocalAddr().String()
	description := "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
	request := func(method, to, body string) string {
		return fmt.Sprintf("%s sip:+14155550100@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKload%d;rport\r\nMax-Forwards: 70\r\n"+
			"From: <sip:load@%s>;tag=%d\r\nTo: %s\r\nCall-ID: load-%d@%s\r\nCSeq: 1 %s\r\nContact: <sip:load@%s>\r\n"+
			"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
			method, addr, local, n, local, n, to, n, local, method, local, len(body), body)
	}
	if _, err := conn.Write([]byte(request("INVITE", "<sip:+14155550100@"+addr+">", description))); err != nil {
		return 0, "", 0, err
	}
	buf := make([]byte, 4096)
	for {
		size, err := conn.Read(buf)
		if err != nil {
			return 0, "", 0, err
		}
		if _, err := fmt.Sscanf(string(buf[:size]), "SIP/2.0 %d", &status); err != nil {
			return 0, "", 0, err
		}
		if status < 200 {
			continue
		}
		took = time.Since(began)
		// RFC 3261 §17.1.1.3: the ACK of a refusal has the INVITE's branch and the
		// response's To.
		_, err = conn.Write([]byte(request("ACK", field(buf[:size], "To"), "")))
		return status, field(buf[:size], "Retry-After"), took, err
	}
}

// field returns a header's value, "" if there is none.
func field(message []byte, name string) string {
	for line := range bytes.Lines(message) {
		if key, value, ok := strings.Cut(string(line), ":"); ok && strings.EqualFold(key, name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
