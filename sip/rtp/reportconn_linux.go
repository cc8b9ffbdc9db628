package rtp

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// reportConn polls a socket without waiting. The kernel notes when packets come:
// they are read up to a second later, and a round trip is not to grow by that.
type reportConn struct {
	*net.UDPConn
	raw     syscall.RawConn
	control [64]byte
}

func newReportConn(c *net.UDPConn) ReportConn {
	r := &reportConn{UDPConn: c}
	raw, err := c.SyscallConn()
	if err != nil {
		return r // the socket is closed: Poll says so
	}
	r.raw = raw
	_ = raw.Control(func(fd uintptr) {
		// Without stamps, packets count as come when they are read.
		_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1)
	})
	return r
}

func (r *reportConn) Poll(b []byte) (n int, from netip.AddrPort, at time.Time, err error) {
	if r.raw == nil {
		return 0, netip.AddrPort{}, time.Time{}, net.ErrClosed
	}
	var controls int
	var address syscall.Sockaddr
	failed := r.raw.Read(func(fd uintptr) bool {
		n, controls, _, address, err = syscall.Recvmsg(int(fd), b, r.control[:], syscall.MSG_DONTWAIT)
		return true // whatever it says: do not wait
	})
	switch {
	case failed != nil:
		return 0, netip.AddrPort{}, time.Time{}, failed
	case err == syscall.EAGAIN || err == syscall.EINTR:
		return 0, netip.AddrPort{}, time.Time{}, os.ErrDeadlineExceeded
	case err != nil:
		return 0, netip.AddrPort{}, time.Time{}, os.NewSyscallError("recvmsg", err)
	}
	switch a := address.(type) {
	case *syscall.SockaddrInet4:
		from = netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *syscall.SockaddrInet6:
		from = netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port))
	}
	return n, from, arrival(time.Now(), r.control[:controls]), nil
}

// arrival returns when the kernel says that a packet came which was read now, in
// now's monotonic time.
func arrival(now time.Time, control []byte) time.Time {
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil {
		return now
	}
	for _, m := range messages {
		if m.Header.Level != syscall.SOL_SOCKET || m.Header.Type != syscall.SO_TIMESTAMPNS {
			continue
		}
		var stamp time.Time
		switch len(m.Data) { // a timespec, by the width of the machine
		case 16:
			stamp = time.Unix(int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:])))
		case 8:
			stamp = time.Unix(int64(int32(binary.NativeEndian.Uint32(m.Data))), int64(binary.NativeEndian.Uint32(m.Data[4:])))
		default:
			return now
		}
		// The stamp is wall time: a clock that was set meanwhile is not believed.
		if age := now.Round(0).Sub(stamp); age > 0 && age < 2*sweepTime {
			return now.Add(-age)
		}
	}
	return now
}
