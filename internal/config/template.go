package config

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/template"

	"github.com/callgw/callgw/dialplan"
	"github.com/callgw/callgw/realtime"
)

// maxRendered is how long a rendered text may be, in bytes.
const maxRendered = 256 << 10

// Template is a text with [Variables] in it.
type Template struct {
	source string
	parsed *template.Template // nil: nothing to replace
}

// parseTemplate compiles a text and tries it on a call without particulars.
func parseTemplate(source string) (*Template, error) {
	t := &Template{source: source}
	if !strings.Contains(source, "{{") {
		return t, nil
	}
	parsed, err := template.New("").Option("missingkey=error").Parse(source)
	if err != nil {
		return nil, err
	}
	t.parsed = parsed
	if _, err := t.Render(Variables{}); err != nil {
		return nil, errors.Unwrap(err)
	}
	return t, nil
}

// Render returns the text for a call. A nil template is empty.
func (t *Template) Render(v Variables) (string, error) {
	switch {
	case t == nil:
		return "", nil
	case t.parsed == nil:
		return t.source, nil
	}
	var b strings.Builder
	if err := t.parsed.Execute(&capped{w: &b, left: maxRendered}, v); err != nil {
		return "", fmt.Errorf("config: render template: %w", err)
	}
	return b.String(), nil
}

// capped is a writer that fails rather than take too much.
type capped struct {
	w    io.Writer
	left int
}

func (c *capped) Write(p []byte) (int, error) {
	if c.left -= len(p); c.left < 0 {
		return 0, fmt.Errorf("longer than %d bytes", maxRendered)
	}
	return c.w.Write(p)
}

// template compiles the text at key and reports what is wrong with it, if it
// is the file that says so.
func (k *checker) template(key, source string) *Template {
	t, err := parseTemplate(source)
	if err == nil {
		return t
	}
	if !k.doc.Has(key) {
		return nil // a route's copy of the agent's
	}
	message := "the template is wrong"
	if !k.doc.Expanded(key) {
		message += ": " + templateProblem(err)
	}
	k.fail(key, message, `use {{.From}}, {{.To}}, {{.Trunk}}, {{.Leg}}, {{.ID}}, {{.Header "X-Name"}} or {{.Param "name"}}`)
	return nil
}

// templateProblem leaves out what the template package says about itself.
func templateProblem(err error) string {
	return strings.NewReplacer(
		"template: :", "", "template: ", "", `executing "" at `, "", " in type config.Variables", "",
	).Replace(err.Error())
}

// Properties returns the session's settings for a call, its templates rendered.
func (a *Agent) Properties(c dialplan.Call) (realtime.Properties, error) {
	v := VariablesOf(c)
	p := a.Session
	var err error
	if p.Instructions, err = a.instructions.Render(v); err != nil {
		return p, err
	}
	if p.InputAudioTranscription != nil {
		t := *p.InputAudioTranscription
		if t.Prompt, err = a.prompt.Render(v); err != nil {
			return p, err
		}
		p.InputAudioTranscription = &t
	}
	return p, nil
}

// GreetingFor returns what the model is told to say first in a call, empty if
// the greeting is none or a recording.
func (a *Agent) GreetingFor(c dialplan.Call) (string, error) { return a.say.Render(VariablesOf(c)) }
