package config

import (
	"net/netip"

	"github.com/callgw/callgw/internal/config/strict"
)

// parsePrefix reads a network in CIDR notation, or one address. Bits behind
// the prefix are refused: they are more often a slip than meant.
func parsePrefix(s string) (any, error) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return nil, &strict.ValueError{Problem: "is neither a network nor an address", Remedy: "write 203.0.113.0/24, 203.0.113.7 or 2001:db8::/32"}
	}
	if p.Masked() != p {
		return nil, &strict.ValueError{Problem: "is an address within a network", Remedy: "write " + p.Masked().String() + " or " + p.Addr().String()}
	}
	return p, nil
}

// parseAddr reads an address; empty is none.
func parseAddr(s string) (any, error) {
	if s == "" {
		return netip.Addr{}, nil
	}
	addr, err := netip.ParseAddr(s)
	switch {
	case err != nil:
		return nil, &strict.ValueError{Problem: "is not an IP address", Remedy: "write one such as 198.51.100.7, or leave it empty"}
	case addr.IsUnspecified():
		return nil, &strict.ValueError{Problem: "is no address that a peer could reach", Remedy: "write the public one, or leave it empty"}
	}
	return addr, nil
}
