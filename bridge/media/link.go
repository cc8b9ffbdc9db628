package media

import "time"

// Uplink takes what comes from the phone. The bridge implements it; a leg's
// one reader goroutine calls it. No method blocks.
type Uplink interface {
	// Frame takes caller audio in the leg's codec: in order, gaps already
	// filled with silence, so that its bytes are a true 8 kHz clock. It is
	// FrameBytes long unless the peer packetises otherwise. The slice is lent
	// for the call's duration only.
	Frame(p []byte)
	// Digit reports one key press, once, when it has begun.
	Digit(d Digit)
	// Hold reports that the peer put the call on hold, or took it back.
	Hold(on bool)
}

// KeyUplink is an Uplink that wants to know how long keys are pressed.
type KeyUplink interface {
	Uplink
	// Released reports that the key which Digit has told is not pressed any more. held
	// is 0 when nobody knows for how long it was.
	Released(d Digit, held time.Duration)
}

// Recoder is implemented by an Uplink that wants to know that a leg converts its audio,
// because the phone speaks the other law.
type Recoder interface {
	// Recoded reports the law of the phone, once in a call.
	Recoded(phone Codec)
}

// Downlink is where a leg takes the agent's audio from. The bridge implements
// it; a leg's one writer calls it. No method blocks.
//
// Its audio is one stream of bytes. A position is a count of bytes from the
// stream's beginning; a leg that buffers ahead of the caller's ear reports
// positions with Heard and answers a [Flusher.Flush] with one.
type Downlink interface {
	// Next copies up to len(p) bytes of the agent's audio into p and returns
	// how many. Fewer than len(p) means that no more is due now: the leg plays
	// silence for the rest.
	Next(p []byte) int
	// Ready receives a value after audio was queued while none was. One
	// value may stand for several; it is for legs that would else poll.
	Ready() <-chan struct{}
	// Heard reports that the caller has heard the stream up to pos. Only legs
	// that implement Flusher call it: on all others, what Next hands out
	// counts as heard.
	Heard(pos int64)
}

// Flusher is implemented by a leg whose far end buffers audio ahead of the
// caller's ear, as media streams do.
type Flusher interface {
	// Flush drops what was written and not yet heard, here and at the far end,
	// without blocking; where the far end tells exactly, it is waited for, 30 ms
	// at most. It returns the stream position that the caller will have heard
	// when the flush takes effect: never more than Next handed out.
	// After Flush, audio that Next hands out starts a new playout.
	Flush() (heard int64)
}
