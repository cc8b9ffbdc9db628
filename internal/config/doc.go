// Package config reads callgw.yaml. [Load] decodes it strictly, completes it
// with defaults, checks what only the whole tells and returns either a
// configuration that the gateway can run or every fault at once, each with its
// position and what to do.
//
// The structs are the reference: each field says what it means, its unit and
// its default. What may change while the gateway runs is in [Reloadable] and in
// SIP.Trunks, the rest needs a restart.
//
// Secrets are of type [Secret], which prints as ***. Values that come from the
// environment or from files are never part of a fault or a warning.
//
// The package imports neither the call nor its legs; it starts no goroutines
// and does not log.
package config
