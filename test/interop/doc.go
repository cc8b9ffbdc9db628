// Package interop holds the tests against software that others wrote: SIPp, whose
// scenarios are in sipp/, baresip, linphone, Kamailio as registrar and proxy,
// SIPVicious, which looks for gateways to abuse, and Chromium, which runs the phone for
// browsers.
//
// A test whose peer is not installed is skipped, and fails when the environment
// variable CALLGW_REQUIRE_PEERS is 1; test/peers.sh installs them. The tests
// start a gateway of their own; CALLGW_SIP_TARGET=host:port points the scenarios
// at another one instead, which must treat the users that gateway_test.go lists
// alike.
//
// What the tests have seen is docs/interop.md, which "make interop" writes.
package interop
