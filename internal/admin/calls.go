package admin

import (
	"net/http"
	"time"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
)

// call is one call as the API shows it.
type call struct {
	ID      string `json:"id"`
	Leg     string `json:"leg"`
	Carrier string `json:"carrier_call,omitempty"`
	Trunk   string `json:"trunk,omitempty"`
	Agent   string `json:"agent"`
	From    string `json:"from"`
	To      string `json:"to"`
	State   string `json:"state"`
	// Direction is in or out, Arrived when the call arrived or was placed, RFC 3339.
	Direction string `json:"direction"`
	Arrived   string `json:"arrived"`
	// AnsweredBy is who has answered a call out, once that is found out.
	AnsweredBy string         `json:"answered_by,omitempty"`
	Media      map[string]any `json:"media,omitempty"` // as of the event media, so far
	Timeline   []event        `json:"timeline,omitempty"`
}

// event is one event of a timeline as the API shows it.
type event struct {
	OffsetMS float64        `json:"offset_ms"`
	Name     string         `json:"event"`
	Attrs    map[string]any `json:"attrs,omitempty"`
}

const noSuchCall = "no such call: it has ended or never was"

func show(c *bridge.Call) call {
	f := c.Facts()
	shown := call{
		ID: f.ID, Leg: f.Leg, Carrier: f.Carrier, Trunk: f.Trunk, Agent: c.Agent(),
		From: f.From, To: f.To, State: c.State().String(),
		Direction: c.Direction(), Arrived: c.Arrived().UTC().Format(time.RFC3339Nano),
		AnsweredBy: c.AnsweredBy(),
	}
	if q, ok := c.Quality(); ok {
		shown.Media = showQuality(q)
	}
	return shown
}

func showQuality(q media.Quality) map[string]any {
	shown, attrs := map[string]any{}, bridge.QualityAttrs(q)
	for i := 0; i+1 < len(attrs); i += 2 {
		showAttr(shown, bridge.Attr{Key: attrs[i].(string), Value: attrs[i+1]})
	}
	return shown
}

func (a *api) calls(w http.ResponseWriter, _ *http.Request) {
	calls := []call{}
	for _, c := range a.cfg.Registry.Calls() {
		calls = append(calls, show(c))
	}
	answer(w, http.StatusOK, map[string]any{"calls": calls})
}

func (a *api) call(w http.ResponseWriter, r *http.Request) {
	c := a.cfg.Registry.Call(r.PathValue("id"))
	if c == nil {
		a.past(w, r.PathValue("id"))
		return
	}
	shown := show(c)
	for _, e := range c.Timeline() {
		shown.Timeline = append(shown.Timeline, showEvent(e))
	}
	answer(w, http.StatusOK, shown)
}

func showEvent(e bridge.Event) event {
	shown := event{OffsetMS: ms(e.Offset), Name: e.Name}
	for _, a := range e.Attrs {
		if shown.Attrs == nil {
			shown.Attrs = map[string]any{}
		}
		showAttr(shown.Attrs, a)
	}
	return shown
}

// showAttr adds a detail; durations are in milliseconds.
func showAttr(to map[string]any, a bridge.Attr) {
	if d, ok := a.Value.(time.Duration); ok {
		to[a.Key+"_ms"] = ms(d)
		return
	}
	to[a.Key] = a.Value
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (a *api) hangUp(w http.ResponseWriter, r *http.Request) {
	c := a.cfg.Registry.Call(r.PathValue("id"))
	if c == nil {
		refuse(w, http.StatusNotFound, noSuchCall)
		return
	}
	c.Operator().HangUp()
	answer(w, http.StatusAccepted, show(c))
}
