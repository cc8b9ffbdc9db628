// Package toolschema checks the arguments that a model gives to a tool against
// the JSON Schema the tool declares, whether the tool is an HTTP request, a Go
// function or built in.
//
// The errors of [Schema.Validate] are written for the model: they go back to it
// as the output of the call, and it tries again.
//
// The package is pure: it starts no goroutine, reads no file and no URL, and
// imports nothing of this module.
package toolschema
