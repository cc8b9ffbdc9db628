package dialplan

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Hours is a set of times of the week in one time zone, by the clock on the
// wall there: daylight saving time shifts it as it shifts the people.
type Hours struct {
	source string
	zone   *time.Location
	spans  []span
}

// span is from one minute of the day to another, on the given days. One that
// ends on the day after it began has until <= from.
type span struct {
	days        [7]bool // by time.Weekday, of the day it begins
	from, until int     // minutes since midnight, until excluded
}

const day = 24 * 60

// ParseHours reads hours such as
//
//	Mon-Fri 09:00-17:00 America/New_York
//	Mon-Thu 09:00-12:00,13:00-17:00, Fri 09:00-13:00 Europe/Berlin
//	Fri-Mon 22:00-06:00 UTC
//	Sat-Sun Europe/London
//
// Days and ranges of days, which may wrap around the week, hold for the times
// behind them; without days a time holds every day, days without times are
// whole. Times end just before the second one, and on the following day if that
// is not later than the first; 24:00 is the end of a day. The IANA time zone at
// the end is required.
func ParseHours(source string) (Hours, error) {
	words := strings.Fields(strings.ReplaceAll(source, ",", " "))
	if len(words) == 0 {
		return Hours{}, errors.New("empty")
	}
	h := Hours{source: source}
	last := words[len(words)-1]
	if startsLikeHours(last) {
		return Hours{}, errors.New("no time zone at the end")
	}
	zone, err := time.LoadLocation(last)
	if err != nil {
		return Hours{}, fmt.Errorf("unknown time zone %q", last)
	}
	h.zone = zone

	var days [7]bool
	haveDays, haveTimes := false, false
	for _, word := range words[:len(words)-1] {
		if first, end, ok := parseDays(word); ok {
			if haveTimes {
				days, haveTimes = [7]bool{}, false
			}
			haveDays = true
			for d := first; ; d = (d + 1) % 7 {
				if days[d] = true; d == end {
					break
				}
			}
			continue
		}
		from, until, err := parseTimes(word)
		if err != nil {
			return Hours{}, err
		}
		s := span{days: days, from: from, until: until}
		if !haveDays {
			s.days = [7]bool{true, true, true, true, true, true, true}
		}
		h.spans = append(h.spans, s)
		haveTimes = true
	}
	switch {
	case !haveDays && !haveTimes:
		return Hours{}, errors.New("no days and no times")
	case !haveTimes:
		h.spans = append(h.spans, span{days: days, until: day})
	}
	return h, nil
}

// Contain tells whether t is within the hours.
func (h Hours) Contain(t time.Time) bool {
	t = t.In(h.zone)
	minute := t.Hour()*60 + t.Minute()
	today := t.Weekday()
	yesterday := (today + 6) % 7
	for _, s := range h.spans {
		if s.until > s.from {
			if s.days[today] && s.from <= minute && minute < s.until {
				return true
			}
			continue
		}
		if s.days[today] && minute >= s.from || s.days[yesterday] && minute < s.until {
			return true
		}
	}
	return false
}

// String returns the hours as they were written.
func (h Hours) String() string { return h.source }

// startsLikeHours tells days and times from a time zone.
func startsLikeHours(word string) bool {
	_, _, days := parseDays(word)
	return days || '0' <= word[0] && word[0] <= '9'
}

// parseDays reads a weekday or a range of them.
func parseDays(word string) (first, last time.Weekday, ok bool) {
	from, until, isRange := strings.Cut(word, "-")
	if first, ok = parseDay(from); !ok {
		return 0, 0, false
	}
	if !isRange {
		return first, first, true
	}
	last, ok = parseDay(until)
	return first, last, ok
}

// parseDay reads an English weekday, whole or its first three letters.
func parseDay(word string) (time.Weekday, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if name := d.String(); strings.EqualFold(word, name) || strings.EqualFold(word, name[:3]) {
			return d, true
		}
	}
	return 0, false
}

func parseTimes(word string) (from, until int, err error) {
	first, second, ok := strings.Cut(word, "-")
	if !ok {
		return 0, 0, fmt.Errorf("%q is neither a day nor a time", word)
	}
	if from, ok = parseTime(first); !ok || from == day {
		return 0, 0, fmt.Errorf("%q is neither days nor times", word)
	}
	if until, ok = parseTime(second); !ok {
		return 0, 0, fmt.Errorf("%q is neither days nor times", word)
	}
	if from == until {
		return 0, 0, fmt.Errorf("%q ends when it begins; the whole day is 00:00-24:00", word)
	}
	return from, until, nil
}

// parseTime reads h:mm or hh:mm, up to 24:00.
func parseTime(s string) (minutes int, ok bool) {
	hour, minute, ok := strings.Cut(s, ":")
	if !ok || len(hour) < 1 || len(hour) > 2 || len(minute) != 2 {
		return 0, false
	}
	number := func(s string) int {
		n := 0
		for _, c := range []byte(s) {
			if c < '0' || c > '9' {
				return day
			}
			n = n*10 + int(c-'0')
		}
		return n
	}
	h, m := number(hour), number(minute)
	if m > 59 || h > 24 || h == 24 && m > 0 {
		return 0, false
	}
	return h*60 + m, true
}
