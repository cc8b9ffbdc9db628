package httptool

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// target is the URL of a tool, with placeholders.
type target struct {
	parts []part
	names map[string]bool // of the placeholders
	query bool            // other arguments go there
}

// part is a piece of a target: a text as it is, or a placeholder.
type part struct {
	text    string
	name    string              // of the argument; empty: text
	escaped func(string) string // how the argument's value is written
}

// parseTarget reads a URL template.
func parseTarget(template string, query bool) (*target, error) {
	placeholder := regexp.MustCompile(`\{([A-Za-z_][A-Za-z0-9_-]*)\}`)
	t := &target{names: map[string]bool{}, query: query}
	inQuery, at := strings.IndexByte(template, '?'), 0
	for _, m := range placeholder.FindAllStringSubmatchIndex(template, -1) {
		name, escaped := template[m[2]:m[3]], url.PathEscape
		if inQuery >= 0 && m[0] > inQuery {
			escaped = url.QueryEscape
		}
		t.parts = append(t.parts, part{text: template[at:m[0]]}, part{name: name, escaped: escaped})
		t.names[name] = true
		at = m[1]
	}
	t.parts = append(t.parts, part{text: template[at:]})

	for _, p := range t.parts {
		if strings.ContainsAny(p.text, "{}") {
			return nil, errors.New("a brace that belongs to no placeholder: write one as {city}, its name a word")
		}
	}
	one, err := t.sample("1")
	if err != nil {
		return nil, err
	}
	two, err := t.sample("22")
	if err != nil {
		return nil, err
	}
	switch {
	case one.Scheme != "http" && one.Scheme != "https":
		return nil, errors.New("not http or https")
	case one.Host == "":
		return nil, errors.New("no host")
	case one.User != nil:
		return nil, errors.New("credentials before the host: put them into a header, Authorization")
	case one.Host != two.Host:
		return nil, errors.New("a placeholder before the path: the model must not choose the host")
	case one.Fragment != "":
		return nil, errors.New("a fragment (#…): servers never see it: remove it")
	case hasDots(one):
		return nil, errors.New("a path with . or .. in it: write where it leads")
	}
	return t, nil
}

// unknown finds a placeholder that no property of the parameters fills.
func (t *target) unknown(parameters json.RawMessage) error {
	var schema struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if json.Unmarshal(parameters, &schema) != nil || schema.Properties == nil {
		return nil // refused as a schema, or open
	}
	for _, p := range t.parts {
		if _, ok := schema.Properties[p.name]; p.name != "" && !ok {
			return fmt.Errorf("url: {%s} is none of the parameters' properties: add it there, or correct it", p.name)
		}
	}
	return nil
}

// sample returns the URL with one value for all placeholders.
func (t *target) sample(value string) (*url.URL, error) {
	u, err := url.Parse(t.write(func(part) string { return value }))
	if err != nil {
		return nil, fmt.Errorf("not a URL: %w", bare(err))
	}
	return u, nil
}

func (t *target) write(value func(part) string) string {
	var b strings.Builder
	for _, p := range t.parts {
		if p.name == "" {
			b.WriteString(p.text)
		} else {
			b.WriteString(value(p))
		}
	}
	return b.String()
}

// expand returns the URL for arguments. Its errors are for the model.
func (t *target) expand(arguments map[string]any) (*url.URL, error) {
	var faults []error
	u, err := url.Parse(t.write(func(p part) string {
		value, err := scalar(p.name, arguments[p.name])
		if err != nil {
			faults = append(faults, err)
		}
		return p.escaped(value)
	}))
	if len(faults) > 0 {
		return nil, faults[0]
	}
	// What goes into a path is a segment's text, never a way to another one
	// (RFC 3986 §5.2.4): servers and proxies resolve dots.
	if err != nil || hasDots(u) {
		return nil, errors.New("the arguments make no valid address")
	}
	if t.query {
		rest := url.Values{}
		for name, value := range arguments {
			if !t.names[name] && value != nil {
				rest.Set(name, text(value))
			}
		}
		if u.RawQuery != "" && len(rest) > 0 {
			u.RawQuery += "&"
		}
		u.RawQuery += rest.Encode()
	}
	return u, nil
}

func hasDots(u *url.URL) bool {
	for segment := range strings.SplitSeq(u.Path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// scalar returns the text of an argument that a placeholder stands for.
func scalar(name string, value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "", fmt.Errorf("the argument %s is missing", name)
	case []any, map[string]any:
		return "", fmt.Errorf("the argument %s must be a string, a number or a boolean", name)
	case string:
		if v == "" {
			return "", fmt.Errorf("the argument %s must not be empty", name)
		}
	}
	return text(value), nil
}

// text returns a string as it is, everything else as JSON.
func text(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	encoded, _ := json.Marshal(value) // what was decoded from JSON can be encoded
	return string(encoded)
}
