package mediastream

import (
	"errors"
	"net/url"
	"time"
)

// How long TeXML lets a phone ring.
const (
	minTeXMLTimeout = 5 * time.Second
	maxTeXMLTimeout = 120 * time.Second
)

// texmlDetour lets the call go on with TeXML that dials target; its stream ends.
// What becomes of it is told as by Twilio. The target sees the number that the
// caller has dialled: others may not be shown unless they are verified.
//
// At second hand: that the stream ends then; if it does not, we end it. And that
// <Sip> takes headers as Twilio's does.
func texmlDetour(s *Stream, target string) (detour, error) {
	if s.account == "" {
		return detour{}, errors.New("the carrier has not said whose call it is: no AccountSid")
	}
	id := ""
	if e164.MatchString(s.To()) {
		id = s.To()
	}
	texml, err := s.dialXML(target, min(max(s.cfg.TransferTimeout, minTeXMLTimeout), maxTeXMLTimeout), id)
	if err != nil {
		return detour{}, err
	}
	return detour{commandTeXML, url.Values{"Texml": {texml}}.Encode()}, nil
}
