package mediastreamtest

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// verb is a step of a call that has been answered.
type verb struct {
	dial    *Dialled
	action  string // the URL that follows a dial; "": the next verb does
	connect *streamNoun
	say     string
	hangup  bool
}

// Dialled is whom a Dial verb calls.
type Dialled struct {
	Number   string     // E.164, or
	SIP      string     // an address without its headers,
	Headers  url.Values // which are these
	CallerID string
	Timeout  time.Duration
}

// ReadDial reads TwiML that calls somebody else, as strictly as the API does.
func ReadDial(twiml string) (Dialled, error) {
	verbs, err := readVerbs(twiml)
	if err != nil {
		return Dialled{}, err
	}
	if len(verbs) != 1 || verbs[0].dial == nil {
		return Dialled{}, errors.New("not a Dial")
	}
	return *verbs[0].dial, nil
}

// maxTwiML is how much TwiML a request may carry.
const maxTwiML = 4000

// readVerbs reads TwiML of a call that has been answered. What Twilio would
// refuse, and what it would take and no caller enjoy, is an error.
func readVerbs(text string) ([]verb, error) {
	if len(text) > maxTwiML {
		return nil, fmt.Errorf("TwiML of %d characters", len(text))
	}
	d := xml.NewDecoder(strings.NewReader(text))
	root, err := nextElement(d)
	if err != nil || root == nil || root.Name.Local != "Response" {
		return nil, fmt.Errorf("TwiML without a Response: %w", errors.Join(err, io.ErrUnexpectedEOF))
	}
	var verbs []verb
	for {
		element, err := nextElement(d)
		if err != nil {
			return nil, err
		}
		if element == nil {
			return verbs, nil
		}
		v, err := readVerb(d, element)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", element.Name.Local, err)
		}
		verbs = append(verbs, v)
	}
}

func nextElement(d *xml.Decoder) (*xml.StartElement, error) {
	for {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return &t, nil
		case xml.EndElement:
			return nil, nil
		}
	}
}

func readVerb(d *xml.Decoder, element *xml.StartElement) (verb, error) {
	switch element.Name.Local {
	case "Hangup":
		return verb{hangup: true}, d.Skip()
	case "Say":
		var text string
		err := d.DecodeElement(&text, element)
		return verb{say: text}, err
	case "Connect":
		var connect struct{ Stream *streamNoun }
		if err := d.DecodeElement(&connect, element); err != nil {
			return verb{}, err
		}
		if connect.Stream == nil {
			return verb{}, errors.New("no Stream")
		}
		return verb{connect: connect.Stream}, connect.Stream.check()
	case "Dial":
		return readDial(d, element)
	case "Pause":
		return verb{}, errors.New("leaves the caller on a silent line")
	case "Reject":
		return verb{}, errors.New("the call has been answered")
	}
	return verb{}, errors.New("unknown verb")
}

var (
	number  = regexp.MustCompile(`^\+[1-9][0-9]{1,14}$`)
	address = regexp.MustCompile(`^sip:[^@\s?]+@[^@\s?]+$`)
)

func readDial(d *xml.Decoder, element *xml.StartElement) (verb, error) {
	v := verb{dial: &Dialled{Timeout: 30 * time.Second}}
	for _, a := range element.Attr {
		switch a.Name.Local {
		case "action":
			u, err := url.Parse(a.Value)
			if err != nil || u.Scheme != "https" && u.Scheme != "http" {
				return v, fmt.Errorf("action %q", a.Value)
			}
			v.action = a.Value
		case "method":
			if a.Value != "POST" {
				return v, fmt.Errorf("method %q", a.Value)
			}
		case "timeout":
			n, err := strconv.Atoi(a.Value)
			if err != nil || n < 1 || n > 600 {
				return v, fmt.Errorf("timeout %q", a.Value)
			}
			v.dial.Timeout = time.Duration(n) * time.Second
		case "callerId":
			if !number.MatchString(a.Value) {
				return v, fmt.Errorf("caller id %q", a.Value)
			}
			v.dial.CallerID = a.Value
		default:
			return v, fmt.Errorf("unknown attribute %q", a.Name.Local)
		}
	}
	var nouns struct {
		Number, Sip []string
	}
	if err := d.DecodeElement(&nouns, element); err != nil {
		return v, err
	}
	switch {
	case len(nouns.Number) == 1 && len(nouns.Sip) == 0 && number.MatchString(nouns.Number[0]):
		v.dial.Number = nouns.Number[0]
		return v, nil
	case len(nouns.Number) != 0 || len(nouns.Sip) != 1:
		return v, fmt.Errorf("number %q, sip %q", nouns.Number, nouns.Sip)
	}
	uri, query, _ := strings.Cut(nouns.Sip[0], "?")
	headers, err := url.ParseQuery(query)
	if err != nil || !address.MatchString(uri) || len(query) > 1024 {
		return v, fmt.Errorf("sip %q: %w", nouns.Sip[0], err)
	}
	for name := range headers {
		if !strings.HasPrefix(strings.ToLower(name), "x-") {
			return v, fmt.Errorf("sip header %q", name)
		}
	}
	v.dial.SIP, v.dial.Headers = uri, headers
	return v, nil
}
