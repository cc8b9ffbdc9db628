package config

import "github.com/callgw/callgw/internal/config/strict"

// Greeting is what the caller hears first: what the model is told to say, or a
// recording, or nothing.
type Greeting struct {
	// Say is an instruction for the model's first response; a template.
	Say string `yaml:"say"`
	// File is a WAV file that is played instead.
	File string `yaml:"file"`
	// Text is what the recording says, for the model to know.
	Text string `yaml:"text"`
}

// UnmarshalYAML takes the object, or none (the word, or false).
func (g *Greeting) UnmarshalYAML(unmarshal func(any) error) error {
	var word any
	if unmarshal(&word) == nil && (word == "none" || word == false) {
		*g = Greeting{}
		return nil
	}
	switch word.(type) {
	case nil, map[string]any, []any:
	default:
		return &strict.ValueError{Problem: "not a mapping", Remedy: "write {say: what the model is told to say}, or none"}
	}
	type plain Greeting
	var p plain
	if err := unmarshal(&p); err != nil {
		return err
	}
	*g = Greeting(p)
	return nil
}

func (g *Greeting) check(k *checker, key string) {
	switch {
	case g.Say != "" && g.File != "":
		k.fail(key, "both say and file", "keep one of the two")
	case g.Text != "" && g.File == "":
		k.fail(key+".text", "text without file", "name the recording that says it, or use say")
	case g.File != "" && g.Text == "":
		k.warn(key+".file", "the model does not know what the recording says", "write it under text")
	case g.Say == "" && k.doc.Has(key+".say"):
		k.fail(key+".say", "empty", "write what to say, or none instead of the mapping")
	}
	k.recording(key+".file", &g.File)
}
