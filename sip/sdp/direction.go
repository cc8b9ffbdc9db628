package sdp

// Direction says which way a stream's media flows, seen from the side whose
// description carries it (RFC 8866 §6.7). The zero value is SendRecv, as an
// absent attribute is.
type Direction uint8

// The four directions.
const (
	SendRecv Direction = iota
	SendOnly
	RecvOnly
	Inactive
)

var directions = [...]string{"sendrecv", "sendonly", "recvonly", "inactive"}

// String returns the direction's attribute name.
func (d Direction) String() string {
	if int(d) >= len(directions) {
		return directions[Inactive]
	}
	return directions[d]
}

// Sends reports whether the side sends.
func (d Direction) Sends() bool { return d == SendRecv || d == SendOnly }

// Receives reports whether the side receives.
func (d Direction) Receives() bool { return d == SendRecv || d == RecvOnly }

// Reverse returns the same flow seen from the other side.
func (d Direction) Reverse() Direction { return direction(d.Receives(), d.Sends()) }

// And returns the flow that both d and e allow.
func (d Direction) And(e Direction) Direction {
	return direction(d.Sends() && e.Sends(), d.Receives() && e.Receives())
}

func direction(sends, receives bool) Direction {
	switch {
	case sends && receives:
		return SendRecv
	case sends:
		return SendOnly
	case receives:
		return RecvOnly
	}
	return Inactive
}

func parseDirection(key string) (Direction, bool) {
	for i, name := range directions {
		if key == name {
			return Direction(i), true
		}
	}
	return 0, false
}
