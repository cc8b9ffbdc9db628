package config

import (
	"time"

	"github.com/callgw/callgw/internal/config/strict"
)

// parseDuration reads a duration that is not negative.
func parseDuration(s string) (any, error) {
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return nil, &strict.ValueError{Problem: "is not a duration", Remedy: "write a number and its unit, such as 500ms, 30s, 5m or 1h30m"}
	case d < 0:
		return nil, &strict.ValueError{Problem: "is negative", Remedy: "write a duration from now on, such as 30s"}
	}
	return d, nil
}
