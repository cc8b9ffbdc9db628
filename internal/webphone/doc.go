// Package webphone is a telephone as a web page: one document with its style and
// its scripts, which the program carries along, loads nothing from anywhere else and
// talks to the gateway that serves it through the generic media-stream leg.
//
// It only serves files. What they do on the way to the agent is in page: dsp.js
// is the signal processing, worklet.js what of it runs in the audio thread, call.js
// a call, words.js what is said and phone.js the page itself. Who may call is for
// the leg to decide. The package imports nothing of this module and owns no
// goroutines.
package webphone
