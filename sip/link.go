package sip

import (
	"net"
	"net/netip"

	gosip "github.com/emiago/sipgo/sip"
)

// hop is a socket that SIP messages leave by.
type hop interface {
	// send writes one whole message. It blocks for the write deadline at most.
	send(b []byte, to netip.AddrPort) error
	// network is the transport's name as Via spells it: "UDP", "TCP" or "TLS".
	network() string
	// local is the socket's own address; a UDP socket's may be unspecified.
	local() netip.AddrPort
	// open reports whether the socket can still be written to.
	open() bool
	// verified reports whether the peer showed a certificate that was asked for.
	verified() bool
}

// link is the way to one peer: a socket and the address at its other end.
type link struct {
	hop
	remote netip.AddrPort
}

// write sends msg. No size is too large for UDP here: a response must go back
// the way its request came (RFC 3261 §18.2.2), and IP fragments it.
func (l link) write(msg gosip.Message) error {
	return l.send([]byte(msg.String()), l.remote)
}

func (l link) reliable() bool { return l.network() != "UDP" }

// txConn lends a link to a transaction of sipgo. The sockets belong to the
// server, so references are not counted and closing does nothing.
type txConn struct{ link }

var _ gosip.Connection = txConn{}

func (c txConn) LocalAddr() net.Addr              { return net.UDPAddrFromAddrPort(c.local()) }
func (c txConn) WriteMsg(msg gosip.Message) error { return c.write(msg) }
func (c txConn) Ref(int) int                      { return 1 }
func (c txConn) TryClose() (int, error)           { return 1, nil }
func (c txConn) Close() error                     { return nil }
