package config

import "strings"

// retired lists models whose end is announced or past, by the beginning of
// their names; the first that fits counts.
var retired = []struct {
	prefix, exact string
	when, instead string
}{
	{exact: "gpt-realtime", when: "is shut down on 2027-01-20", instead: "gpt-realtime-2.1"},
	{exact: "gpt-realtime-2025-08-28", when: "is shut down on 2027-01-20", instead: "gpt-realtime-2.1"},
	{prefix: "gpt-realtime-mini", when: "is shut down on 2027-01-20", instead: "gpt-realtime-2.1-mini"},
	{prefix: "gpt-4o-realtime-preview", when: "is no longer served", instead: "gpt-realtime-2.1"},
	{prefix: "gpt-4o-mini-realtime-preview", when: "is no longer served", instead: "gpt-realtime-2.1-mini"},
	{exact: "whisper-1", when: "is shut down on 2027-02-26", instead: "gpt-transcribe"},
	{prefix: "gpt-4o-transcribe", when: "is shut down on 2027-02-26", instead: "gpt-transcribe"},
	{prefix: "gpt-4o-mini-transcribe", when: "is shut down on 2027-02-26", instead: "gpt-transcribe"},
}

// warnRetired warns of a model that has no future at OpenAI.
func warnRetired(k *checker, key, model string) {
	if model == "" {
		return // the provider's default
	}
	for _, r := range retired {
		if model == r.exact || r.prefix != "" && strings.HasPrefix(model, r.prefix) {
			k.warn(key, k.quote(key, model)+" "+r.when, "use "+r.instead)
			return
		}
	}
}
