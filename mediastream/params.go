package mediastream

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

// renamed returns params with what it has under a carrier's names also under
// Twilio's: pairs of those, theirs first.
func renamed(params url.Values, pairs ...string) url.Values {
	for i := 0; i < len(pairs); i += 2 {
		if value := params.Get(pairs[i]); value != "" {
			params.Set(pairs[i+1], value)
		}
	}
	return params
}

// jsonParams returns the strings, numbers and truths of an object, and the
// parameters of the URL.
func jsonParams(r *http.Request, body []byte) (url.Values, error) {
	params := r.URL.Query()
	if len(body) == 0 {
		return params, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, fmt.Errorf("mediastream: webhook: %w", err)
	}
	for name, raw := range members {
		value := loose(raw)
		if text := string(raw); text == "true" || text == "false" {
			value = text
		}
		if value != "" {
			params.Set(name, value)
		}
	}
	return params, nil
}

// international returns a number with the plus sign that some carriers leave
// out; anything else as it is.
func international(number string) string {
	if number != "" && strings.Trim(number, "0123456789") == "" && number[0] != '0' {
		return "+" + number
	}
	return number
}

// lowered gives what a peer calls from and to the names that a webhook has.
func lowered(params url.Values) {
	for name, values := range maps.Clone(params) {
		switch strings.ToLower(name) {
		case "from":
			params["From"] = values
		case "to":
			params["To"] = values
		}
	}
}
