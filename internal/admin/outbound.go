package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Outbound is a call to place.
type Outbound struct {
	To          string            // a number, or a SIP URI
	From        string            // the caller's number
	Name        string            // and name for display; of a SIP call
	Asserted    string            // the number that P-Asserted-Identity vouches for; of a SIP call
	Headers     map[string]string // added to a SIP call's INVITE
	Trunk       string            // of a SIP call; empty: none
	Agent       string            // who speaks; empty: the dialplan decides
	Params      map[string]string // for the dialplan and for templates
	RingTimeout time.Duration     // 0: the default
	// MachineDetection changes the agent's, in JSON and the configuration's
	// vocabulary; empty: nothing of it.
	MachineDetection []byte
}

// ErrRequest says that a request asks for what cannot be.
var ErrRequest = errors.New("request")

// mostRinging is how long a phone may be asked to ring.
const mostRinging = 10 * time.Minute

// place places a call.
func (a *api) place(w http.ResponseWriter, r *http.Request) {
	var body struct {
		To       string            `json:"to"`
		From     string            `json:"from"`
		Name     string            `json:"name"`
		Asserted string            `json:"asserted"`
		Headers  map[string]string `json:"headers"`
		Trunk    string            `json:"trunk"`
		Agent    string            `json:"agent"`
		Params   map[string]string `json:"params"`
		RingFor  int               `json:"ring_seconds"`
		Machine  json.RawMessage   `json:"machine_detection"`
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	err := read(r, &body)
	if err == nil && body.To == "" {
		err = bodyError(errors.New(`{"to": "+14155550123", "from": "+14155550100"} is needed`))
	}
	if limit := int(mostRinging / time.Second); err == nil && (body.RingFor < 0 || body.RingFor > limit) {
		err = bodyError(fmt.Errorf("ring_seconds: %d is not within 1 to %d", body.RingFor, limit))
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	if a.cfg.Place == nil {
		refuse(w, http.StatusNotImplemented, "this gateway places no calls")
		return
	}
	id, err := a.cfg.Place(r.Context(), Outbound{
		To: body.To, From: body.From, Name: body.Name, Asserted: body.Asserted, Headers: body.Headers,
		Trunk: body.Trunk, Agent: body.Agent, Params: body.Params,
		RingTimeout: time.Duration(body.RingFor) * time.Second, MachineDetection: body.Machine,
	})
	switch {
	case errors.Is(err, ErrRequest):
		refuse(w, http.StatusBadRequest, err.Error())
	case err != nil:
		refuse(w, http.StatusBadGateway, err.Error())
	default:
		answer(w, http.StatusAccepted, map[string]string{"id": id})
	}
}
