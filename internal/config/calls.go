package config

import (
	"fmt"
	"time"
)

// Calls is all of them together.
type Calls struct {
	// Max is how many there may be at a time; more are refused. Default 500.
	Max int `yaml:"max"`
	// Drain is how long running calls may go on when the gateway stops, then
	// they are hung up. 0: at once. Default 5m.
	Drain time.Duration `yaml:"drain"`
}

// SetDefaults sets the defaults.
func (c *Calls) SetDefaults() { *c = Calls{Max: 500, Drain: 5 * time.Minute} }

func (c *Calls) check(k *checker) {
	if c.Max < 1 {
		k.fail("calls.max", k.quote("calls.max", fmt.Sprint(c.Max))+" lets nobody in", "write at least 1")
	}
}
