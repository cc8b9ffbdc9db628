package admin

import (
	"net/http"

	"github.com/callgw/callgw/bridge"
)

// past is a call that has ended as the API shows it.
type past struct {
	ID      string `json:"id"`
	Leg     string `json:"leg"`
	Carrier string `json:"carrier_call,omitempty"`
	Trunk   string `json:"trunk,omitempty"`
	Agent   string `json:"agent,omitempty"`
	From    string `json:"from"`
	To      string `json:"to"`
	State   string `json:"state"` // ended
	Cause   string `json:"cause"`
	// SIPStatus and SIPReason are what the far end of a call out has refused it with.
	SIPStatus int    `json:"sip_status,omitempty"`
	SIPReason string `json:"sip_reason,omitempty"`
	// AnsweredBy is who has answered a call out, if that was found out.
	AnsweredBy string `json:"answered_by,omitempty"`
	Answered   string `json:"answered,omitempty"` // RFC 3339
	Ended      string `json:"ended"`
	// Media is how the audio came through the network, as of the event media.
	Media map[string]any `json:"media,omitempty"`
}

// past shows one of the calls that ended last.
func (a *api) past(w http.ResponseWriter, id string) {
	p, ok := a.cfg.Registry.Past(id)
	if !ok {
		refuse(w, http.StatusNotFound, noSuchCall)
		return
	}
	shown := past{
		ID: p.Facts.ID, Leg: p.Facts.Leg, Carrier: p.Facts.Carrier, Trunk: p.Facts.Trunk, Agent: p.Agent, From: p.Facts.From, To: p.Facts.To,
		State: bridge.Ended.String(), Cause: p.Cause.String(),
		SIPStatus: p.Refusal.Status, SIPReason: p.Refusal.Reason, Ended: stamp(p.Ended),
		AnsweredBy: p.AnsweredBy,
	}
	if !p.Answered.IsZero() {
		shown.Answered = stamp(p.Answered)
	}
	if p.Quality != nil {
		shown.Media = showQuality(*p.Quality)
	}
	answer(w, http.StatusOK, shown)
}
