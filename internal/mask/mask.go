// Package mask hides what logs must not tell: callers' numbers.
package mask

import "strings"

// Number hides the middle of a phone number, "+14155550123" becoming
// "+1415***0123", and the user part of a SIP or tel URI likewise. What is too
// short to hide a middle is hidden whole; words such as "anonymous" stay.
func Number(s string) string {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || strings.ContainsAny(scheme, "+@") {
		scheme, rest = "", s
	} else {
		scheme += ":"
	}
	user, host, at := strings.Cut(rest, "@")
	if at {
		host = "@" + host
	}
	return scheme + middle(user) + host
}

func middle(user string) string {
	if !strings.ContainsAny(user, "0123456789") {
		return user
	}
	if len(user) < 8 {
		return "***"
	}
	head := min(5, len(user)-6)
	return user[:head] + "***" + user[len(user)-4:]
}
