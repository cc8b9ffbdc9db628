package sdp

import "errors"

var (
	// ErrMalformed says that a body is not a session description, or lacks
	// what every description must have. SIP answers 400.
	ErrMalformed = errors.New("sdp: malformed")
	// ErrNotAcceptable says that a description is sound, but has no audio in
	// common with this side. SIP answers 488.
	ErrNotAcceptable = errors.New("sdp: not acceptable")
	// ErrUnsupported says that a body is of a type that holds no session
	// description. SIP answers 415.
	ErrUnsupported = errors.New("sdp: unsupported content type")
)
