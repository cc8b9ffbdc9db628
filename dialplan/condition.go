package dialplan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// condition tells whether it holds for a call, and says so in half a sentence.
type condition func(Call) (holds bool, why string)

// compileWhen returns the conditions of w. It reports every fault.
func compileWhen(w When, report func(key string, index int, message, remedy string)) []condition {
	var all []condition
	if globs := compileGlobs("when.to", w.To, parseNumberGlob, report); globs != nil {
		all = append(all, func(c Call) (bool, string) { return matchAny("to", Number(c.To), globs) })
	}
	if globs := compileGlobs("when.from", w.From, parseNumberGlob, report); globs != nil {
		all = append(all, func(c Call) (bool, string) { return matchFrom(c.From, globs) })
	}
	if names := checkNames("when.trunk", w.Trunk, report); names != nil {
		all = append(all, func(c Call) (bool, string) { return oneOf("trunk", c.Trunk, names) })
	}
	if names := checkNames("when.leg", w.Leg, report); names != nil {
		all = append(all, func(c Call) (bool, string) { return oneOf("leg", c.Leg, names) })
	}
	for _, name := range slices.Sorted(maps.Keys(w.Header)) {
		if globs := compileGlobs("when.header."+name, w.Header[name], parseGlob, report); globs != nil {
			all = append(all, func(c Call) (bool, string) { return matchHeader(name, c.header(name), globs) })
		}
	}
	if hours := compileHours(w.Hours, report); hours != nil {
		all = append(all, func(c Call) (bool, string) { return within(c, hours) })
	}
	return all
}

func compileGlobs(key string, patterns []string, parse func(string) (glob, error), report func(string, int, string, string)) []glob {
	if patterns != nil && len(patterns) == 0 {
		report(key, 0, "an empty list matches no call", "name a pattern or remove the key")
	}
	var globs []glob
	for i, pattern := range patterns {
		g, err := parse(pattern)
		if err != nil {
			report(key, i, fmt.Sprintf("pattern %q: %v", pattern, err), `write a pattern such as "+1415555*", or "*" for any`)
			continue
		}
		globs = append(globs, g)
	}
	return globs
}

func compileHours(sources []string, report func(string, int, string, string)) []Hours {
	if sources != nil && len(sources) == 0 {
		report("when.hours", 0, "an empty list matches no call", "name hours or remove the key")
	}
	var hours []Hours
	for i, source := range sources {
		h, err := ParseHours(source)
		if err != nil {
			report("when.hours", i, fmt.Sprintf("%q: %v", source, err), `write hours such as "Mon-Fri 09:00-17:00 America/New_York"`)
			continue
		}
		hours = append(hours, h)
	}
	return hours
}

func checkNames(key string, names []string, report func(string, int, string, string)) []string {
	if names != nil && len(names) == 0 {
		report(key, 0, "an empty list matches no call", "give a name or remove the key")
	}
	for i, name := range names {
		if name == "" {
			report(key, i, "empty name", "give a name or remove it")
		}
	}
	return names
}

func matchAny(what, value string, globs []glob) (bool, string) {
	for _, g := range globs {
		if g.match(value) {
			return true, fmt.Sprintf("%s %q matches %q", what, value, g.source)
		}
	}
	return false, fmt.Sprintf("%s %q does not match %s", what, value, alternatives(globs))
}

// matchFrom lets "anonymous" match every form of a withheld number.
func matchFrom(from string, globs []glob) (bool, string) {
	if Withheld(from) {
		for _, g := range globs {
			if g.match("anonymous") {
				return true, fmt.Sprintf("from is withheld, which matches %q", g.source)
			}
		}
	}
	return matchAny("from", Number(from), globs)
}

func matchHeader(name string, values []string, globs []glob) (bool, string) {
	if len(values) == 0 {
		return false, fmt.Sprintf("header %s is absent", name)
	}
	why := ""
	for _, value := range values {
		ok, reason := matchAny("header "+name, value, globs)
		if ok {
			return true, reason
		}
		why = reason
	}
	return false, why
}

func oneOf(what, value string, names []string) (bool, string) {
	if slices.Contains(names, value) {
		return true, fmt.Sprintf("%s is %s", what, value)
	}
	if value == "" {
		return false, fmt.Sprintf("the call has no %s, %s is wanted", what, strings.Join(names, " or "))
	}
	return false, fmt.Sprintf("%s is %s, not %s", what, value, strings.Join(names, " or "))
}

func within(c Call, hours []Hours) (bool, string) {
	var outside []string
	for _, h := range hours {
		now := c.At.In(h.zone).Format("Mon 15:04 MST")
		if h.Contain(c.At) {
			return true, fmt.Sprintf("%s is within %q", now, h.source)
		}
		outside = append(outside, fmt.Sprintf("%s is outside %q", now, h.source))
	}
	return false, strings.Join(outside, ", ")
}

func alternatives(globs []glob) string {
	quoted := make([]string, len(globs))
	for i, g := range globs {
		quoted[i] = fmt.Sprintf("%q", g.source)
	}
	return strings.Join(quoted, " or ")
}
