package admin

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/realtime"
)

// maxBody bounds what the API reads of a request.
const maxBody = 64 << 10

// control serves one thing that may be asked of a call: do reads the request's
// body into whatever it needs.
func (a *api) control(do func(c *bridge.Call, r *http.Request) error) http.Handler {
	return a.authorised(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := a.cfg.Registry.Call(r.PathValue("id"))
		if c == nil {
			refuse(w, http.StatusNotFound, noSuchCall)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		switch err := do(c, r); {
		case errors.Is(err, errBody):
			refuse(w, http.StatusBadRequest, err.Error())
		case errors.Is(err, bridge.ErrUnable):
			refuse(w, http.StatusNotImplemented, err.Error())
		case err != nil:
			refuse(w, http.StatusConflict, err.Error())
		default:
			answer(w, http.StatusOK, show(c))
		}
	}))
}

// errBody says that a request's body is not what was asked for.
var errBody = errors.New("body")

// read decodes the request's body strictly into v.
func read(r *http.Request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil && !errors.Is(err, io.EOF) {
		return errors.Join(errBody, err)
	}
	return nil
}

// controls registers what may be asked of a call.
func (a *api) controls(mux *http.ServeMux) {
	for name, do := range map[string]func(*bridge.Call, *http.Request) error{
		"say":      say,
		"message":  message,
		"pause":    func(c *bridge.Call, _ *http.Request) error { c.PauseAudio(true); return nil },
		"resume":   func(c *bridge.Call, _ *http.Request) error { c.PauseAudio(false); return nil },
		"dtmf":     dtmf,
		"transfer": transfer,
		"session":  a.update,
	} {
		mux.Handle("POST /api/v1/calls/{id}/"+name, a.control(do))
	}
}

// say has the agent say something.
func say(c *bridge.Call, r *http.Request) error {
	var body struct {
		Instructions string `json:"instructions"`
	}
	if err := read(r, &body); err != nil {
		return err
	}
	return c.Say(body.Instructions)
}

// message adds a message to the conversation.
func message(c *bridge.Call, r *http.Request) error {
	var body struct {
		Role    string `json:"role"`
		Text    string `json:"text"`
		Respond bool   `json:"respond"`
	}
	if err := read(r, &body); err != nil {
		return err
	}
	if body.Role == "" {
		body.Role = "system"
	}
	if (body.Role != "system" && body.Role != "user") || body.Text == "" {
		return errors.Join(errBody, errors.New(`{"role": "system" or "user", "text": "…", "respond": false} is needed`))
	}
	return c.Append(realtime.Message(body.Role, body.Text), body.Respond)
}

// update changes the session's properties: those in the body, all others stay.
func (a *api) update(c *bridge.Call, r *http.Request) error {
	if a.cfg.Properties == nil {
		return bridge.ErrUnable
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return errors.Join(errBody, err)
	}
	p, err := a.cfg.Properties(body)
	if err != nil {
		return errors.Join(errBody, err)
	}
	return c.Update(p)
}

// dtmf presses keys at the far end.
func dtmf(c *bridge.Call, r *http.Request) error {
	var body struct {
		Digits string `json:"digits"`
	}
	if err := read(r, &body); err != nil {
		return err
	}
	return c.SendDigits(r.Context(), body.Digits)
}

// transfer hands the caller over.
func transfer(c *bridge.Call, r *http.Request) error {
	var body struct {
		Target string `json:"target"`
	}
	if err := read(r, &body); err != nil {
		return err
	}
	if body.Target == "" {
		return errors.Join(errBody, errors.New(`{"target": "+14155550123"} is needed`))
	}
	return c.Transfer(r.Context(), body.Target)
}
