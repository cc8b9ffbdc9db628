package load_test

// What the two processes say to each other, a JSON object a line.
type (
	// order is what the benchmark wants: calls to be placed or, if there are
	// none, to be ended.
	order struct {
		Leg    string `json:"leg,omitempty"`
		Target string `json:"target,omitempty"`
		Calls  int    `json:"calls,omitempty"`
	}
	// report is what the peers answer: first where the provider is, then how
	// many calls were answered, then how many had lasted until they were ended.
	report struct {
		Provider string `json:"provider,omitempty"`
		Answered int    `json:"answered,omitempty"`
		Lasted   int    `json:"lasted,omitempty"`
		Error    string `json:"error,omitempty"`
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
