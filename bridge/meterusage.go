package bridge

import (
	"slices"

	"github.com/callgw/callgw/realtime"
)

// statuses are the ends of a response that have a name in the metrics.
var statuses = []string{"completed", "cancelled", "failed", "incomplete"}

// response counts how one response ended.
func (r *meters) response(status string) {
	if !slices.Contains(statuses, status) {
		status = "other"
	}
	r.responses.WithLabelValues(r.with(status)...).Inc()
}

// usage counts the tokens of one response. Cached ones are counted apart from,
// not besides, those that were read anew.
func (r *meters) usage(u *realtime.Usage) {
	in, out := u.InputTokenDetails, u.OutputTokenDetails
	cached := in.CachedTokensDetails
	r.count("input", "text", in.TextTokens-cached.TextTokens)
	r.count("input", "audio", in.AudioTokens-cached.AudioTokens)
	r.count("input", "cached_text", cached.TextTokens)
	r.count("input", "cached_audio", cached.AudioTokens)
	r.count("output", "text", out.TextTokens)
	r.count("output", "audio", out.AudioTokens)
}

// mostSeconds is more than any item of a conversation lasts.
const mostSeconds = 24 * 60 * 60

// transcription counts what transcribing one item took. Models are billed by
// tokens or by the second; the usage has one of the two.
func (r *meters) transcription(u *realtime.TranscriptionUsage) {
	if u == nil {
		return
	}
	if max(u.InputTokens, u.OutputTokens) > mostTokens || u.Seconds > mostSeconds {
		r.sessionError("malformed")
		return
	}
	r.count("input", "transcription", u.InputTokens)
	r.count("output", "transcription", u.OutputTokens)
	if u.Seconds > 0 {
		r.transcribed.WithLabelValues(r.labels...).Add(u.Seconds)
	}
}

// count adds tokens. What a server counts wrongly must not be taken back.
func (r *meters) count(direction, kind string, n int) {
	if n > 0 {
		r.tokens.WithLabelValues(r.with(direction, kind)...).Add(float64(n))
	}
}
