package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/callgw/callgw/internal/config/strict"
)

// PortRange is a range of UDP ports, both ends included: 20000-29999. A call
// takes an even one for RTP and the next for RTCP (RFC 3550 §11).
type PortRange struct {
	First, Last uint16
}

// UnmarshalText reads first-last.
func (r *PortRange) UnmarshalText(text []byte) error {
	first, last, ok := strings.Cut(string(text), "-")
	a, errA := strconv.ParseUint(strings.TrimSpace(first), 10, 16)
	b, errB := strconv.ParseUint(strings.TrimSpace(last), 10, 16)
	switch {
	case !ok || errA != nil || errB != nil:
		return &strict.ValueError{Problem: "is not a range of ports", Remedy: "write 20000-29999"}
	case a < 1024:
		return &strict.ValueError{Problem: "begins below 1024", Remedy: "use ports from 1024, such as 20000-29999"}
	}
	*r = PortRange{uint16(a), uint16(b)}
	if r.Pairs() < 1 {
		return &strict.ValueError{Problem: "holds no pair of an even port and the next", Remedy: "write 20000-29999"}
	}
	return nil
}

// Pairs returns for how many calls at a time the range is good.
func (r PortRange) Pairs() int {
	even := (int(r.First) + 1) &^ 1
	return max((int(r.Last)-even+1)/2, 0)
}

func (r PortRange) String() string { return fmt.Sprintf("%d-%d", r.First, r.Last) }
