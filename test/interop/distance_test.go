package interop_test

import (
	"net"
	"sync"
	"testing"
	"time"
)

// far returns an address that leads to addr over a way that takes so long, in each
// direction, until the test ends.
func far(t *testing.T, addr string, way time.Duration) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &distance{way: way}
	d.running.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return // the test is over
			}
			if there, err := net.Dial("tcp", addr); err == nil {
				d.join(near, there)
			} else {
				_ = near.Close()
			}
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		d.close()
		d.running.Wait()
	})
	return listener.Addr().String()
}

// distance is the connections over a long way.
type distance struct {
	way     time.Duration
	running sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
}

func (d *distance) join(near, there net.Conn) {
	d.mu.Lock()
	d.conns = append(d.conns, near, there)
	d.mu.Unlock()
	d.carry(near, there)
	d.carry(there, near)
}

// carry passes what comes on one connection on to another, later, and its end too.
func (d *distance) carry(from, to net.Conn) {
	type piece struct {
		due  time.Time
		data []byte
	}
	under := make(chan piece, 1<<12) // way
	d.running.Go(func() {
		defer close(under)
		for {
			buffer := make([]byte, 16<<10)
			n, err := from.Read(buffer)
			under <- piece{time.Now().Add(d.way), buffer[:n]}
			if err != nil {
				return
			}
		}
	})
	d.running.Go(func() {
		for p := range under {
			<-time.After(time.Until(p.due))
			// Who has closed reads nothing more.
			_, _ = to.Write(p.data)
		}
		_ = to.Close()
	})
}

func (d *distance) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, conn := range d.conns {
		_ = conn.Close()
	}
}
