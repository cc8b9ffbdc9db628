package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/callgw/callgw/dialplan"
	"github.com/callgw/callgw/realtime"
)

// Route is one line of the dialplan: the first whose conditions hold takes the
// call.
type Route struct {
	// Name for logs and explanations. Default: # and its place.
	Name string `yaml:"name"`
	// When is what must hold. Default: nothing, every call is taken.
	When When `yaml:"when"`
	// Agent that takes the call.
	Agent string `yaml:"agent"`
	// Reject refuses the call instead.
	Reject *Reject `yaml:"reject"`
	// Redirect sends the caller elsewhere instead.
	Redirect *Redirect `yaml:"redirect"`
	// Set changes the agent for calls of this route.
	Set Set `yaml:"set"`
}

// When is a list of conditions, all of which must hold. Patterns know * for
// any run of characters and ? for any one.
type When struct {
	To     []string            `yaml:"to"`     // patterns for the called number
	From   []string            `yaml:"from"`   // patterns for the caller's; "anonymous" for withheld ones
	Trunk  []string            `yaml:"trunk"`  // names
	Leg    []string            `yaml:"leg"`    // sip, twilio, or another carrier's name
	Header map[string][]string `yaml:"header"` // patterns for the value of each; "*": it is there
	Hours  []string            `yaml:"hours"`  // such as "Mon-Fri 09:00-17:00 America/New_York"
}

// Reject refuses a call.
type Reject struct {
	Code   int    `yaml:"code"`   // SIP status from 400 to 699. Default 603
	Reason string `yaml:"reason"` // the phrase that goes with it. Default: the status' own
}

// Redirect sends a caller of SIP elsewhere (302). Others are rejected with 603.
type Redirect struct {
	To string `yaml:"to"` // a number or a SIP URI. Required
}

// Set is what a route changes in its agent.
type Set struct {
	// Session is merged into the agent's.
	Session realtime.Properties `yaml:"session"`
}

// legs are the kinds of leg that calls come by.
var legs = []string{"sip", "twilio", "signalwire", "telnyx", "plivo", "vonage", "jambonz", "asterisk", "generic"}

// Legs returns the kinds of leg that calls come by.
func Legs() []string { return slices.Clone(legs) }

// compileRoutes checks the routes and compiles them. It returns nil if they
// are faulty.
func compileRoutes(k *checker, routes []Route, r *Reloadable, trunks map[string]*Trunk) *dialplan.Plan {
	if len(routes) == 0 {
		k.fail("dialplan", "missing, and there are several agents", "add a route such as {name: default, agent: "+sortedKeys(r.Agents)[0]+"}")
		return nil
	}
	compiled := make([]dialplan.Route, len(routes))
	for i, route := range routes {
		key := fmt.Sprintf("dialplan[%d]", i)
		agent := r.Agents[route.Agent]
		if route.Agent != "" && agent == nil {
			k.fail(key+".agent", "there is no agent "+k.quote(key+".agent", route.Agent), "name one of "+strings.Join(sortedKeys(r.Agents), ", "))
		}
		k.names(key+".when.trunk", "trunk", route.When.Trunk, sortedKeys(trunks))
		k.names(key+".when.leg", "leg", route.When.Leg, legs)
		compiled[i] = route.plain()
		if set := route.Set.Session; !reflect.ValueOf(set).IsZero() {
			compiled[i].Set = true // without an agent, a fault
			if agent != nil {
				compiled[i].Set = agent.with(k, key+".set.session", set, r.Providers)
			}
		}
	}
	plan, err := dialplan.Compile(compiled)
	if err != nil {
		k.planFaults(err)
		return nil
	}
	for _, i := range plan.Unreachable() {
		k.warn(fmt.Sprintf("dialplan[%d]", i), "no call gets here: a route before takes every one", "move it up, or remove it")
	}
	return plan
}

// names reports names that nothing has.
func (k *checker) names(key, what string, names, known []string) {
	for i, name := range names {
		if name == "" || slices.Contains(known, name) {
			continue
		}
		remedy := "there is none at all"
		if len(known) > 0 {
			remedy = "name one of " + strings.Join(known, ", ")
		}
		at := k.at(key, i)
		k.fail(at, "there is no "+what+" "+k.quote(at, name), remedy)
	}
}

// planFaults reports what the dialplan says of itself.
func (k *checker) planFaults(err error) {
	var faults dialplan.Faults
	errors.As(err, &faults)
	for _, f := range faults {
		key := fmt.Sprintf("dialplan[%d]", f.Route)
		if f.Key != "" {
			key = k.at(key+"."+f.Key, f.Index)
		}
		message := f.Message
		if f.Key != "" && k.doc.Expanded(key) {
			message = k.quote(key, "") + " is refused"
		}
		k.fail(key, message, f.Remedy)
	}
}

// plain returns the route as the dialplan knows it.
func (r Route) plain() dialplan.Route {
	plain := dialplan.Route{
		Name: r.Name, Agent: r.Agent,
		When: dialplan.When{To: r.When.To, From: r.When.From, Trunk: r.When.Trunk, Leg: r.When.Leg, Hours: r.When.Hours},
	}
	if r.When.Header != nil {
		plain.When.Header = make(map[string][]string, len(r.When.Header))
		for name, patterns := range r.When.Header {
			plain.When.Header[name] = patterns
		}
	}
	if r.Reject != nil {
		plain.Reject = &dialplan.Reject{Code: r.Reject.Code, Reason: r.Reject.Reason}
	}
	if r.Redirect != nil {
		plain.Redirect = &dialplan.Redirect{To: r.Redirect.To}
	}
	return plain
}

// with returns the agent as a route changes it. What is wrong stands at key.
func (a *Agent) with(k *checker, key string, set realtime.Properties, providers map[string]*Provider) *Agent {
	changed := *a
	changed.Session = a.Session.Merge(set)
	changed.checkSession(k, key, providers)
	return &changed
}
