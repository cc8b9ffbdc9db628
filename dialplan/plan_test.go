package dialplan_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/dialplan"
)

func compile(t *testing.T, routes ...dialplan.Route) *dialplan.Plan {
	t.Helper()
	plan, err := dialplan.Compile(routes)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func example(t *testing.T) *dialplan.Plan {
	return compile(
		t,
		dialplan.Route{Name: "blocked", When: dialplan.When{From: []string{"anonymous", "+1900*"}}, Reject: &dialplan.Reject{}},
		dialplan.Route{Name: "sales", Agent: "sales", When: dialplan.When{
			To: []string{"+1415555*"}, Trunk: []string{"carrier"}, Hours: []string{"Mon-Fri 09:00-17:00 America/New_York"},
		}},
		dialplan.Route{Name: "crm", Agent: "reception", Set: "cedar", When: dialplan.When{Header: map[string][]string{"X-Customer": {"*"}}}},
		dialplan.Route{Name: "phones", Agent: "desk", When: dialplan.When{Leg: []string{"sip"}, To: []string{"100?", "+44 (20) 7946-*"}}},
	)
}

// Tuesday, 10:00 in New York.
var tuesday = time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC)

func TestFirstMatchDecides(t *testing.T) {
	plan := example(t)
	header := map[string][]string{"x-customer": {"42"}}
	for _, c := range []struct {
		name   string
		call   dialplan.Call
		route  string
		agent  string
		reject int
	}{
		{"all conditions hold", dialplan.Call{To: "+14155550100", Trunk: "carrier", From: "+1", At: tuesday}, "sales", "sales", 0},
		{"an earlier route wins", dialplan.Call{To: "+14155550100", Trunk: "carrier", From: "+19005550100", At: tuesday}, "blocked", "", 603},
		{"withheld by a word", dialplan.Call{From: "Anonymous", To: "1001"}, "blocked", "", 603},
		{"withheld by an address", dialplan.Call{From: "sip:anonymous@anonymous.invalid", To: "1001"}, "blocked", "", 603},
		{"withheld by a keypad word", dialplan.Call{From: "+266696687", To: "1001"}, "blocked", "", 603},
		{"nothing known of the caller", dialplan.Call{To: "1001"}, "blocked", "", 603},
		{"too late in the day", dialplan.Call{To: "+14155550100", Trunk: "carrier", From: "+1", At: tuesday.Add(7 * time.Hour)}, "", "", 404},
		{"another trunk", dialplan.Call{To: "+14155550100", Trunk: "pbx", From: "+1", At: tuesday}, "", "", 404},
		{"header in another case", dialplan.Call{From: "+1", Header: header}, "crm", "reception", 0},
		{"one digit for a question mark", dialplan.Call{Leg: "sip", From: "+1", To: "sip:1005@pbx.example.com;user=phone"}, "phones", "desk", 0},
		{"two digits for a question mark", dialplan.Call{Leg: "sip", From: "+1", To: "10055"}, "", "", 404},
		{"separators in pattern and number", dialplan.Call{Leg: "sip", From: "+1", To: "tel:+44-20-7946.0018;phone-context=x"}, "phones", "desk", 0},
		{"another leg", dialplan.Call{Leg: "twilio", From: "+1", To: "1005"}, "", "", 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := plan.Decide(c.call)
			var route string
			if d.Route != nil {
				route = d.Route.Name
			}
			var code int
			if d.Reject != nil {
				code = d.Reject.Code
			}
			if route != c.route || d.Agent != c.agent || code != c.reject {
				t.Errorf("got route %q, agent %q, reject %d; want %q, %q, %d", route, d.Agent, code, c.route, c.agent, c.reject)
			}
		})
	}
}

func TestNoRoutesRejectEveryCall(t *testing.T) {
	var plan dialplan.Plan
	want := dialplan.Decision{Reject: &dialplan.Reject{Code: 404}}
	if diff := cmp.Diff(want, plan.Decide(dialplan.Call{To: "1"})); diff != "" {
		t.Error(diff)
	}
}

