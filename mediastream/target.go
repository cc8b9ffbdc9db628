package mediastream

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxHeaders is how many characters the headers of a SIP address may have.
const maxHeaders = 1024

var (
	e164 = regexp.MustCompile(`^\+[1-9][0-9]{1,14}$`)
	// RFC 3261 §25.1, without passwords, escaped users and IPv6.
	sipURI    = regexp.MustCompile(`^sip:[A-Za-z0-9._~!*'()+&=$,-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?(:[0-9]{1,5})?(;[A-Za-z0-9-]{1,32}=[A-Za-z0-9.-]{1,64}){0,4}$`)
	sipHeader = regexp.MustCompile(`^[Xx]-[A-Za-z0-9-]{1,64}$`)
)

// Kinds of targets, by what Twilio calls them.
const (
	nounNumber = "Number"
	nounSIP    = "Sip"
)

// target reads target: a number in E.164, or a sip: address with its headers.
func (s *Stream) target(target string) (noun, address string, err error) {
	if strings.HasPrefix(strings.ToLower(target), "sip:") {
		uri, err := s.sipTarget("sip:" + target[len("sip:"):])
		return nounSIP, uri, err
	}
	number, ok := plainNumber(target)
	if !ok {
		return "", "", fmt.Errorf("target %.100q is neither a number like +14155550100 nor an address like sip:sales@pbx.example.com", target)
	}
	return nounNumber, number, nil
}

// dialTwiML lets the carrier call target and come back to us if nobody answers.
func (s *Stream) dialTwiML(target string) (string, error) {
	return s.dialXML(target, s.cfg.TransferTimeout, s.callerID())
}

// dialXML is dialTwiML for a carrier that lets a phone ring no longer than so
// long, and show no other number, if any.
func (s *Stream) dialXML(target string, ringing time.Duration, callerID string) (string, error) {
	noun, address, err := s.target(target)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(twimlHeader + `<Response><Dial`)
	attribute(&b, "action", afterURL(s.cfg.origin()+s.profile.after, target))
	attribute(&b, "method", "POST")
	attribute(&b, "timeout", strconv.Itoa(int(ringing.Seconds())))
	if callerID != "" {
		attribute(&b, "callerId", callerID)
	}
	b.WriteString(`><` + noun + `>`)
	escape(&b, address)
	b.WriteString(`</` + noun + `></Dial></Response>`)
	if b.Len() > maxTwiML {
		return "", fmt.Errorf("target %.100q is too long", target)
	}
	return b.String(), nil
}

// callerID returns the number that the called one sees: the caller's, which the
// carrier lets pass, else ours. "" leaves it to the carrier.
func (s *Stream) callerID() string {
	ids := []string{s.From(), s.To()}
	if s.placed != nil {
		ids = ids[:1] // the phone that we have called is not ours to show
	}
	for _, id := range ids {
		if e164.MatchString(id) {
			return id
		}
	}
	return ""
}

// plainNumber returns a number without what people write between its digits.
func plainNumber(text string) (string, bool) {
	text = strings.TrimPrefix(text, "tel:")
	text = strings.NewReplacer(" ", "", "-", "", ".", "", "(", "", ")", "").Replace(text)
	return text, e164.MatchString(text)
}

// sipTarget returns target with the headers that tell its taker of the call:
// those it has, the X- headers that the call came with, the carrier's id and
// the caller, as many as there is room for.
func (s *Stream) sipTarget(target string) (string, error) {
	uri, query, _ := strings.Cut(target, "?")
	if !sipURI.MatchString(uri) {
		return "", fmt.Errorf("target %.100q is not an address like sip:sales@pbx.example.com:5060;transport=tcp", target)
	}
	own, err := url.ParseQuery(query)
	if err != nil {
		return "", fmt.Errorf("target %.100q: its headers cannot be read", target)
	}
	var b strings.Builder
	given := make(map[string]bool)
	add := func(name, value string) bool {
		pair := name + "=" + strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
		if key := strings.ToLower(name); given[key] || b.Len()+1+len(pair) > maxHeaders {
			return false
		}
		given[strings.ToLower(name)] = true
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(pair)
		return true
	}
	for _, name := range slices.Sorted(maps.Keys(own)) {
		if !sipHeader.MatchString(name) {
			return "", fmt.Errorf("target %.100q: header %.40q: only X- headers can be sent", target, name)
		}
		if !add(name, own.Get(name)) {
			return "", fmt.Errorf("target %.100q: its headers are too long", target)
		}
	}
	add("X-Callgw-Call", s.call)
	add("X-Callgw-From", s.From())
	for _, name := range slices.Sorted(maps.Keys(s.headers)) {
		if sipHeader.MatchString(name) {
			add(name, s.headers[name])
		}
	}
	return uri + "?" + b.String(), nil
}

// splitHeaders returns a SIP address without its headers, and these.
func splitHeaders(address string) (uri string, headers map[string]string, err error) {
	uri, query, _ := strings.Cut(address, "?")
	fields, err := url.ParseQuery(query)
	if err != nil {
		return "", nil, fmt.Errorf("target %.100q: its headers cannot be read", address)
	}
	headers = make(map[string]string, len(fields))
	for name := range fields {
		headers[name] = fields.Get(name)
	}
	return uri, headers, nil
}
