package answering

// Verdict is who has answered.
type Verdict uint8

// The verdicts. The first is none yet.
const (
	Undecided Verdict = iota
	Human
	Machine
	Fax
	Unknown // nobody spoke, or nothing was clear in time
)

// Verdicts returns those that are final, for metrics and documentation.
func Verdicts() []Verdict { return []Verdict{Human, Machine, Fax, Unknown} }

// String returns the verdict's name in lower case.
func (v Verdict) String() string {
	return [...]string{"undecided", "human", "machine", "fax", "unknown"}[v]
}

// End is how a machine's message has ended.
type End uint8

// The ends. The first is none yet.
const (
	Running End = iota
	Beep
	Pause   // silence as long as Config.MessagePause
	Timeout // it has not: Config.Timeout is over
)

// String returns the end's name in lower case.
func (e End) String() string {
	return [...]string{"running", "beep", "pause", "timeout"}[e]
}
