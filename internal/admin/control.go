package admin

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/realtime"
)

// maxBody bounds what the API reads of a request.
const maxBody = 64 << 10

// control serves one thing that may be asked of a call: do reads the request's
// body into whatever it needs.
func (a *api) control(do func(c bridge.Operator, r *http.Request) error) http.Handler {
	return a.authorised(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := a.cfg.Registry.Call(r.PathValue("id"))
		if c == nil {
			refuse(w, http.StatusNotFound, noSuchCall)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		switch err := do(c.Operator(), r); {
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

// bodyError returns an errBody in one line.
func bodyError(err error) error {
	return fmt.Errorf("%w: %s", errBody, strings.ReplaceAll(err.Error(), "\n", "; "))
}

// read decodes the request's body strictly into the struct that v points to.
func read(r *http.Request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	problem := strings.TrimPrefix(err.Error(), "json: ")
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) { // whose text speaks of Go
		problem = fmt.Sprintf("%s cannot be a %s", cmp.Or(wrong.Field, "it"), wrong.Value)
	}
	return fmt.Errorf("%w: %s: a JSON object is needed, its members are %s", errBody, problem, strings.Join(members(v), ", "))
}

// members returns the names that the struct behind v has in JSON.
func members(v any) []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeOf(v).Elem()) {
		names = append(names, f.Tag.Get("json"))
	}
	return names
}

// controls registers what may be asked of a call.
func (a *api) controls(mux *http.ServeMux) {
	for name, do := range map[string]func(bridge.Operator, *http.Request) error{
		"say":      say,
		"message":  message,
		"pause":    func(c bridge.Operator, _ *http.Request) error { c.PauseAudio(true); return nil },
		"resume":   func(c bridge.Operator, _ *http.Request) error { c.PauseAudio(false); return nil },
		"dtmf":     dtmf,
		"transfer": transfer,
		"session":  a.update,
	} {
		mux.Handle("POST /api/v1/calls/{id}/"+name, a.control(do))
	}
}

// say has the agent say something: without instructions, whatever comes next in
// the conversation.
func say(c bridge.Operator, r *http.Request) error {
	var body struct {
		Instructions string `json:"instructions"`
	}
	if err := read(r, &body); err != nil {
		return err
	}
	return c.Say(body.Instructions)
}

// message adds a message to the conversation.
func message(c bridge.Operator, r *http.Request) error {
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
		return bodyError(errors.New(`{"role": "system" or "user", "text": "…", "respond": false} is needed`))
	}
	return c.Append(realtime.Message(body.Role, body.Text), body.Respond)
}

// update changes the session's properties: those in the body, all others stay.
func (a *api) update(c bridge.Operator, r *http.Request) error {
	if a.cfg.Properties == nil {
		return bridge.ErrUnable
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return bodyError(err)
	}
	p, err := a.cfg.Properties(body)
	if err != nil {
		return bodyError(err)
	}
	return c.Update(p)
}

// dtmf presses keys at the far end.
func dtmf(c bridge.Operator, r *http.Request) error {
	var body struct {
		Digits string `json:"digits"`
	}
	if err := read(r, &body); err != nil {
		return err
	}
	if err := bridge.CheckDigits(body.Digits); err != nil {
		return bodyError(err)
	}
	return c.SendDigits(r.Context(), body.Digits)
}

// transfer hands the caller over.
func transfer(c bridge.Operator, r *http.Request) error {
	var body struct {
		Target string `json:"target"`
	}
	if err := read(r, &body); err != nil {
		return err
	}
	if body.Target == "" {
		return bodyError(errors.New(`{"target": "+14155550123"} is needed`))
	}
	return c.Transfer(r.Context(), body.Target)
}
