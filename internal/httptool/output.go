package httptool

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"
)

// headroom is how many times MaxResponse is read of an answer: JSON with white
// space may still fit once it is compact.
const headroom = 4

// output returns a successful answer as the model gets it. JSON is made compact,
// and what is falsy stays what it is: 0, "", false and null are answers.
func (t *Tool) output(resp *http.Response) (string, error) {
	limit := t.cfg.MaxResponse
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(headroom*limit)+1))
	if err != nil {
		return "", err
	}
	whole := len(body) <= headroom*limit
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\uFEFF")))
	if len(body) == 0 && whole {
		return fmt.Sprintf(`{"status":%d}`, resp.StatusCode), nil
	}
	var compact bytes.Buffer
	if whole && json.Compact(&compact, body) == nil {
		body = compact.Bytes()
	}
	return cut(t.blank(strings.ToValidUTF8(string(body), "\uFFFD")), limit, whole), nil
}

// cut shortens a text to limit bytes, between two characters, and says so.
func cut(s string, limit int, whole bool) string {
	if len(s) <= limit && whole {
		return s
	}
	kept := s[:min(limit, len(s))]
	for i := len(kept); i < len(s) && i > 0 && !utf8.RuneStart(s[i]); {
		i--
		kept = s[:i]
	}
	return kept + fmt.Sprintf(" [cut off: the answer was longer than %d bytes]", limit)
}

// blank hides the secret and the headers' values in what an endpoint echoes.
// Values of less than 8 bytes stay, and those of headers that only negotiate:
// they are no credentials, and may well be words of the answer.
func (t *Tool) blank(s string) string { return t.secrets.Replace(s) }

func blanker(cfg Config) *strings.Replacer {
	var pairs []string
	hide := func(value string) {
		if len(value) >= 8 {
			pairs = append(pairs, value, "***")
		}
	}
	hide(cfg.Secret)
	for name, value := range cfg.Headers {
		switch http.CanonicalHeaderKey(name) {
		case "Accept", "Accept-Language", "Content-Type", "Host", "User-Agent":
			continue
		}
		hide(value)
		// Echoes often come without the scheme of the credentials (RFC 9110 §11.4).
		if _, credentials, ok := strings.Cut(value, " "); ok {
			hide(credentials)
		}
	}
	return strings.NewReplacer(pairs...)
}
