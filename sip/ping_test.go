package sip_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/sip"
)

// RFC 5626 §4.4.1: a peer that has answered keep-alives and no longer does is dead; one
// that never did may not know them.
func TestKeepAlivesOfConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		p := sip.NewPinger(ours)
		answering := make(chan bool, 1)
		go func() {
			buf := make([]byte, 16)
			for {
				n, err := theirs.Read(buf)
				if err != nil {
					return
				}
				if !bytes.Equal(buf[:n], []byte("\r\n\r\n")) {
					t.Errorf("a keep-alive of %q", buf[:n])
				}
				on := <-answering
				if answering <- on; on {
					_, _ = io.WriteString(theirs, "\r\n")
				}
			}
		}()
		set := func(on bool) {
			select {
			case <-answering:
			default:
			}
			answering <- on
		}
		ping := func() (time.Duration, error) {
			start := time.Now()
			err := p.Ping(context.Background())
			return time.Since(start), err
		}
		set(false)
		if d, err := ping(); err != nil || d != 10*time.Second {
			t.Errorf("a peer that does not know keep-alives: %v after %v", err, d)
		}
		set(true)
		if d, err := ping(); err != nil || d != 0 {
			t.Errorf("a peer that answers: %v after %v", err, d)
		}
		set(false)
		if d, err := ping(); err == nil || d != 10*time.Second {
			t.Errorf("a peer that answers no longer: %v after %v", err, d)
		}
		if _, err := ping(); err == nil {
			t.Error("the connection is still open")
		}
		theirs.Close()
		p.Wait()
	})
}
