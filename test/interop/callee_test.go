package interop_test

import (
	"context"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// answering is a SIPp that waits for one call.
type answering struct {
	addr string
	done chan error
	dir  string
}

// listening starts SIPp with a scenario in which it is called.
func listening(t *testing.T, file string, args ...string) *answering {
	t.Helper()
	sipp := peer(t, "sipp")
	port := strconv.Itoa(freePort(t))
	p := &answering{addr: net.JoinHostPort("127.0.0.1", port), done: make(chan error, 1), dir: t.TempDir()}
	path, err := filepath.Abs(filepath.Join("sipp", file))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 25*time.Second)
	cmd := exec.CommandContext(ctx, sipp, append([]string{
		"-sf", path, "-m", "1", "-i", "127.0.0.1", "-p", port, "-mi", "127.0.0.1", "-mp", strconv.Itoa(freePort(t)),
		"-nostdin", "-timeout", "20s", "-timeout_error", "-trace_msg", "-message_file", filepath.Join(p.dir, "messages"),
		"-trace_err", "-error_file", filepath.Join(p.dir, "errors"),
	}, args...)...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "TERM=dumb")
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		p.done <- cmd.Wait()
	}()
	t.Cleanup(func() {
		cancel()
		<-exited
	})
	p.bound(t, port)
	return p
}

// bound returns when somebody has the port, so that the first INVITE is not lost.
func (p *answering) bound(t *testing.T, port string) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for range 250 {
		conn, err := net.ListenPacket("udp", "127.0.0.1:"+port)
		if err != nil {
			return
		}
		conn.Close()
		<-ticker.C
	}
	t.Fatal("SIPp does not listen")
}

// wait returns when SIPp has seen all that its scenario expects.
func (p *answering) wait(t *testing.T) {
	t.Helper()
	if err := <-p.done; err != nil {
		errors, _ := os.ReadFile(filepath.Join(p.dir, "errors"))
		messages, _ := os.ReadFile(filepath.Join(p.dir, "messages"))
		t.Errorf("sipp: %v\n%s\n%s", err, errors, messages)
	}
}
