package dialplan

import (
	"net/url"
	"strings"
)

// separators are what people put between digits (RFC 3966 §3 visual-separator,
// and what else is seen).
const separators = " -.()/"

// Number reduces what names a caller or a called party to what patterns are
// compared with: of a sip, sips or tel URI the user part, without parameters;
// of a telephone number the digits and a leading plus, without separators.
// Anything else stays as it is.
func Number(s string) string {
	s = strings.TrimSpace(s)
	if user, ok := userPart(s); ok {
		s = user
	}
	return compact(s, "")
}

// userPart returns the user of a sip or sips URI (RFC 3261 §19.1.1) or the
// number of a tel URI (RFC 3966 §3).
func userPart(s string) (string, bool) {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok {
		return "", false
	}
	switch strings.ToLower(scheme) {
	case "sip", "sips":
		if i := strings.LastIndexByte(rest, '@'); i >= 0 {
			rest = rest[:i]
		} else {
			return "", true // a host alone
		}
		rest, _, _ = strings.Cut(rest, ":") // a password
	case "tel":
	default:
		return "", false
	}
	rest, _, _ = strings.Cut(rest, ";")
	if user, err := url.PathUnescape(rest); err == nil {
		rest = user
	}
	return rest, true
}

// compact takes the separators out of what is a telephone number but for them.
// The bytes of wild may stand in it as well.
func compact(s, wild string) string {
	digits, seps := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			digits++
		case c == '+' && i == 0, c == '*', c == '#', strings.IndexByte(wild, c) >= 0:
		case strings.IndexByte(separators, c) >= 0:
			seps++
		default:
			return s
		}
	}
	if digits == 0 || seps == 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(separators, r) {
			return -1
		}
		return r
	}, s)
}

// withheld are the words that stand for a caller who does not want to be known,
// or is not: RFC 3323 §4.1.1.3, carriers' practice, and the numbers that spell
// them on a keypad, which Twilio sends where only a number may stand.
var withheld = map[string]bool{
	"": true, "anonymous": true, "restricted": true, "blocked": true, "unknown": true, "unavailable": true,
	"private": true, "withheld": true,
	"+266696687": true, "+7378742833": true, "+2562533": true, "+8656696": true, "+86282452253": true,
}

// Withheld tells whether from says that the caller's number is withheld.
func Withheld(from string) bool {
	if strings.HasSuffix(strings.ToLower(from), "@anonymous.invalid") {
		return true
	}
	return withheld[strings.ToLower(Number(from))]
}
