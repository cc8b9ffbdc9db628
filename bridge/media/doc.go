// Package media holds the words that every part of a call shares: frame,
// codec, digit and cause, and the two interfaces through which audio crosses
// between a leg and the bridge.
//
// It is a leaf: it imports nothing of this module, starts no goroutines and
// keeps no state. Legs ([Uplink] and [Downlink] are all they see of a call) and
// the bridge meet here without knowing each other.
package media
