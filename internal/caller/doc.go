// Package caller places calls to a gateway, by SIP or as a media-stream carrier
// does, with a scripted phone at this end: for smoke tests, monitoring, the
// demonstration and end-to-end tests.
//
// A [Call] owns its goroutines; they are gone when [Call.Done] is closed.
package caller
