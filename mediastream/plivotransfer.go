package mediastream

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// plivoDetour lets the call go on with XML that Plivo asks us for, which dials
// target; its stream ends. What becomes of it is told as by Twilio.
//
// At second hand: that the stream ends then; if it does not, we end it.
func plivoDetour(s *Stream, target string) (detour, error) {
	if _, err := dialPlivo(s, target); err != nil {
		return detour{}, err
	}
	return detour{commandTransfer, asJSON(map[string]any{
		"legs": "aleg", "aleg_url": afterURL(s.cfg.origin()+s.profile.dial, target), "aleg_method": http.MethodPost,
	})}, nil
}

// dialPlivo lets Plivo call target and come back to us if nobody answers. It
// writes numbers without the plus sign.
func dialPlivo(s *Stream, target string) (string, error) {
	noun, address, err := s.target(target)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(twimlHeader + `<Response><Dial`)
	attribute(&b, "action", afterURL(s.cfg.origin()+s.profile.after, target))
	attribute(&b, "method", http.MethodPost)
	attribute(&b, "timeout", strconv.Itoa(int(s.cfg.TransferTimeout.Seconds())))
	if id := s.callerID(); id != "" {
		attribute(&b, "callerId", strings.TrimPrefix(id, "+"))
	}
	if noun == nounSIP {
		noun = "User"
		var query string
		address, query, _ = strings.Cut(address, "?")
		attribute(&b, "sipHeaders", plivoHeaders(query))
	}
	b.WriteString(`><` + noun + `>`)
	escape(&b, strings.TrimPrefix(address, "+"))
	b.WriteString(`</` + noun + `></Dial></Response>`)
	return b.String(), nil
}

// plivoHeaders returns X- headers as Plivo sends them, with X-PH- before their
// names, in which only letters and digits may be, as in their values beside
// what is percent-encoded.
func plivoHeaders(query string) string {
	var pairs []string
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if value, err := url.QueryUnescape(value); err == nil && len(name) > len("X-") {
			pairs = append(pairs, strings.ReplaceAll(name[len("X-"):], "-", "")+"="+percent(value))
		}
	}
	return strings.Join(pairs, ",")
}

// percent returns text with all but letters and digits percent-encoded.
func percent(text string) string {
	const hexadecimal = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(text) {
		if '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', hexadecimal[c>>4], hexadecimal[c&15]})
	}
	return b.String()
}
