package realtime

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
)

// MCPServer is a server of tools that the provider itself calls, by the Model
// Context Protocol. GA only.
type MCPServer struct {
	Label       string // 1 to 64 letters, digits, _ and -
	URL         string // https://…; either this or ConnectorID
	ConnectorID string // a connector that the provider maintains, such as connector_gmail
	Description string // for the model

	Authorization string            // a token for the server: secret
	Headers       map[string]string // sent to the server by the provider: secret

	AllowedTools []string // that the model may use; nil: all, empty: none

	// Approval is never (also if empty): the provider calls the tools at once;
	// or always: it asks before each call, and Approve decides.
	Approval string

	// Approve decides about a call; true lets it happen. It must be set if
	// Approval is always, and makes it always if that is empty. It is called in
	// a goroutine of its own and must not wait long: Run waits for it. A panic
	// refuses.
	Approve func(name string, arguments json.RawMessage) bool

	// RespondAfterApproval asks for a response when all approvals of a response
	// are given. Whether the provider goes on by itself then is not documented:
	// set this if calls stay silent after an approval. A refusal is always
	// followed by a response, as nothing else will be.
	RespondAfterApproval bool
}

// The values of [MCPServer.Approval].
const (
	ApprovalNever  = "never"
	ApprovalAlways = "always"
)

// String names the server without its secrets.
func (m MCPServer) String() string { return fmt.Sprintf("MCP server %q", m.Label) }

// GoString is String.
func (m MCPServer) GoString() string { return m.String() }

// asks tells whether calls need an approval.
func (m MCPServer) asks() bool { return m.Approval == ApprovalAlways || m.Approve != nil }

// validate returns every fault of m, joined; each is an [OptionError]. Values
// are not repeated: they may be secret.
func (m MCPServer) validate() error {
	var f faults
	option := fmt.Sprintf("mcp[%s]", m.Label)
	if !toolName.MatchString(m.Label) {
		f.add(option+".label", "is not 1 to 64 letters, digits, _ or -")
	}
	switch {
	case m.URL != "" && m.ConnectorID != "":
		f.add(option, "has both a url and a connector_id; one of them is the server")
	case m.URL == "" && m.ConnectorID == "":
		f.add(option, "has neither a url nor a connector_id")
	case m.URL != "":
		if u, err := url.Parse(m.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			f.add(option+".url", "is not of the form https://host/path")
		}
	}
	if slices.Contains(m.AllowedTools, "") {
		f.add(option+".allowed_tools", "has an empty entry")
	}
	f.oneOf(option+".approval", m.Approval, ApprovalNever, ApprovalAlways)
	switch {
	case m.Approval == ApprovalAlways && m.Approve == nil:
		f.add(option+".approval", "is always, and there is nobody to ask: set a policy, or allow only the tools that need none")
	case m.Approval == ApprovalNever && m.Approve != nil:
		f.add(option+".approval", "is never, and there is a policy that would not be asked")
	}
	return errors.Join(f...)
}

// tool returns how the server is declared.
func (m MCPServer) tool() (Tool, error) {
	w := map[string]any{"type": "mcp", "server_label": m.Label, "require_approval": ApprovalNever}
	for name, value := range map[string]string{
		"server_url":         m.URL,
		"connector_id":       m.ConnectorID,
		"server_description": m.Description,
		"authorization":      m.Authorization,
	} {
		if value != "" {
			w[name] = value
		}
	}
	if len(m.Headers) > 0 {
		w["headers"] = maps.Clone(m.Headers)
	}
	if m.AllowedTools != nil {
		w["allowed_tools"] = m.AllowedTools
	}
	if m.asks() {
		w["require_approval"] = ApprovalAlways
	}
	raw, err := json.Marshal(w)
	return Tool{Raw: raw}, err
}
