package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/dialplan"
	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/internal/httptool"
	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/realtime"
)

// equip gives an agent its tools for one call.
func (g *Gateway) equip(out *bridge.Agent, a *config.Agent, call dialplan.Call) error {
	for i := range a.Tools {
		t := &a.Tools[i]
		var err error
		switch {
		case t.HTTP != nil:
			err = g.equipHTTP(out, t, call)
		case t.MCP != nil:
			out.MCP = append(out.MCP, mcpServer(t.MCP))
		default:
			out.Builtins = append(out.Builtins, g.builtin(t))
		}
		if err != nil {
			return fmt.Errorf("tool %s: %w", t.Name, err)
		}
		if t.Wait.Say == "" && t.Wait.Play == "" {
			continue
		}
		if out.Waits == nil {
			out.Waits = map[string]bridge.Wait{}
		}
		audio, err := recording(t.Wait.Play)
		if err != nil {
			return err
		}
		out.Waits[t.Name] = bridge.Wait{Say: t.Wait.Say, Audio: audio}
	}
	return nil
}

// equipHTTP adds a tool that is an HTTP request.
func (g *Gateway) equipHTTP(out *bridge.Agent, t *config.Tool, call dialplan.Call) error {
	headers := make(map[string]string, len(t.HTTP.Headers))
	for name, value := range t.HTTP.Headers {
		headers[name] = value.Reveal()
	}
	tool, err := httptool.New(httptool.Config{
		Name: t.Name, Method: t.HTTP.Method, URL: t.HTTP.URL, Headers: headers,
		Timeout: t.HTTP.Timeout, Secret: t.HTTP.Secret.Reveal(), Parameters: t.Schema,
		Idempotent: t.HTTP.Idempotent, Client: g.toolClient,
	})
	if err != nil {
		return err
	}
	f := realtime.Function{
		Name: t.Name, Description: t.Description, Parameters: t.Schema, Timeout: t.Timeout,
		Handle: func(ctx context.Context, fc realtime.FunctionCall) (any, error) {
			answer, err := tool.Call(ctx, httptool.Call{
				CallID: call.ID, ToolCallID: fc.CallID, From: call.From, To: call.To, Agent: out.Name,
				Arguments: fc.Arguments,
			})
			if why := errors.Unwrap(err); why != nil {
				g.log.Warn().Err(why).Str("call", call.ID).Str("tool", t.Name).Msg("tool failed")
			}
			return answer, err
		},
	}
	if t.OnInterrupt == "cancel" {
		f.OnInterrupt = realtime.Cancel
	}
	if t.Wait.Say != "" || t.Wait.Play != "" {
		f.SlowAfter = t.Wait.After
	}
	out.Functions = append(out.Functions, f)
	return nil
}

func (g *Gateway) builtin(t *config.Tool) bridge.Builtin {
	return bridge.Builtin{
		Kind: bridge.BuiltinKind(t.Builtin), Name: t.Name, Description: t.Description,
		Allowed: targets(t.Allow),
		// The leg's own end of patience says why, and the agent may be speaking before.
		Timeout: max(g.cfg.SIP.TransferTimeout, mediastream.DefaultTransferTimeout) + 30*time.Second,
	}
}

func mcpServer(m *config.MCP) realtime.MCPServer {
	s := realtime.MCPServer{
		Label: m.ServerLabel, URL: m.ServerURL, Authorization: m.Authorization.Reveal(), AllowedTools: m.AllowedTools,
	}
	for name, value := range m.Headers {
		if s.Headers == nil {
			s.Headers = map[string]string{}
		}
		s.Headers[name] = value.Reveal()
	}
	if m.Approve != nil {
		approved := anyOf(m.Approve)
		s.Approve = func(name string, _ json.RawMessage) bool { return approved(name) }
	}
	return s
}

// anyOf returns a function that tells whether a text fits one of some patterns,
// in which * stands for any run of characters and ? for any one.
func anyOf(patterns []string) func(string) bool {
	if len(patterns) == 0 {
		return func(string) bool { return false }
	}
	alternatives := make([]string, len(patterns))
	for i, p := range patterns {
		quoted := regexp.QuoteMeta(p)
		alternatives[i] = strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(quoted)
	}
	whole := regexp.MustCompile("^(?:" + strings.Join(alternatives, "|") + ")$")
	return whole.MatchString
}

// newToolClient returns the HTTP client of the tools.
func newToolClient() *http.Client {
	return &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
}
