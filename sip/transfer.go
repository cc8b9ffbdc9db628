package sip

// TransferMode is how a trunk's callers are handed over to somebody else.
type TransferMode uint8

const (
	// TransferRefer asks the peer to call the target itself (REFER, RFC 3515).
	TransferRefer TransferMode = iota
	// TransferBridge calls the target and passes the audio on between the two, for
	// peers that refuse REFER. Both calls stay until either side hangs up.
	TransferBridge
	// TransferEither asks first and bridges when the peer refuses.
	TransferEither
)
