// Package jsonscan reads the few JSON messages that arrive for every frame of
// audio (a carrier's media message, a provider's audio delta) and tells which
// message any other one is. It walks the members of one object, borrows what it
// returns from the message and never allocates unless something is wrong.
//
//	var s jsonscan.Scanner
//	s.Reset(msg)
//	for s.Next() {
//		switch string(s.Key()) {
//		case "delta":
//			delta = s.Bytes()
//		case "output_index":
//			index = s.Int()
//		}
//	}
//	if err := s.Err(); err != nil { … }
//
// It is as strict as encoding/json about what JSON is (RFC 8259), with these
// differences, all meant:
//   - Strings are not unescaped. A key with an escape, or one in a string that
//     is asked for, ends the scan with [ErrEscaped]: decode that message with
//     encoding/json. Base64 needs no escapes, yet some servers write "\/".
//   - Nesting beyond [MaxDepth] is refused.
//   - Keys match exactly, in case too, and each duplicate is visited: whether
//     the first or the last wins is the caller's doing.
//   - Bytes that are not UTF-8 pass unchanged.
//
// As in encoding/json, null stands for the zero value of whatever is asked for.
//
// The package is a leaf: it imports nothing of this module, starts no
// goroutines and keeps no state.
package jsonscan
