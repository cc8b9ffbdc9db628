package httptool_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/callgw/callgw/internal/httptool"
)

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*httptool.Config)
		want   string
	}{
		"no name":                  {func(c *httptool.Config) { c.Name = "" }, "name: empty"},
		"a strange method":         {func(c *httptool.Config) { c.Method = "HEAD" }, `method: "HEAD": use GET`},
		"a negative time-out":      {func(c *httptool.Config) { c.Timeout = -time.Second }, "timeout: -1s"},
		"a negative size":          {func(c *httptool.Config) { c.MaxResponse = -1 }, "max_response: -1"},
		"no URL":                   {func(c *httptool.Config) { c.URL = "" }, "url: not http"},
		"no host":                  {func(c *httptool.Config) { c.URL = "https:///x" }, "url: no host"},
		"another scheme":           {func(c *httptool.Config) { c.URL = "ftp://h/x" }, "url: not http"},
		"a placeholder for a host": {func(c *httptool.Config) { c.URL = "https://{city}/x" }, "must not choose the host"},
		"in a host":                {func(c *httptool.Config) { c.URL = "https://a.{city}.b/x" }, "must not choose the host"},
		"for a scheme":             {func(c *httptool.Config) { c.URL = "{city}://h/x" }, "url: not"},
		"a strange placeholder":    {func(c *httptool.Config) { c.URL = "https://h/{}" }, "belongs to no placeholder"},
		"an open brace":            {func(c *httptool.Config) { c.URL = "https://h/{city" }, "belongs to no placeholder"},
		"a fragment":               {func(c *httptool.Config) { c.URL = "https://h/x#y" }, "a fragment"},
		"credentials":              {func(c *httptool.Config) { c.URL = "https://u:" + credential + "@h/x" }, "Authorization"},
		"dots":                     {func(c *httptool.Config) { c.URL = "https://h/a/../b" }, ". or .."},
		"a broken port":            {func(c *httptool.Config) { c.URL = "https://h:x/" }, "not a URL"},
		"no such property":         {func(c *httptool.Config) { c.URL = "https://h/{town}" }, "{town} is none of"},
		"a broken schema":          {func(c *httptool.Config) { c.Parameters = json.RawMessage("{") }, "parameters: not JSON"},
		"a header without a name":  {func(c *httptool.Config) { c.Headers = map[string]string{"a b": credential} }, `headers: "a b"`},
		"a header of two lines":    {func(c *httptool.Config) { c.Headers = map[string]string{"A": credential + "\r\nB: c"} }, "control character"},
		"a header of ours":         {func(c *httptool.Config) { c.Headers = map[string]string{"callgw-signature": credential} }, "set by the gateway"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := httptool.Config{
				Name: "get_weather", URL: "https://h/{city}",
				Parameters: json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"}}}`),
			}
			c.change(&cfg)
			_, err := httptool.New(cfg)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want it to say %q", err, c.want)
			} else if strings.Contains(err.Error(), credential) {
				t.Errorf("a secret shows: %v", err)
			}
		})
	}
}

func TestNewNamesEveryFault(t *testing.T) {
	_, err := httptool.New(httptool.Config{Method: "X", Timeout: -1, Parameters: json.RawMessage("[]")})
	for _, want := range []string{"name:", "method:", "timeout:", "url:", "parameters:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	cfg := httptool.Config{Name: "crm", URL: "https://h/?key=hidden", Secret: secret, Headers: map[string]string{"Authorization": credential}}
	tool := tool(t, cfg)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		for _, v := range []any{cfg, &cfg, tool} {
			if got := fmt.Sprintf(verb, v); got != "httptool crm" {
				t.Errorf("%s of %T: %s", verb, v, got)
			}
		}
	}
	if tool.Name() != "crm" {
		t.Errorf("the name is %q", tool.Name())
	}
}
