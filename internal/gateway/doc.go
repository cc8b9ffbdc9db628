// Package gateway puts the parts of callgw together: listeners, legs, dialplan,
// calls, metrics. It is the only place that knows all of them; commands and
// end-to-end tests drive it in process.
package gateway
