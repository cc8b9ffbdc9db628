package mediastream

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

const (
	// maxMessage bounds inbound messages; a second of audio is 11 KiB.
	maxMessage = 64 << 10
	// readBuffer holds an ordinary media message whole, writeBuffer 100 ms.
	readBuffer  = 1 << 10
	writeBuffer = 2 << 10
)

// hijacker puts an alarmConn under the WebSocket that an upgrade makes.
type hijacker struct {
	http.ResponseWriter
	conn *alarmConn
}

// upgrade answers a WebSocket handshake. Carriers send no Origin and need no
// subprotocol but the one given, if any; compression would cost more than base64
// of noise can yield. Reading ends at cutoff.
func upgrade(w http.ResponseWriter, r *http.Request, subprotocol string, cutoff time.Time) (*socket, error) {
	upgrader := websocket.Upgrader{
		ReadBufferSize: readBuffer, WriteBufferSize: writeBuffer,
		HandshakeTimeout: 5 * time.Second,
		CheckOrigin:      func(*http.Request) bool { return true },
	}
	if subprotocol != "" {
		upgrader.Subprotocols = []string{subprotocol}
	}
	h := &hijacker{w, &alarmConn{cutoff: cutoff}}
	ws, err := upgrader.Upgrade(h, r, nil)
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(maxMessage)
	return &socket{Conn: ws, below: h.conn}, nil
}

// socket is a WebSocket with the connection below it.
type socket struct {
	*websocket.Conn
	below *alarmConn
	text  []byte // the latest message, reused
	token string // of the path
	early []byte // audio that came before the start message
}

// next reads one message. It is valid until the next call.
func (s *socket) next() (message []byte, binary bool, err error) {
	kind, r, err := s.NextReader()
	if err != nil {
		return nil, false, err
	}
	binary = kind == websocket.BinaryMessage
	s.text = s.text[:0]
	for {
		if len(s.text) == cap(s.text) {
			s.text = append(s.text, 0)[:len(s.text)]
		}
		n, err := r.Read(s.text[len(s.text):cap(s.text)])
		s.text = s.text[:len(s.text)+n]
		if err != nil {
			if err == io.EOF { // of the message
				return s.text, binary, nil
			}
			return nil, false, err
		}
	}
}

// sendClose sends a close frame; it does not wait for the peer's.
func (s *socket) sendClose(code int, reason string) {
	message := websocket.FormatCloseMessage(code, reason)
	// The connection is closed next, whether this gets through or not.
	_ = s.WriteControl(websocket.CloseMessage, message, time.Now().Add(closeWait))
}

// Hijack implements [http.Hijacker].
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.conn.Conn = conn
	return h.conn, buffered, nil
}
