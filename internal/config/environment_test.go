package config_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/dialplan"
	"github.com/callgw/callgw/internal/config"
)

func TestWithoutFileAndEnvironment(t *testing.T) {
	c, warnings, err := config.Load("", nothing)
	if err != nil {
		t.Fatal(err)
	}
	want := "environment: providers.openai.api_key: no key: the embedded Realtime server answers, not a model; set OPENAI_API_KEY\n"
	if diff := cmp.Diff(want, lines("", warnings)); diff != "" {
		t.Error(diff)
	}
	if !c.Providers["openai"].Embedded() || c.MediaStreams.Twilio != nil || c.HTTP.Listen != "127.0.0.1:8080" || c.Admin.Listen != "127.0.0.1:9090" {
		t.Errorf("got %+v", c)
	}
	if agent := c.Agent(c.Dialplan.Decide(dialplan.Call{Trunk: "local"})); agent == nil || agent.Name != "assistant" || agent.Greeting.Say == "" {
		t.Errorf("got agent %+v", agent)
	}
	for _, l := range c.SIP.Listen {
		if l.Addr != "127.0.0.1:5060" {
			t.Errorf("listens on %v", l)
		}
	}
}

func TestEnvironmentWithoutFile(t *testing.T) {
	set := map[string]string{
		"OPENAI_API_KEY": "sk-x", "TWILIO_AUTH_TOKEN": "tok", "CALLGW_PUBLIC_URL": "https://voice.example.com",
		"CALLGW_ADMIN_LISTEN": ":9091", "CALLGW_ADMIN_TOKEN": "adm", "CALLGW_INSTRUCTIONS": "Say: \"hi\"\n# to {{.From}}",
		"CALLGW_MODEL": "gpt-realtime-2.1-mini", "CALLGW_VOICE": "", "CALLGW_LOG_LEVEL": "debug",
	}
	env := func(name string) (string, bool) { v, ok := set[name]; return v, ok }
	c, warnings, err := config.Load("", env)
	if err != nil || warnings != nil {
		t.Fatal(err, warnings)
	}
	p := c.Providers["openai"]
	if p.Embedded() || p.APIKey.Reveal() != "sk-x" || p.Model != "gpt-realtime-2.1-mini" || c.MediaStreams.Twilio.AuthToken.Reveal() != "tok" ||
		c.Admin.Listen != ":9091" || c.Admin.Token.Reveal() != "adm" || c.Log.Level != "debug" {
		t.Errorf("got %+v", c)
	}
	call := dialplan.Call{From: "+1"}
	props, err := c.Agent(c.Dialplan.Decide(call)).Properties(call)
	if err != nil || props.Instructions != "Say: \"hi\"\n# to +1" {
		t.Errorf("got %q, %v", props.Instructions, err)
	}
}

func TestFaultsOfTheEnvironment(t *testing.T) {
	set := map[string]string{"CALLGW_LOG_LEVEL": "verysecret", "CALLGW_ADMIN_LISTEN": "x", "TWILIO_AUTH_TOKEN": "t"}
	_, warnings, err := config.Load("", func(name string) (string, bool) { v, ok := set[name]; return v, ok })
	var faults *config.Error
	if !errors.As(err, &faults) {
		t.Fatalf("got %v", err)
	}
	want := `environment: admin.listen: "${CALLGW_ADMIN_LISTEN}" is not host:port; write 0.0.0.0:5060, :8080 or "[::]:5060"
environment: log.level: "${CALLGW_LOG_LEVEL}" is none of trace, debug, info, warn, error; use one of trace, debug, info, warn, error`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
	if len(warnings) != 2 {
		t.Errorf("got %v, want one for the key and one for the URL", warnings)
	}
}
