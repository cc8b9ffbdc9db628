package mediastreamtest

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"

	"github.com/callgw/callgw/bridge/media"
)

// response is the TwiML that this carrier understands.
type response struct {
	XMLName xml.Name `xml:"Response"`
	Reject  *struct {
		Reason string `xml:"reason,attr"`
	}
	Say     string
	Connect *struct{ Stream streamNoun }
	Hangup  *struct{}
}

// streamNoun is where a call is to be connected to.
type streamNoun struct {
	URL            string `xml:"url,attr"`
	StatusCallback string `xml:"statusCallback,attr"`
	Parameter      []struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
}

// RejectedError is the answer of a gateway that does not take the call.
type RejectedError struct {
	Reason string // of the Reject verb: busy or rejected; "" if it spoke
	Said   string // the sentence the caller heard instead
}

func (e *RejectedError) Error() string {
	if e.Said != "" {
		return fmt.Sprintf("mediastreamtest: the gateway said %q and hung up", e.Said)
	}
	return "mediastreamtest: rejected: " + e.Reason
}

// Unwrap returns media.Busy or media.Rejected.
func (e *RejectedError) Unwrap() error {
	if e.Reason == "busy" {
		return media.Busy
	}
	return media.Rejected
}

func readTwiML(text []byte) (response, error) {
	var r response
	if err := xml.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("mediastreamtest: TwiML: %w", err)
	}
	switch {
	case r.Reject != nil:
		return r, &RejectedError{Reason: r.Reject.Reason}
	case r.Connect == nil && r.Say != "":
		return r, &RejectedError{Said: r.Say}
	case r.Connect == nil:
		return r, errors.New("mediastreamtest: TwiML: neither Connect nor Reject")
	case r.Hangup == nil:
		return r, errors.New("mediastreamtest: TwiML: nothing ends the call after Connect")
	}
	return r, r.Connect.Stream.check()
}

func (s *streamNoun) check() error {
	u, err := url.Parse(s.URL)
	if err != nil || u.Scheme != "wss" && u.Scheme != "ws" || u.Host == "" {
		return fmt.Errorf("mediastreamtest: TwiML: 31922/31923: stream URL %q", s.URL)
	}
	if u.RawQuery != "" {
		return fmt.Errorf("mediastreamtest: TwiML: 31920: query in stream URL %q", s.URL)
	}
	for _, p := range s.Parameter {
		if len(p.Name)+len(p.Value) >= 500 {
			return fmt.Errorf("mediastreamtest: TwiML: parameter %q: 500 characters or more", p.Name)
		}
	}
	return nil
}
