package admin

import (
	"net/http"

	"github.com/callgw/callgw/realtime"
)

// entry is one item of a conversation as the API shows it.
type entry struct {
	ID        string `json:"id"`
	Type      string `json:"type"`
	Origin    string `json:"origin"` // ours, caller or model
	Role      string `json:"role,omitempty"`
	Generated string `json:"generated,omitempty"`
	// Heard is what of Generated the caller heard.
	Heard      string  `json:"heard,omitempty"`
	HeardMS    float64 `json:"heard_ms,omitempty"`
	ReceivedMS float64 `json:"received_ms,omitempty"`
	Name       string  `json:"name,omitempty"` // of a function
	Arguments  string  `json:"arguments,omitempty"`
	Output     *string `json:"output,omitempty"`
}

// conversation shows what was said in a call so far.
func (a *api) conversation(w http.ResponseWriter, r *http.Request) {
	c := a.cfg.Registry.Call(r.PathValue("id"))
	if c == nil {
		refuse(w, http.StatusNotFound, noSuchCall)
		return
	}
	items := []entry{}
	for _, e := range c.History() {
		shown := showEntry(e)
		if c.HidesTranscripts() {
			shown.Generated, shown.Heard, shown.Arguments, shown.Output = "", "", "", nil
		}
		items = append(items, shown)
	}
	answer(w, http.StatusOK, map[string]any{"items": items})
}

func showEntry(e realtime.Entry) entry {
	return entry{
		ID: e.Item.ID, Type: e.Item.Type, Origin: string(e.Origin), Role: e.Item.Role,
		Generated: e.Generated, Heard: e.Heard, HeardMS: ms(e.AudioHeard), ReceivedMS: ms(e.AudioReceived),
		Name: e.Item.Name, Arguments: e.Item.Arguments, Output: e.Item.Output,
	}
}
