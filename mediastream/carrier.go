package mediastream

import "fmt"

// Carrier is whose dialect a handler speaks. Its value is the leg's name and
// the first segment of the paths.
type Carrier string

// The carriers. What is known of some only at second hand stands with their
// profiles.
const (
	Twilio     Carrier = "twilio"
	SignalWire Carrier = "signalwire"
)

// Carriers returns all of them.
func Carriers() []Carrier {
	return []Carrier{Twilio, SignalWire}
}

// profile returns the carrier's profile.
func (c Carrier) profile() (*profile, error) {
	switch c {
	case Twilio, "":
		return twilio(), nil
	case SignalWire:
		return signalwire(), nil
	}
	return nil, fmt.Errorf("carrier %q: must be one of %v", string(c), Carriers())
}
