package realtime

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// readLimit of one message. Items come with all their audio in base64.
const readLimit = 16 << 20

// conn is one socket to a provider. One goroutine reads, one writes; it starts
// none itself.
type conn struct {
	ws           *websocket.Conn
	buf          *buffer // of the latest message; nil between two
	writeTimeout time.Duration
	heard        atomic.Bool // something came since the last look
	skipped      *atomic.Int64
	pings        chan string // the peer's last one, until it is answered
}

// dial connects and upgrades; ctx bounds both.
func dial(ctx context.Context, cfg Config, p Provider, skipped *atomic.Int64) (*conn, error) {
	u, err := p.endpoint()
	if err != nil {
		return nil, err
	}
	reach := cfg.Dial
	if reach == nil {
		reach = (&net.Dialer{}).DialContext
	}
	// The library heeds the context's deadline in the handshake, not its end.
	unwatch := func() bool { return true }
	d := websocket.Dialer{
		Proxy: http.ProxyFromEnvironment,
		NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			socket, err := reach(ctx, network, address)
			if err == nil {
				unwatch = context.AfterFunc(ctx, func() { _ = socket.Close() })
			}
			return socket, err
		},
		TLSClientConfig: cfg.TLS,
	}
	ws, resp, err := d.DialContext(ctx, u.String(), p.HandshakeHeader())
	unwatch()
	if err != nil {
		if resp != nil {
			return nil, handshakeError(u.Host, resp)
		}
		return nil, &ConnectError{Host: u.Host, Err: err}
	}
	c := &conn{ws: ws, writeTimeout: cfg.WriteTimeout, skipped: skipped, pings: make(chan string, 1)}
	ws.SetReadLimit(readLimit)
	ws.SetPingHandler(func(payload string) error {
		// No sign of life: a peer may ping and read nothing that we send.
		// RFC 6455 §5.5.3: only the most recent ping needs an answer.
		select {
		case <-c.pings:
		default:
		}
		c.pings <- payload // by the reader alone: there is room
		return nil
	})
	ws.SetPongHandler(func(string) error {
		c.heard.Store(true)
		return nil
	})
	// The answer to a close frame must not wait for a socket that is stuck.
	ws.SetCloseHandler(func(code int, _ string) error {
		_ = ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""),
			time.Now().Add(100*time.Millisecond))
		return nil
	})
	return c, nil
}

// handshakeError reads a refusal in HTTP. The library has read the beginning of
// the body already.
func handshakeError(host string, resp *http.Response) error {
	e := &HandshakeError{Host: host, Status: resp.StatusCode}
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
		e.RetryAfter = time.Duration(s) * time.Second
	}
	body := make([]byte, 1024)
	n, _ := resp.Body.Read(body)
	body = body[:n]
	var refusal struct {
		Error struct {
			Code    any    `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &refusal) == nil {
		e.Code, _ = refusal.Error.Code.(string)
		e.Message = refusal.Error.Message
	} else {
		e.Message = string(body[:min(n, 200)])
	}
	return e
}

// read returns the next text message; it lives until the next call. Frames of
// other types are counted and passed over.
func (c *conn) read() ([]byte, error) {
	c.buf.release()
	c.buf = nil
	for {
		kind, r, err := c.ws.NextReader()
		if err != nil {
			return nil, err
		}
		c.heard.Store(true)
		if kind != websocket.TextMessage {
			// NextReader skips what is unread of a message.
			c.skipped.Add(1)
			continue
		}
		c.buf = buffers.Get().(*buffer)
		if c.buf.bytes, err = readAll(r, c.buf.bytes[:0]); err != nil {
			return nil, err
		}
		return c.buf.bytes, nil
	}
}

// readAll appends all of r to buf, which grows as needed.
func readAll(r io.Reader, buf []byte) ([]byte, error) {
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}

// write sends one text message.
func (c *conn) write(msg []byte) error {
	_ = c.ws.SetWriteDeadline(time.Now().Add(c.writeTimeout))
	return c.writeError(c.ws.WriteMessage(websocket.TextMessage, msg))
}

// control sends a ping, a pong or a close frame.
func (c *conn) control(kind int, payload []byte) error {
	return c.writeError(c.ws.WriteControl(kind, payload, time.Now().Add(c.writeTimeout)))
}

func (c *conn) writeError(err error) error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return ErrWriteTimeout
	}
	return err
}

// expire makes the reader give up after d.
func (c *conn) expire(d time.Duration) { _ = c.ws.SetReadDeadline(time.Now().Add(d)) }

// drop ends the socket without ceremony. It may be called more than once.
func (c *conn) drop() {
	socket := c.ws.NetConn()
	if secure, ok := socket.(*tls.Conn); ok {
		// Its own Close writes an alert, up to 5 s into a socket that is stuck.
		socket = secure.NetConn()
	}
	_ = socket.Close()
}
