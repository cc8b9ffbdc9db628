// Package e2e tests a whole gateway from outside: it runs in the test's process
// on loopback, between phones that call it, by SIP and by media stream, and an
// embedded Realtime server. What the tests look at is what an operator, a caller
// or a provider can see: packets, messages, logs, metrics, timelines.
//
// Most of a test's time is a call's: they run in parallel, more of them at once
// than there are processors.
package e2e
