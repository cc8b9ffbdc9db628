// Package dialplan decides which agent takes a call, or that none does. A plan
// is an ordered list of routes; the first whose conditions all hold wins, and a
// call that none wants is rejected with 404.
//
// The package is pure: values in, values out, time as an argument. It imports
// nothing of this module, starts no goroutines and never logs. A compiled
// [Plan] does not change and is safe for concurrent use.
package dialplan
