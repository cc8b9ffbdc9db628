package modelwatch

import (
	"net/url"
	"strings"

	"github.com/callgw/callgw/realtime"
)

// Target is a provider and those of its models that are in use.
type Target struct {
	Provider realtime.Provider // complete: see [realtime.Provider.WithDefaults]
	Models   []string
}

// endpoint returns where the provider lists its models. Only those that are
// known to have such a list, by their wss://…/v1/realtime, and that know us, by
// a key, are asked: others may take any request for a call.
func (t Target) endpoint() (string, bool) {
	u, err := url.Parse(t.Provider.BaseURL)
	if err != nil || u.Scheme != "wss" || t.Provider.APIKey == "" || t.Provider.APIKey == "none" {
		return "", false
	}
	base, ok := strings.CutSuffix(u.Path, "/v1/realtime")
	if !ok {
		return "", false
	}
	list := url.URL{Scheme: "https", Host: u.Host, Path: base + "/v1/models"}
	return list.String(), true
}
