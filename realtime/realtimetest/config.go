package realtimetest

import "time"

// Dialects says which of the API's two shapes a server speaks.
type Dialects uint8

// The choices.
const (
	GAOnly   Dialects = iota // as OpenAI does: the OpenAI-Beta header is refused
	BetaOnly                 // as some look-alikes do: the header is required
	Both                     // the header decides
)

// Config of a [Server]. The zero value is a GA server that accepts anybody,
// greets, and repeats what the caller says.
type Config struct {
	Dialects Dialects
	// Key that clients must show, as a bearer token, in the api-key header or
	// in a subprotocol; empty: any or none.
	Key string
	// Models that exist; empty: all.
	Models []string
	// Voice makes the replies. Default [Parrot].
	Voice Voice
	// Transcribe makes the text of a caller's turn, counted from 0, when the
	// session asks for transcription. Default: ordinary sentences in rotation.
	Transcribe func(turn int, audio []byte) string
	// Pace of the replies. Default [DefaultPace].
	Pace *Pace
	// Life of a session; at its end it expires. Default 60 min.
	Life time.Duration
	// PingInterval between the server's pings. Default 20 s.
	PingInterval time.Duration
	// WriteTimeout of every message, after which a session counts as dead.
	// Default 10 s.
	WriteTimeout time.Duration
	// Fault says what goes wrong in a session, counted from 0. nil: nothing.
	Fault func(session int) Fault
	// Forget keeps a long-running server's memory bounded: sessions record
	// neither audio nor more than the latest events, and are forgotten when
	// they end.
	Forget bool
	// Observe sees every event as it is sent or received, by the session's
	// goroutine. It must not wait.
	Observe func(*Session, Event)
}

// Pace is how fast replies leave. The zero Pace sends everything at once.
type Pace struct {
	// Latency from the response's creation to its first output.
	Latency time.Duration
	// Rate of the audio, as a multiple of real time; 0 is unlimited.
	Rate float64
	// Each delta holds between Shortest and Longest of audio, chosen at random
	// but the same in every run. 0 is 200 and 400 ms.
	Shortest, Longest time.Duration
}

// DefaultPace is roughly that of the service.
func DefaultPace() Pace {
	return Pace{Latency: 150 * time.Millisecond, Rate: 8}
}

func (c Config) withDefaults() Config {
	if c.Voice == nil {
		c.Voice = Parrot
	}
	if c.Transcribe == nil {
		c.Transcribe = transcribe
	}
	pace := DefaultPace()
	if c.Pace != nil {
		pace = *c.Pace
	}
	if pace.Shortest <= 0 {
		pace.Shortest = 200 * time.Millisecond
	}
	if pace.Longest <= 0 {
		pace.Longest = 400 * time.Millisecond
	}
	pace.Longest = max(pace.Longest, pace.Shortest)
	c.Pace = &pace
	if c.Life <= 0 {
		c.Life = 60 * time.Minute
	}
	if c.PingInterval <= 0 {
		c.PingInterval = 20 * time.Second
	}
	if c.WriteTimeout <= 0 {
		c.WriteTimeout = 10 * time.Second
	}
	if c.Fault == nil {
		c.Fault = func(int) Fault { return Fault{} }
	}
	if c.Observe == nil {
		c.Observe = func(*Session, Event) {}
	}
	return c
}
