package config

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/callgw/callgw/internal/toolschema"
)

// Tool is something that the model may do during a call: one of an HTTP request,
// a builtin, or the tools of an MCP server.
type Tool struct {
	// Name by which the model calls it. Default of a builtin: its own.
	Name string `yaml:"name"`
	// Description tells the model when to call it.
	Description string `yaml:"description"`
	// Parameters is the JSON Schema of the arguments. Default: none.
	Parameters any `yaml:"parameters"`

	HTTP *HTTPTool `yaml:"http"`
	// Builtin is hang_up, once the farewell was heard; transfer, to a target of
	// Allow; or send_dtmf.
	Builtin string `yaml:"builtin" oneof:"hang_up transfer send_dtmf"`
	MCP     *MCP   `yaml:"mcp"`

	// Allow lists the targets of transfer, with * and ?.
	Allow []string `yaml:"allow"`
	// Timeout of one call. Default 15s.
	Timeout time.Duration `yaml:"timeout"`
	// OnInterrupt says what happens to a call under way when the caller
	// interrupts: keep, or cancel. Default keep.
	OnInterrupt string `yaml:"on_interrupt" oneof:"keep cancel"`
	// Wait is what the caller gets when it takes long.
	Wait Wait `yaml:"wait"`

	// Schema is Parameters as JSON.
	Schema json.RawMessage `yaml:"-"`
}

// HTTPTool is a request to an endpoint of the operator's.
type HTTPTool struct {
	// Method. Default POST.
	Method string `yaml:"method" oneof:"GET POST PUT PATCH DELETE"`
	// URL, with {argument} where an argument belongs.
	URL string `yaml:"url"`
	// Headers are sent with the request.
	Headers map[string]Secret `yaml:"headers"`
	// Secret signs the request: see the header Callgw-Signature.
	Secret Secret `yaml:"secret"`
	// Timeout of one attempt. Default 5s.
	Timeout time.Duration `yaml:"timeout"`
	// Idempotent says that a POST or PATCH may be tried again. Default false.
	Idempotent bool `yaml:"idempotent"`
}

// MCP is a server whose tools the provider calls by itself.
type MCP struct {
	ServerLabel string `yaml:"server_label"`
	ServerURL   string `yaml:"server_url"`
	// AllowedTools are those that the model may see. Default: all.
	AllowedTools []string `yaml:"allowed_tools"`
	// Authorization is a token for the server.
	Authorization Secret            `yaml:"authorization"`
	Headers       map[string]Secret `yaml:"headers"`
	// Approve lists the tools that may be called, with * and ?; calls of others
	// are refused. Default: all, and the provider does not ask.
	Approve []string `yaml:"approve"`
}

// Wait is what the caller gets while a tool takes long: what the model is told
// to say, or a recording.
type Wait struct {
	// After is how long a tool may take before. Default 2s.
	After time.Duration `yaml:"after"`
	Say   string        `yaml:"say"`
	Play  string        `yaml:"play"`
}

const (
	defaultToolTimeout = 15 * time.Second
	defaultWaitAfter   = 2 * time.Second
)

// toolName is what providers accept.
var toolName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func (t *Tool) complete() {
	if t.Name == "" {
		t.Name = t.Builtin
	}
	if t.Timeout == 0 {
		t.Timeout = defaultToolTimeout
	}
	if t.HTTP != nil && t.HTTP.Method == "" {
		t.HTTP.Method = "POST"
	}
	if t.Wait.After == 0 {
		t.Wait.After = defaultWaitAfter
	}
}

func (k *checker) tools(key string, tools []Tool) {
	names := map[string]bool{}
	for i := range tools {
		tools[i].check(k, fmt.Sprintf("%s[%d]", key, i), names)
	}
}

func (t *Tool) check(k *checker, key string, names map[string]bool) {
	kinds := 0
	for _, is := range []bool{t.HTTP != nil, t.Builtin != "", t.MCP != nil} {
		if is {
			kinds++
		}
	}
	if kinds != 1 {
		k.fail(key, "is not exactly one of http, builtin, mcp", "keep one of the three")
		return
	}
	if t.MCP != nil {
		t.MCP.check(k, key+".mcp", names)
		return
	}
	switch {
	case t.Name == "":
		k.fail(key+".name", "missing", "name it as the model shall call it, such as get_weather")
	case !toolName.MatchString(t.Name):
		k.fail(key+".name", k.quote(key+".name", t.Name)+" is no name of a tool", "use letters, digits, _ and -, at most 64")
	case names[t.Name]:
		k.fail(key+".name", k.quote(key+".name", t.Name)+" is taken by another tool", "name each tool once")
	}
	names[t.Name] = true
	if t.Builtin != "transfer" && t.Allow != nil {
		k.fail(key+".allow", "only transfer has targets", "remove it")
	}
	if t.Builtin == "transfer" && len(t.Allow) == 0 {
		k.fail(key+".allow", "missing: the model could call anybody", `list the targets, such as ["+1415555*", "sip:*@pbx.example.com"]`)
	}
	if t.Builtin != "" && t.Parameters != nil {
		k.fail(key+".parameters", "a builtin has its own", "remove it")
	}
	if t.Wait.Say != "" && t.Wait.Play != "" {
		k.fail(key+".wait", "both say and play", "keep one of the two")
	}
	k.recording(key+".wait.play", &t.Wait.Play)
	t.checkSchema(k, key)
	if t.HTTP != nil {
		t.HTTP.check(k, key+".http")
		if t.Description == "" {
			k.warn(key+".description", "missing: the model must guess what the tool is for", "say when to call it, in a sentence")
		}
	}
}

func (t *Tool) checkSchema(k *checker, key string) {
	if t.Parameters == nil {
		return
	}
	schema, err := json.Marshal(t.Parameters)
	if err == nil {
		_, err = toolschema.Compile(schema)
	}
	if err != nil {
		k.fail(key+".parameters", "is no JSON Schema of an object: "+strings.TrimPrefix(err.Error(), "toolschema: parameters: "), "begin with {type: object, properties: {…}}")
		return
	}
	t.Schema = schema
}

func (h *HTTPTool) check(k *checker, key string) {
	if !strings.HasPrefix(h.URL, "https://") && !strings.HasPrefix(h.URL, "http://") {
		k.fail(key+".url", k.quote(key+".url", h.URL)+" is neither https nor http", "write https://tools.example.com/weather")
	}
	if h.Timeout < 0 {
		k.fail(key+".timeout", "negative", "write 5s")
	}
}

func (m *MCP) check(k *checker, key string, names map[string]bool) {
	switch {
	case m.ServerLabel == "":
		k.fail(key+".server_label", "missing", "name the server, such as crm")
	case names["mcp "+m.ServerLabel]:
		k.fail(key+".server_label", k.quote(key+".server_label", m.ServerLabel)+" is taken by another server", "label each server once")
	}
	names["mcp "+m.ServerLabel] = true
	if !strings.HasPrefix(m.ServerURL, "https://") && !strings.HasPrefix(m.ServerURL, "http://") {
		k.fail(key+".server_url", k.quote(key+".server_url", m.ServerURL)+" is neither https nor http", "write https://mcp.example.com")
	}
}
