package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/internal/gateway"
)

// TestSlowBodiesHoldNoConnection is on real sockets: their deadlines are what it
// is about.
func TestSlowBodiesHoldNoConnection(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /read", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err == nil {
			t.Error("a half body is a whole one")
		}
		w.WriteHeader(http.StatusBadRequest)
	})
	mux.HandleFunc("/refused", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	server := httptest.NewServer(gateway.Timely(mux))
	defer server.Close()
	sent := make(map[string]net.Conn)
	for _, request := range []string{"POST /read", "POST /refused", "GET /refused", "POST /nowhere"} {
		for _, length := range []string{"Content-Length: 60000\r\n\r\na", "Transfer-Encoding: chunked\r\n\r\n5\r\na"} {
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, request+" HTTP/1.1\r\nHost: x\r\n"+length); err != nil {
				t.Fatal(err)
			}
			sent[request+", "+length[:8]] = conn
		}
	}
	late := time.Now().Add(20 * time.Second)
	for name, conn := range sent {
		if err := conn.SetReadDeadline(late); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 4") {
			t.Errorf("%s: %q, %v", name, answer, err)
		}
	}
}

// single is a listener of one connection.
type single chan net.Conn

func (s single) Accept() (net.Conn, error) {
	if conn, ok := <-s; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (s single) Close() error   { return nil }
func (s single) Addr() net.Addr { return &net.TCPAddr{} }

func TestWhatComesAfterABodyTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		theirs, ours := net.Pipe()
		listener := make(single, 1)
		listener <- theirs
		server := &http.Server{Handler: gateway.Timely(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.ReadAll(r.Body); err != nil {
				t.Error(err)
			}
			select {
			case <-r.Context().Done():
				t.Error("the request has ended")
			case <-time.After(time.Minute):
			}
			fmt.Fprint(w, "held")
		}))}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = server.Serve(listener)
		}()
		r := bufio.NewReader(ours)
		for range 2 { // on one connection
			if _, err := io.WriteString(ours, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbo"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(4 * time.Second) // the body is slow, but not too slow
			if _, err := io.WriteString(ours, "dy"); err != nil {
				t.Fatal(err)
			}
			res, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			if text, _ := io.ReadAll(res.Body); string(text) != "held" {
				t.Errorf("answer %q", text)
			}
			_ = res.Body.Close()
		}
		close(listener)
		ours.Close()
		_ = server.Close()
		<-ended
	})
}
