package realtime

import "net/http"

// Profile names a kind of server: what is particular about it, as data.
type Profile string

// The kinds of servers. All differences are in the tables of this file.
const (
	ProfileOpenAI Profile = "openai" // also the default
	ProfileAzure  Profile = "azure"  // as OpenAI, with the key in a header of its own
	ProfileXAI    Profile = "xai"    // no truncation, no retrieval, a layout between the two
	ProfileBeta   Profile = "beta"   // any server that still speaks the flat shape
)

// traits of a kind of server: the defaults of [Provider].
type traits struct {
	dialect    Dialect
	authHeader string
	noTruncate bool
	noRetrieve bool
}

var profiles = map[Profile]traits{
	ProfileOpenAI: {dialect: GA},
	ProfileAzure:  {dialect: GA, authHeader: "api-key"},
	ProfileXAI:    {dialect: XAI, noTruncate: true, noRetrieve: true},
	ProfileBeta:   {dialect: Beta},
}

// Dialect is how a server is spoken to.
type Dialect string

const (
	GA   Dialect = "ga"   // OpenAI's present shape: nested session, session.type
	Beta Dialect = "beta" // the flat shape of its preview, alive in other servers only
	XAI  Dialect = "xai"  // GA's events and formats; voice and turn detection stand at the top
)

// layout says where a dialect puts the options of a session that do not stand
// at the top under their own name: option → path.
type layout map[string]string

// grammar is what distinguishes a dialect on the wire.
type grammar struct {
	layout layout
	typed  bool // each session.update has session.type
	named  bool // formats, voices and tools are called by their bare names
	paired bool // audio never goes without text
	output string
	ga     bool        // has the members that came with GA
	header http.Header // of the handshake
}

var grammars = map[Dialect]grammar{
	GA: {
		layout: layout{
			"modalities":                  "output_modalities",
			"voice":                       "audio.output.voice",
			"speed":                       "audio.output.speed",
			"output_audio_format":         "audio.output.format",
			"input_audio_format":          "audio.input.format",
			"input_audio_transcription":   "audio.input.transcription",
			"input_audio_noise_reduction": "audio.input.noise_reduction",
			"turn_detection":              "audio.input.turn_detection",
			"max_response_output_tokens":  "max_output_tokens",
		},
		typed: true, ga: true, output: "output_text",
	},
	XAI: {
		layout: layout{
			"modalities":                  "output_modalities",
			"speed":                       "audio.output.speed",
			"output_audio_format":         "audio.output.format",
			"input_audio_format":          "audio.input.format",
			"input_audio_transcription":   "audio.input.transcription",
			"input_audio_noise_reduction": "audio.input.noise_reduction",
			"max_response_output_tokens":  "max_output_tokens",
		},
		ga: true, output: "output_text",
	},
	Beta: {
		named: true, paired: true, output: "text",
		// GA servers refuse a session that carries it.
		header: http.Header{"Openai-Beta": {"realtime=v1"}},
	},
}

// grammar returns that of d; a dialect that is not known is read as GA.
func (d Dialect) grammar() grammar {
	if g, ok := grammars[d]; ok {
		return g
	}
	return grammars[GA]
}
