package dialplan_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/callgw/callgw/dialplan"
)

func headerMatches(t rapid.TB, pattern, value string) bool {
	plan, err := dialplan.Compile([]dialplan.Route{{Agent: "a", When: dialplan.When{Header: map[string][]string{"X": {pattern}}}}})
	if err != nil {
		t.Fatal(err)
	}
	return plan.Decide(dialplan.Call{Header: map[string][]string{"X": {value}}}).Agent == "a"
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, value string
		want           bool
	}{
		{"*", "", true},
		{"?", "", false},
		{"a*c", "abcabc", true},
		{"a*c", "abcab", false},
		{"*b?d*", "aabxbcd", true},
		{"GOLD", "gold", true},
		{`\*21#`, "*21#", true},
		{`\*21#`, "x21#", false},
		{`a\\b`, `a\b`, true},
		{"ä?ü", "ÄöÜ", true},
	} {
		if got := headerMatches(t, c.pattern, c.value); got != c.want {
			t.Errorf("%q against %q: %v, want %v", c.pattern, c.value, got, c.want)
		}
	}
}

func TestGlobIsTheRegularExpressionItStandsFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab+*?]{1,10}`).Draw(t, "pattern")
		value := rapid.StringMatching(`[ab+]{0,14}`).Draw(t, "value")
		expr := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern))
		want := regexp.MustCompile("^(?:" + expr + ")$").MatchString(value)
		if got := headerMatches(t, pattern, value); got != want {
			t.Fatalf("%q against %q: %v, want %v", pattern, value, got, want)
		}
	})
}

func TestGlobTakesBoundedTime(t *testing.T) {
	pattern := strings.Repeat("*a", 200) + "b"
	begin := time.Now()
	if headerMatches(t, pattern, strings.Repeat("a", 20_000)) {
		t.Error("matches without a b")
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("+1415555*", "+14155550100")
	f.Add(`sip:\*?@x;y`, "tel:+1-2")
	f.Add("+1 (415) ***?", "sip:%zz@x")
	f.Fuzz(func(t *testing.T, pattern, number string) {
		plan, err := dialplan.Compile([]dialplan.Route{{
			Agent: "a",
			When:  dialplan.When{To: []string{pattern}, From: []string{pattern}, Header: map[string][]string{"X": {pattern}}},
		}})
		if err != nil {
			return
		}
		call := dialplan.Call{To: number, From: number, Header: map[string][]string{"x": {number}}}
		if d, v := plan.Decide(call), plan.Explain(call); (d.Route != nil) != v[0].Matched || v[0].Why == "" {
			t.Fatalf("%q against %q: decided %+v, explained %+v", pattern, number, d, v)
		}
	})
}
