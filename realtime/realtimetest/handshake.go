package realtimetest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/websocket"
)

// refusal is why a connection is not wanted. The service completes the upgrade
// first, then sends the error and closes with a code of its own.
type refusal struct {
	err  *Error
	code int
}

// betaHeader asks for the Beta dialect.
func betaHeader(r *http.Request) bool { return r.Header.Get("OpenAI-Beta") == "realtime=v1" }

// admit decides on a handshake: in which dialect, or why not.
func (c *Config) admit(r *http.Request) (beta bool, no *refusal) {
	beta = c.Dialects == BetaOnly || c.Dialects == Both && betaHeader(r)
	model, transcription := r.URL.Query().Get("model"), r.URL.Query().Get("intent") == "transcription"
	switch {
	case c.Dialects == GAOnly && r.Header.Get("OpenAI-Beta") != "":
		return false, &refusal{errBetaShape, 4000}
	case c.Dialects == BetaOnly && !betaHeader(r):
		return true, &refusal{errNotBeta, 4000}
	case c.Key != "" && c.Key != key(r):
		return beta, &refusal{errAPIKey, 3000}
	case model == "" && !transcription:
		return beta, &refusal{errMissingModel, 4000}
	case model != "" && len(c.Models) > 0 && !slices.Contains(c.Models, model):
		return beta, &refusal{errModel(model), 4004}
	}
	return beta, nil
}

// key returns the credentials of a handshake, in whichever form they came.
func key(r *http.Request) string {
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return bearer
	}
	if k := r.Header.Get("Api-Key"); k != "" {
		return k
	}
	for _, p := range websocket.Subprotocols(r) {
		if k, ok := strings.CutPrefix(p, "openai-insecure-api-key."); ok {
			return k
		}
	}
	return ""
}
