package load_test

import "time"

// What the two processes say to each other, a JSON object a line.
type (
	// order is what the benchmark wants: calls to be placed or, if there are
	// none, to be ended. With a rate they are a storm, and end by themselves.
	order struct {
		Leg    string `json:"leg,omitempty"`
		Target string `json:"target,omitempty"`
		Calls  int    `json:"calls,omitempty"`

		Rate  int           `json:"rate,omitempty"` // per second
		Lasts time.Duration `json:"lasts,omitempty"`
	}
	// report is what the peers answer: first where the provider is, then how
	// many calls were answered, then how many had lasted until they were ended. Of
	// a storm it is one report, with the times of the calls that were not lost.
	report struct {
		Provider string `json:"provider,omitempty"`
		Answered int    `json:"answered,omitempty"`
		Lasted   int    `json:"lasted,omitempty"`
		Error    string `json:"error,omitempty"`

		SetUp []time.Duration `json:"set_up,omitempty"`
		Heard []time.Duration `json:"heard,omitempty"`
	}
)

const (
	sipLeg    = "sip"
	streamLeg = "stream"
)

// What both sides know.
const (
	publicURL = "https://voice.example.com"
	authToken = "load"
)
