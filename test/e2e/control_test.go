package e2e_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// post asks something of a call over HTTP.
func (g *Gateway) post(t *testing.T, path, body string) (status int, answer string) {
	t.Helper()
	return g.http(t, "POST", path, body)
}

func (g *Gateway) http(t *testing.T, method, path, body string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(within(t), method, g.URL("admin")+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var b strings.Builder
	if _, err := io.Copy(&b, response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, b.String()
}

// TestACallIsControlledOverHTTP changes a session, speaks through the agent, and
// reads the conversation back.
func TestACallIsControlledOverHTTP(t *testing.T) {
	t.Parallel()
	g := start(t, Setup{})
	p := g.phone(sipLeg, 0)
	path := "/api/v1/calls/" + g.Registry().Calls()[0].Facts().ID

	if status, answer := g.post(t, path+"/session", `{"instructions": "Be brief."}`); status != http.StatusOK {
		t.Fatalf("%d %s", status, answer)
	}
	if err := p.Session.Wait(within(t), func() bool { return p.Session.Settings().Instructions == "Be brief." }); err != nil {
		t.Fatal(err)
	}
	if status, answer := g.post(t, path+"/session", `{"voize": "x"}`); status != http.StatusBadRequest || !strings.Contains(answer, "voice") {
		t.Errorf("an unknown key: %d %s", status, answer)
	}
	if status, answer := g.post(t, path+"/message", `{"role": "user", "text": "What day is it?", "respond": true}`); status != http.StatusOK {
		t.Fatalf("%d %s", status, answer)
	}
	if _, err := p.Session.WaitEvent(within(t), "response.done", 2); err != nil {
		t.Fatal(err)
	}
	var conversation struct {
		Items []struct{ Origin, Role, Generated string }
	}
	status, answer := g.http(t, "GET", path+"/conversation", "")
	if err := json.Unmarshal([]byte(answer), &conversation); status != http.StatusOK || err != nil {
		t.Fatalf("%d %s", status, answer)
	}
	var said []string
	for _, i := range conversation.Items {
		said = append(said, i.Origin+": "+i.Generated)
	}
	if all := strings.Join(said, "\n"); !strings.Contains(all, "ours: What day is it?") || !strings.Contains(all, "model: Hello") {
		t.Errorf("the conversation is\n%s", all)
	}
}
