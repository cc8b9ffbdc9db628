package config

import (
	"net"
	"strconv"
	"strings"

	"github.com/callgw/callgw/internal/config/strict"
)

// Listen is where to take SIP: udp://, tcp:// or tls:// and host:port.
type Listen struct {
	Network string // udp, tcp or tls
	Addr    string // host:port; an empty host is every address
}

// UnmarshalText reads scheme://host:port.
func (l *Listen) UnmarshalText(text []byte) error {
	network, addr, ok := strings.Cut(string(text), "://")
	if !ok || network != "udp" && network != "tcp" && network != "tls" {
		return &strict.ValueError{Problem: "does not begin with udp://, tcp:// or tls://", Remedy: "write udp://0.0.0.0:5060"}
	}
	if err := checkHostPort(addr); err != nil {
		return err
	}
	*l = Listen{network, addr}
	return nil
}

func (l Listen) String() string { return l.Network + "://" + l.Addr }

// Address is where to take TCP connections: host:port. An empty host is every
// address, port 0 any port.
type Address string

// UnmarshalText reads host:port.
func (a *Address) UnmarshalText(text []byte) error {
	if err := checkHostPort(string(text)); err != nil {
		return err
	}
	*a = Address(text)
	return nil
}

// loopback tells whether only this machine reaches the address.
func (a Address) loopback() bool {
	host, _, err := net.SplitHostPort(string(a))
	return err == nil && isLoopback(host)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func checkHostPort(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return &strict.ValueError{Problem: "is not host:port", Remedy: `write 0.0.0.0:5060, :8080 or "[::]:5060"`}
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return &strict.ValueError{Problem: "has no port from 0 to 65535", Remedy: "write the port as a number"}
	}
	if strings.ContainsAny(host, " /@") {
		return &strict.ValueError{Problem: "has no proper host", Remedy: "write an address or a name"}
	}
	return nil
}
