package gateway

import (
	"io"
	"net/http"
	"time"
)

// bodyTimeout is how long a request's body may take to come.
const bodyTimeout = 5 * time.Second

// timely serves next with bodies that come in time. A body that nobody reads, such
// as that of a request that is refused, is waited for by the server itself: it is
// bounded as well. What comes after the body is not: a webhook's answer may be
// held back, and a connection may become a WebSocket.
func timely(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 { // less than 0: not known
			c := http.NewResponseController(w)
			_ = c.SetReadDeadline(time.Now().Add(bodyTimeout)) // fails when the connection is gone, as the read will
			r.Body = &timelyBody{r.Body, c}
		}
		next.ServeHTTP(w, r)
	})
}

// timelyBody lifts the connection's deadline at its end.
type timelyBody struct {
	io.ReadCloser
	conn *http.ResponseController
}

func (b *timelyBody) Read(p []byte) (n int, err error) {
	n, err = b.ReadCloser.Read(p)
	if err == io.EOF {
		_ = b.conn.SetReadDeadline(time.Time{})
	}
	return n, err
}
