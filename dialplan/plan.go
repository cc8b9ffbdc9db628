package dialplan

import (
	"fmt"
	"strings"
)

// Plan is a compiled list of routes. Its zero value has none and rejects every
// call.
type Plan struct {
	routes []compiled
}

type compiled struct {
	route      Route
	conditions []condition
}

// Compile checks routes and prepares them. Its error is [Faults] and holds
// everything that is wrong.
func Compile(routes []Route) (*Plan, error) {
	p := &Plan{routes: make([]compiled, len(routes))}
	var faults Faults
	named := map[string]int{}
	for i, route := range routes {
		report := func(key string, index int, message, remedy string) {
			faults = append(faults, Fault{Route: i, Key: key, Index: index, Message: message, Remedy: remedy})
		}
		if route.Name == "" {
			route.Name = fmt.Sprintf("#%d", i+1)
		}
		if first, ok := named[route.Name]; ok {
			report("name", 0, fmt.Sprintf("route %d is called %q too", first+1, route.Name), "give each route a name of its own")
		} else {
			named[route.Name] = i
		}
		checkOutcome(&route, report)
		p.routes[i] = compiled{route, compileWhen(route.When, report)}
	}
	if faults != nil {
		return nil, faults
	}
	return p, nil
}

// checkOutcome completes a route's Reject and reports what is wrong with what
// becomes of the route's calls.
func checkOutcome(route *Route, report func(key string, index int, message, remedy string)) {
	switch {
	case route.Agent == "" && route.Reject == nil && route.Redirect == nil:
		report("", 0, "neither agent nor reject", "say which agent takes the call, or reject or redirect it")
	case route.Agent != "" && route.Reject != nil:
		report("reject", 0, "both agent and reject", "keep one of the two")
	case route.Redirect != nil && (route.Agent != "" || route.Reject != nil):
		report("redirect", 0, "redirect beside agent or reject", "keep one of them")
	case route.Agent == "" && route.Set != nil:
		report("set", 0, "set without agent", "remove it: a call that nobody takes has no session")
	}
	if route.Redirect != nil && route.Redirect.To == "" {
		report("redirect.to", 0, "missing", "write a number, or a SIP URI such as sip:desk@pbx.example.com")
	}
	if route.Reject == nil {
		return
	}
	reject := *route.Reject
	switch code := reject.Code; {
	case code == 0:
		reject.Code = 603 // RFC 3261 §21.6.2 Decline
	case code < 400 || code > 699:
		report("reject.code", 0, fmt.Sprintf("%d is not a final failure", code), "use a SIP status from 400 to 699, such as 403, 480, 486 or 603")
	case code == 401 || code == 407: // RFC 3261 §22.2, §22.3
		report("reject.code", 0, fmt.Sprintf("%d asks for credentials instead of rejecting", code), "use 403 or 603")
	}
	route.Reject = &reject
}

// Decide returns what becomes of c.
func (p *Plan) Decide(c Call) Decision {
	for i := range p.routes {
		if holds, _ := p.routes[i].holds(c); holds {
			route := &p.routes[i].route
			return Decision{Route: route, Agent: route.Agent, Reject: route.Reject, Redirect: route.Redirect}
		}
	}
	return Decision{Reject: &Reject{Code: 404}} // RFC 3261 §21.4.5 Not Found
}

// Explain returns what each route, in order, says about c.
func (p *Plan) Explain(c Call) []Verdict {
	verdicts := make([]Verdict, len(p.routes))
	chosen := ""
	for i := range p.routes {
		v := &verdicts[i]
		v.Route = &p.routes[i].route
		v.Matched, v.Why = p.routes[i].holds(c)
		switch {
		case v.Matched && chosen == "":
			v.Chosen, chosen = true, v.Route.Name
		case v.Matched:
			v.Why += fmt.Sprintf(", but %s comes first", chosen)
		}
	}
	return verdicts
}

// Unreachable returns the places, from 0, of routes that stand behind one that
// takes every call.
func (p *Plan) Unreachable() []int {
	var places []int
	for i := range p.routes {
		if len(p.routes[i].conditions) > 0 {
			continue
		}
		for later := i + 1; later < len(p.routes); later++ {
			places = append(places, later)
		}
		break
	}
	return places
}

// holds says why the route does not take c: because of every condition that
// does not hold, or why it does.
func (r *compiled) holds(c Call) (bool, string) {
	if len(r.conditions) == 0 {
		return true, "takes every call"
	}
	var yes, no []string
	for _, condition := range r.conditions {
		if ok, why := condition(c); ok {
			yes = append(yes, why)
		} else {
			no = append(no, why)
		}
	}
	if no != nil {
		return false, strings.Join(no, ", ")
	}
	return true, strings.Join(yes, ", ")
}
