package config

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// Calls is all of them together.
type Calls struct {
	// Max is how many there may be at a time; more are refused. Default 500.
	Max int `yaml:"max"`
	// Drain is how long running calls may go on when the gateway stops, then
	// they are hung up. 0: at once. Default 5m.
	Drain time.Duration `yaml:"drain"`
	// Say is what carriers of media streams tell callers who reach no agent.
	Say CallsSay `yaml:"say"`
}

// CallsSay are sentences that a carrier speaks, in its own voice; for an empty one
// the caller gets a busy tone.
type CallsSay struct {
	// Unavailable is for calls that no provider takes, or that fail here. Default: a
	// sentence in English.
	Unavailable string `yaml:"unavailable"`
	// Full is for calls beyond max, and while the gateway drains. Default: none, which
	// costs nothing.
	Full string `yaml:"full"`
}

// SetDefaults sets the defaults.
func (c *Calls) SetDefaults() {
	*c = Calls{Max: 500, Drain: 5 * time.Minute, Say: CallsSay{
		Unavailable: "We cannot take your call at the moment. Please call again later.",
	}}
}

// maxSay bounds a sentence: carriers take no more than 4000 characters.
const maxSay = 1000

func (c *Calls) check(k *checker) {
	if c.Max < 1 {
		k.fail("calls.max", k.quote("calls.max", fmt.Sprint(c.Max))+" lets nobody in", "write at least 1")
	}
	for key, text := range map[string]string{"calls.say.unavailable": c.Say.Unavailable, "calls.say.full": c.Say.Full} {
		if n := utf8.RuneCountInString(text); n > maxSay {
			k.fail(key, fmt.Sprintf("has %d characters", n), fmt.Sprintf("write %d at most", maxSay))
		}
	}
}
