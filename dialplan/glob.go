package dialplan

import (
	"errors"
	"strings"
)

// glob is a pattern for a whole string: * stands for any run of characters,
// ? for any one, and a backslash takes the special meaning from what follows
// it. Letters match in either case.
type glob struct {
	source string
	parts  []rune // escapes resolved, anyRun and anyOne in place of the wildcards
}

// Not characters, so that no literal equals them.
const (
	anyRun rune = -1
	anyOne rune = -2
)

// parseGlob compiles a pattern for text.
func parseGlob(source string) (glob, error) {
	return compileGlob(source, source)
}

// parseNumberGlob compiles a pattern for what [Number] returns: it may be
// written with separators and as a URI too.
func parseNumberGlob(source string) (glob, error) {
	pattern := strings.TrimSpace(source)
	if user, ok := userPart(pattern); ok {
		pattern = user
	}
	return compileGlob(source, compact(pattern, `?\`))
}

func compileGlob(source, pattern string) (glob, error) {
	if pattern == "" {
		return glob{}, errors.New("empty pattern")
	}
	g := glob{source: source}
	escaped := false
	for _, r := range strings.ToLower(pattern) {
		switch {
		case escaped:
			escaped = false
			g.parts = append(g.parts, r)
		case r == '\\':
			escaped = true
		case r == '*':
			if n := len(g.parts); n == 0 || g.parts[n-1] != anyRun {
				g.parts = append(g.parts, anyRun)
			}
		case r == '?':
			g.parts = append(g.parts, anyOne)
		default:
			g.parts = append(g.parts, r)
		}
	}
	if escaped {
		return glob{}, errors.New("backslash at the end")
	}
	return g, nil
}

// match tells whether all of s matches. On a mismatch it goes back only to the
// last *, so that no pattern takes more than len(pattern) × len(s) steps.
func (g glob) match(s string) bool {
	text := []rune(strings.ToLower(s))
	p, t := 0, 0
	star, resume := -1, 0
	for t < len(text) {
		switch {
		case p < len(g.parts) && g.parts[p] == anyRun:
			star, resume = p, t
			p++
		case p < len(g.parts) && (g.parts[p] == anyOne || g.parts[p] == text[t]):
			p++
			t++
		case star >= 0:
			resume++
			p, t = star+1, resume
		default:
			return false
		}
	}
	for p < len(g.parts) && g.parts[p] == anyRun {
		p++
	}
	return p == len(g.parts)
}
