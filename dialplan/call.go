package dialplan

import (
	"strings"
	"time"
)

// Call is what is known of a call before it is answered.
type Call struct {
	ID     string
	Leg    string              // how it came: sip, twilio, …
	Trunk  string              // by which trunk, empty on legs without trunks
	From   string              // a number, a user or a sip, sips or tel URI; withheld: see [Withheld]
	To     string              // likewise
	Header map[string][]string // of the INVITE or the webhook; names in any case
	Param  map[string]string   // custom parameters of the carrier
	At     time.Time           // when it came, in any location
}

// header returns the values of the header of that name, whatever its case.
func (c Call) header(name string) []string {
	if values, ok := c.Header[name]; ok {
		return values
	}
	for n, values := range c.Header {
		if strings.EqualFold(n, name) {
			return values
		}
	}
	return nil
}
