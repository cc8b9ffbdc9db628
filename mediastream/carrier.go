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
	Telnyx     Carrier = "telnyx"
	Plivo      Carrier = "plivo"
	Vonage     Carrier = "vonage"
	Jambonz    Carrier = "jambonz"
	Asterisk   Carrier = "asterisk"
	// Generic is Twilio's protocol for programs and browsers.
	Generic Carrier = "generic"
)

// Carriers returns all of them.
func Carriers() []Carrier {
	return []Carrier{Twilio, SignalWire, Telnyx, Plivo, Vonage, Jambonz, Asterisk, Generic}
}

// profile returns the carrier's profile.
func (c Carrier) profile() (*profile, error) {
	switch c {
	case Twilio, "":
		return twilio(), nil
	case SignalWire:
		return signalwire(), nil
	case Telnyx:
		return telnyx(), nil
	case Plivo:
		return plivo(), nil
	case Vonage:
		return vonage(), nil
	case Jambonz:
		return jambonz(), nil
	case Asterisk:
		return asterisk(), nil
	case Generic:
		return generic(), nil
	}
	return nil, fmt.Errorf("carrier %q: must be one of %v", string(c), Carriers())
}
