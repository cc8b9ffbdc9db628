// Package answering tells from its audio who has answered a call out: a human, an
// answering machine or a fax; and of a machine, when its message is over and ours
// may begin.
//
// A [Detector] measures what a telephone network's answering machine detection
// measures, under the same names: a human says something short and waits, a machine
// speaks on. It hears a machine's beep as well, and the tones by which fax machines
// are known. Tones of the network, such as ringing and busy, and steady noise are
// neither speech nor a beep.
//
// It is pure: it holds no clock and starts no goroutine. Audio is the clock, 20 ms
// a frame, and nothing in it allocates after [New]. It may import bridge/media and
// internal/vad, nothing else of this module.
//
// What it cannot know: a human who answers with a speech is a machine to it, and a
// machine whose message is one short word is a human. Music is a machine.
package answering
