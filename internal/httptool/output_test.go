package httptool_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/callgw/callgw/internal/httptool"
)

func TestOutput(t *testing.T) {
	long := strings.Repeat("é", 40)
	const note = " [cut off: the answer was longer than 31 bytes]"
	for name, c := range map[string]struct {
		status     int
		body, want string
	}{
		"JSON is made compact":            {200, " {\n \"a\" : [1, 2.50],\n \"b\": \"<x>\" }\n", `{"a":[1,2.50],"b":"<x>"}`},
		"text":                            {201, "22 degrees\n", "22 degrees"},
		"nought":                          {200, "0", "0"},
		"an empty string":                 {200, `""`, `""`},
		"false":                           {200, "false\n", "false"},
		"null":                            {200, "null", "null"},
		"an empty list":                   {200, "[ ]", "[]"},
		"nothing":                         {204, "", `{"status":204}`},
		"nothing, with 200":               {200, "", `{"status":200}`},
		"white space":                     {200, " \n", `{"status":200}`},
		"a byte order mark":               {200, "\uFEFF{ }", "{}"},
		"not UTF-8":                       {200, "caf\xe9", "caf\uFFFD"},
		"broken JSON is text":             {200, `{"a": `, `{"a":`},
		"as long as may be":               {200, strings.Repeat("x", 31), strings.Repeat("x", 31)},
		"longer":                          {200, strings.Repeat("x", 32), strings.Repeat("x", 31) + note},
		"cut between characters":          {200, long, strings.Repeat("é", 15) + note},
		"much longer":                     {200, strings.Repeat("y", 100000), strings.Repeat("y", 31) + note},
		"long JSON that is short compact": {200, "[1," + strings.Repeat(" ", 60) + "2]", "[1,2]"},
		"text behind much white space":    {200, strings.Repeat("\n", 1000) + "x", note},
	} {
		t.Run(name, func(t *testing.T) {
			base, client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			})
			got, err := tool(t, httptool.Config{URL: base, Client: client, MaxResponse: 31}).Call(t.Context(), weather)
			if err != nil || got != c.want {
				t.Errorf("output %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestWhatIsEchoedIsBlank(t *testing.T) {
	echo := func(status int) respond {
		return func(r *http.Request) (*http.Response, error) {
			headers, err := json.Marshal(r.Header)
			if err != nil {
				return nil, err
			}
			return answer(status, string(headers)+" "+credential+" "+secret), nil
		}
	}
	cfg := httptool.Config{Secret: secret, Headers: map[string]string{"Authorization": "Bearer " + credential, "X-Short": "abc", "Accept": "application/vnd.weather"}}
	out, err := offline(t, cfg, echo(200)).Call(t.Context(), weather)
	if err != nil || !strings.Contains(out, "***") || !strings.Contains(out, "abc") || !strings.Contains(out, "application/vnd.weather") || strings.Contains(out, credential) || strings.Contains(out, secret) {
		t.Errorf("output %s, %v", out, err)
	}
	failed := failure(t, t.Context(), offline(t, cfg, echo(500)), weather)
	if all := failed.Error() + failed.Unwrap().Error(); strings.Contains(all, credential) || strings.Contains(all, secret) || !strings.Contains(all, "***") {
		t.Errorf("error %s", all)
	}
}
