package naptr

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/miekg/dns"
)

// maxAnswer bounds the answers that are read, in bytes. Without EDNS, which is not
// asked for, those over UDP have 512 at most (RFC 1035 §4.2.1).
const maxAnswer = 16 << 10

// question asks one server, over UDP and when the answer does not fit over TCP (RFC
// 1035 §4.2).
func (c *Client) question(ctx context.Context, server, domain string, patience time.Duration) (answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errSilent)
	defer cancel()
	q := new(dns.Msg).SetQuestion(dns.Fqdn(domain), dns.TypeNAPTR) // with an Id at random
	var a answer
	err := c.exchange(ctx, "udp", server, q, func(conn net.Conn, packed []byte) (err error) {
		a, err = overUDP(conn, packed, q)
		return err
	})
	if errors.Is(err, errTruncated) {
		err = c.exchange(ctx, "tcp", server, q, func(conn net.Conn, packed []byte) (err error) {
			a, err = overTCP(conn, packed, q)
			return err
		})
	}
	return a, err
}

// exchange opens a connection for one question, which ends with ctx.
func (c *Client) exchange(ctx context.Context, network, server string, q *dns.Msg, speak func(conn net.Conn, packed []byte) error) error {
	packed, err := q.Pack()
	if err != nil {
		return err
	}
	conn, err := c.cfg.Dial(ctx, network, server)
	if err != nil {
		return because(ctx, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if err := speak(conn, packed); err != nil {
		return because(ctx, err)
	}
	return nil
}

// because prefers the reason why ctx has ended to what came of that.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// overUDP takes the first datagram that answers q. The others may be anybody's: they
// do not end the wait.
func overUDP(conn net.Conn, packed []byte, q *dns.Msg) (answer, error) {
	if _, err := conn.Write(packed); err != nil {
		return answer{}, err
	}
	buf := make([]byte, maxAnswer)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return answer{}, err
		}
		if a, err := parse(buf[:n], q); !errors.Is(err, errStray) {
			return a, err
		}
	}
}

// overTCP is overUDP over a connection, where each message has its length before it
// (RFC 1035 §4.2.2).
func overTCP(conn net.Conn, packed []byte, q *dns.Msg) (answer, error) {
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packed))), packed...)); err != nil {
		return answer{}, err
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return answer{}, err
	}
	n := binary.BigEndian.Uint16(length[:])
	if n > maxAnswer {
		return answer{}, fmt.Errorf("an answer of %d bytes is too long", n)
	}
	buf := make([]byte, n)
	if _, err := io.ReadFull(conn, buf); err != nil {
		return answer{}, err
	}
	a, err := parse(buf, q)
	if errors.Is(err, errTruncated) {
		err = errors.New("the answer is truncated over TCP too")
	}
	return a, err
}