func TestExplainSaysWhy(t *testing.T) {
	call := dialplan.Call{Leg: "sip", Trunk: "pbx", From: "+1 415 555 0199", To: "+1 415 556 0100", At: tuesday.Add(-6 * time.Hour)}
	plan := compile(
		t,
		dialplan.Route{When: dialplan.When{From: []string{"anonymous", "+1900*"}}, Reject: &dialplan.Reject{Code: 486}},
		dialplan.Route{Name: "sales", Agent: "sales", When: dialplan.When{
			To: []string{"+1415555*"}, Trunk: []string{"carrier", "lab"}, Hours: []string{"Mon-Fri 09:00-17:00 America/New_York"},
		}},
		dialplan.Route{Name: "crm", Agent: "sales", When: dialplan.When{Header: map[string][]string{"X-Customer": {"*"}}}},
		dialplan.Route{Name: "pbx", Agent: "desk", When: dialplan.When{Trunk: []string{"pbx"}, To: []string{"+1415*"}}},
		dialplan.Route{Name: "default", Agent: "desk"},
	)
	type line struct {
		Route           string
		Matched, Chosen bool
		Why             string
	}
	want := []line{
		{"#1", false, false, `from "+14155550199" does not match "anonymous" or "+1900*"`},
		{"sales", false, false, `to "+14155560100" does not match "+1415555*", trunk is pbx, not carrier or lab, Tue 04:00 EST is outside "Mon-Fri 09:00-17:00 America/New_York"`},
		{"crm", false, false, "header X-Customer is absent"},
		{"pbx", true, true, `to "+14155560100" matches "+1415*", trunk is pbx`},
		{"default", true, false, "takes every call, but pbx comes first"},
	}
	var got []line
	for _, v := range plan.Explain(call) {
		got = append(got, line{v.Route.Name, v.Matched, v.Chosen, v.Why})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCompileReportsEveryFault(t *testing.T) {
	_, err := dialplan.Compile([]dialplan.Route{
		{Name: "a"},
		{Name: "a", Agent: "x", Reject: &dialplan.Reject{Code: 200}},
		{Agent: "x", When: dialplan.When{To: []string{"+1", ""}, From: []string{}, Leg: []string{""}, Trunk: []string{}, Hours: []string{}}},
		{Agent: "x", When: dialplan.When{Header: map[string][]string{"X-A": {`a\`}}, Hours: []string{"Mon 09:00-10:00 UTC", "Mon 9-17 UTC"}}},
		{Reject: &dialplan.Reject{Code: 401}, Set: "x"},
		{Redirect: &dialplan.Redirect{}, Agent: "x"},
	})
	var faults dialplan.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("got %v", err)
	}
	want := `dialplan:
route 1: neither agent nor reject: say which agent takes the call, or reject or redirect it
route 2: name: route 1 is called "a" too: give each route a name of its own
route 2: reject: both agent and reject: keep one of the two
route 2: reject.code: 200 is not a final failure: use a SIP status from 400 to 699, such as 403, 480, 486 or 603
route 3: when.to: pattern "": empty pattern: write a pattern such as "+1415555*", or "*" for any
route 3: when.from: an empty list matches no call: name a pattern or remove the key
route 3: when.trunk: an empty list matches no call: give a name or remove the key
route 3: when.leg: empty name: give a name or remove it
route 3: when.hours: an empty list matches no call: name hours or remove the key
route 4: when.header.X-A: pattern "a\\": backslash at the end: write a pattern such as "+1415555*", or "*" for any
route 4: when.hours: "Mon 9-17 UTC": "9-17" is neither days nor times: write hours such as "Mon-Fri 09:00-17:00 America/New_York"
route 5: set: set without agent: remove it: a call that nobody takes has no session
route 5: reject.code: 401 asks for credentials instead of rejecting: use 403 or 603
route 6: redirect: redirect beside agent or reject: keep one of them
route 6: redirect.to: missing: write a number, or a SIP URI such as sip:desk@pbx.example.com`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
	if faults[4].Route != 2 || faults[4].Key != "when.to" || faults[4].Index != 1 {
		t.Errorf("got place %+v, want the second pattern of route 2", faults[4])
	}
}

func TestUnreachableRoutes(t *testing.T) {
	plan := compile(
		t,
		dialplan.Route{Agent: "a", When: dialplan.When{To: []string{"1"}}},
		dialplan.Route{Agent: "b"},
		dialplan.Route{Agent: "c", When: dialplan.When{To: []string{"2"}}},
		dialplan.Route{Agent: "d"},
	)
	if diff := cmp.Diff([]int{2, 3}, plan.Unreachable()); diff != "" {
		t.Error(diff)
	}
}

func TestSetIsCarried(t *testing.T) {
	d := example(t).Decide(dialplan.Call{From: "+1", Header: map[string][]string{"X-Customer": {"7"}}})
	if d.Route == nil || d.Route.Set != "cedar" {
		t.Errorf("got %+v", d.Route)
	}
}

func TestRouteRedirects(t *testing.T) {
	plan, err := dialplan.Compile([]dialplan.Route{
		{Name: "moved", When: dialplan.When{To: []string{"100"}}, Redirect: &dialplan.Redirect{To: "+14155550100"}},
		{Agent: "x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	d := plan.Decide(dialplan.Call{To: "100"})
	if d.Redirect == nil || d.Redirect.To != "+14155550100" || d.Agent != "" || d.Reject != nil || d.Route.Name != "moved" {
		t.Errorf("100 is %+v", d)
	}
	if d := plan.Decide(dialplan.Call{To: "101"}); d.Redirect != nil || d.Agent != "x" {
		t.Errorf("101 is %+v", d)
	}
}
