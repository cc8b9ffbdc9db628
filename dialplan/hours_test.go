package dialplan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"

	"github.com/callgw/callgw/dialplan"
)

func TestHours(t *testing.T) {
	const layout = "2006-01-02 15:04:05"
	for _, c := range []struct {
		name, hours, zone, at string
		want                  bool
	}{
		// 2026-11-23 is a Monday.
		{"begins on the minute", "Mon-Fri 09:00-17:00 UTC", "UTC", "2026-11-23 09:00:00", true},
		{"not a second before", "Mon-Fri 09:00-17:00 UTC", "UTC", "2026-11-23 08:59:59", false},
		{"ends before the minute", "Mon-Fri 09:00-17:00 UTC", "UTC", "2026-11-23 17:00:00", false},
		{"not on other days", "Mon-Fri 09:00-17:00 UTC", "UTC", "2026-11-22 12:00:00", false},
		{"another zone", "Mon-Fri 09:00-17:00 America/New_York", "UTC", "2026-11-23 14:00:00", true},
		{"the day is that of the zone", "Sun 20:00-24:00 America/New_York", "UTC", "2026-11-23 02:00:00", true},
		{"every day", "9:00-10:00 UTC", "UTC", "2026-11-22 09:30:00", true},
		{"whole days", "Sat-Sun UTC", "UTC", "2026-11-22 23:59:59", true},
		{"whole days end", "Sat-Sun UTC", "UTC", "2026-11-23 00:00:00", false},
		{"week wraps", "Sat-Mon 08:00-09:00 UTC", "UTC", "2026-11-23 08:00:00", true},
		{"week wraps, and leaves out", "Sat-Mon 08:00-09:00 UTC", "UTC", "2026-11-24 08:00:00", false},
		{"list of days", "Mon, Wed,Friday 08:00-09:00 UTC", "UTC", "2026-11-25 08:00:00", true},
		{"list of times", "Mon 08:00-09:00, 10:00-11:00 UTC", "UTC", "2026-11-23 10:00:00", true},
		{"list of times, between", "Mon 08:00-09:00, 10:00-11:00 UTC", "UTC", "2026-11-23 09:00:00", false},
		{"several rules", "Mon-Thu 09:00-17:00, Fri 09:00-13:00 UTC", "UTC", "2026-11-27 14:00:00", false},
		{"several rules, first", "Mon-Thu 09:00-17:00, Fri 09:00-13:00 UTC", "UTC", "2026-11-26 14:00:00", true},
		{"days alone behind times", "Mon 09:00-10:00, Sat UTC", "UTC", "2026-11-28 03:00:00", true},
		{"over midnight, before", "Sun 22:00-06:00 UTC", "UTC", "2026-11-22 23:00:00", true},
		{"over midnight, behind", "Sun 22:00-06:00 UTC", "UTC", "2026-11-23 05:59:00", true},
		{"over midnight, over", "Sun 22:00-06:00 UTC", "UTC", "2026-11-23 06:00:00", false},
		{"over midnight, the morning before", "Sun 22:00-06:00 UTC", "UTC", "2026-11-22 05:00:00", false},
		{"winter in New York", "09:00-10:00 America/New_York", "UTC", "2026-11-01 14:30:00", true},
		{"summer in New York", "09:00-10:00 America/New_York", "UTC", "2026-10-31 13:30:00", true},
		{"the hour that happens twice, first", "Sun 01:00-02:00 America/New_York", "UTC", "2026-11-01 05:30:00", true},
		{"the hour that happens twice, second", "Sun 01:00-02:00 America/New_York", "UTC", "2026-11-01 06:30:00", true},
		{"behind the hour that does not happen", "Sun 02:00-03:00 America/New_York", "UTC", "2026-03-08 07:00:00", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, err := dialplan.ParseHours(c.hours)
			if err != nil {
				t.Fatal(err)
			}
			at, err := time.Parse(layout, c.at)
			if err != nil {
				t.Fatal(err)
			}
			if got := h.Contain(at); got != c.want {
				t.Errorf("%q contains %s: %v, want %v", c.hours, at, got, c.want)
			}
		})
	}
}

func TestHoursThatAreNone(t *testing.T) {
	for hours, want := range map[string]string{
		"":                             "empty",
		",":                            "empty",
		"UTC":                          "no days and no times",
		"Mon-Fri 09:00-17:00":          "no time zone at the end",
		"Mon-Fri":                      "no time zone at the end",
		"Mon-Fri 09:00-17:00 New_York": `unknown time zone "New_York"`,
		"Mo-Fr 09:00-17:00 UTC":        `"Mo-Fr" is neither days nor times`,
		"Mon-Fri 9am-5pm UTC":          `"9am-5pm" is neither days nor times`,
		"Mon 09:00 UTC":                `"09:00" is neither a day nor a time`,
		"Mon 25:00-26:00 UTC":          `"25:00-26:00" is neither days nor times`,
		"Mon 24:00-01:00 UTC":          `"24:00-01:00" is neither days nor times`,
		"Mon 09:60-10:00 UTC":          `"09:60-10:00" is neither days nor times`,
		"Mon 09:00-24:01 UTC":          `"09:00-24:01" is neither days nor times`,
		"Mon 09:00-09:00 UTC":          `"09:00-09:00" ends when it begins; the whole day is 00:00-24:00`,
	} {
		if _, err := dialplan.ParseHours(hours); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", hours, err, want)
		}
	}
}

// TestHoursOnTheCircleOfTheWeek computes the same in another way: minutes since
// Sunday midnight, modulo a week.
func TestHoursOnTheCircleOfTheWeek(t *testing.T) {
	const week = 7 * 24 * 60
	sunday := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.IntRange(0, 6).Draw(t, "first day")
		days := rapid.IntRange(1, 7).Draw(t, "days")
		from := rapid.IntRange(0, 24*60-1).Draw(t, "from")
		length := rapid.IntRange(1, 24*60-1).Draw(t, "minutes")
		minute := rapid.IntRange(0, week-1).Draw(t, "minute of the week")

		until := (from + length) % (24 * 60)
		spec := fmt.Sprintf("%s-%s %02d:%02d-%02d:%02d UTC",
			time.Weekday(first).String()[:3], time.Weekday((first + days - 1) % 7).String()[:3],
			from/60, from%60, until/60, until%60)
		h, err := dialplan.ParseHours(spec)
		if err != nil {
			t.Fatal(err)
		}
		want := false
		for d := range days {
			begin := (first+d)*24*60 + from
			if since := ((minute-begin)%week + week) % week; since < length {
				want = true
			}
		}
		if got := h.Contain(sunday.Add(time.Duration(minute) * time.Minute)); got != want {
			t.Fatalf("%q at minute %d: %v, want %v", spec, minute, got, want)
		}
	})
}

func FuzzHours(f *testing.F) {
	for _, seed := range []string{"Mon-Fri 09:00-17:00 America/New_York", "Sat UTC", "22:00-6:00,Mon 1:00-2:00 UTC", "Mon-"} {
		f.Add(seed, int64(1_800_000_000))
	}
	f.Fuzz(func(t *testing.T, spec string, at int64) {
		h, err := dialplan.ParseHours(spec)
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Fatal("fault without a word")
			}
			return
		}
		again, err := dialplan.ParseHours(h.String())
		if err != nil {
			t.Fatal(err)
		}
		moment := time.Unix(at%1e11, 0)
		if h.Contain(moment) != again.Contain(moment) {
			t.Fatalf("%q changes when read again", spec)
		}
	})
}
