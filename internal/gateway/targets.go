package gateway

import (
	"regexp"
	"strings"
)

// What one wildcard of a target stands for: nothing that ends the part of a URI in
// which it is. A user part or host may so be left open, but no caller talks the
// model into calling "sip:x@elsewhere;y=@pbx.example.com".
const (
	within = `[^@;?:&,<>"/\\\s]`
	// A URI's own question mark, where headers begin, is a wildcard in patterns.
	afterHost = `[^@;:&,<>"/\\\s]`
)

// targets returns a function that tells whether somebody may be called: who fits one
// of some patterns, in which * stands for any run of characters and ? for any one.
func targets(patterns []string) func(string) bool {
	if len(patterns) == 0 {
		return func(string) bool { return false }
	}
	alternatives := make([]string, len(patterns))
	for i, p := range patterns {
		one := within
		for _, r := range p {
			switch r {
			case '*':
				alternatives[i] += within + "*"
			case '?':
				alternatives[i] += one
			case '@':
				one = afterHost
				fallthrough
			default:
				alternatives[i] += regexp.QuoteMeta(string(r))
			}
		}
	}
	return regexp.MustCompile("^(?:" + strings.Join(alternatives, "|") + ")$").MatchString
}
