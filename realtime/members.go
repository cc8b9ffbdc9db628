package realtime

import (
	"reflect"
	"slices"
	"strings"
)

// object is a JSON object under construction in a layout.
type object struct {
	layout layout
	root   map[string]any
}

func newObject(d Dialect) object { return object{d.grammar().layout, map[string]any{}} }

// set puts value where the layout wants option.
func (o object) set(option string, value any) {
	path := o.layout[option]
	if path == "" {
		path = option
	}
	at := o.root
	names := strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		inner, ok := at[name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			at[name] = inner
		}
		at = inner
	}
	at[names[len(names)-1]] = value
}

// session returns the session member of session.update in dialect d, without
// the type that GA wants.
func (p Properties) session(d Dialect) map[string]any {
	o := newObject(d)
	if len(p.Modalities) > 0 {
		o.set("modalities", modalities(d, p.Modalities))
	}
	if p.Instructions != "" {
		o.set("instructions", p.Instructions)
	}
	if p.Voice != "" {
		o.set("voice", voice(d, p.Voice))
	}
	if p.InputAudioFormat != "" {
		o.set("input_audio_format", format(d, p.InputAudioFormat))
	}
	if p.OutputAudioFormat != "" {
		o.set("output_audio_format", format(d, p.OutputAudioFormat))
	}
	if t := p.InputAudioTranscription; t != nil {
		if t.Model == NoDetection {
			o.set("input_audio_transcription", nil)
		} else {
			o.set("input_audio_transcription", *t)
		}
	}
	switch p.InputAudioNoiseReduction {
	case "":
	case "off":
		o.set("input_audio_noise_reduction", nil)
	default:
		o.set("input_audio_noise_reduction", map[string]any{"type": p.InputAudioNoiseReduction})
	}
	if p.TurnDetection != nil {
		o.set("turn_detection", p.TurnDetection.wire())
	}
	if p.Tools != nil {
		o.set("tools", tools(p.Tools))
	}
	if p.ToolChoice != "" {
		o.set("tool_choice", toolChoice(d, p.ToolChoice))
	}
	if p.Temperature != nil {
		o.set("temperature", *p.Temperature)
	}
	if m := p.MaxResponseOutputTokens; m != nil {
		if *m == Inf {
			o.set("max_response_output_tokens", "inf")
		} else {
			o.set("max_response_output_tokens", int(*m))
		}
	}
	if p.Speed != nil {
		o.set("speed", *p.Speed)
	}
	if p.Truncation != nil {
		o.set("truncation", p.Truncation.wire())
	}
	if p.ReasoningEffort != "" {
		o.set("reasoning", map[string]any{"effort": string(p.ReasoningEffort)})
	}
	if p.ParallelToolCalls != nil {
		o.set("parallel_tool_calls", *p.ParallelToolCalls)
	}
	if p.Tracing != nil {
		o.set("tracing", p.Tracing)
	}
	if p.Include != nil {
		o.set("include", p.Include)
	}
	return mergeObjects(o.root, p.Extra)
}

// modalities: GA takes exactly one, and its audio includes the transcript; Beta
// has audio with text only.
func modalities(d Dialect, asked []string) []string {
	switch {
	case !slices.Contains(asked, "audio"):
		return []string{"text"}
	case d.grammar().paired:
		return []string{"audio", "text"}
	default:
		return []string{"audio"}
	}
}

// voice: GA names custom voices by an object.
func voice(d Dialect, name string) any {
	if !d.grammar().named && strings.HasPrefix(name, "voice_") {
		return map[string]any{"id": name}
	}
	return name
}

func format(d Dialect, f AudioFormat) any {
	if d.grammar().named {
		return string(f)
	}
	return f.media()
}

func (t TurnDetection) wire() any {
	if t.Type == NoDetection {
		return nil
	}
	w := map[string]any{"type": t.detector()}
	if t.detector() == ServerVAD {
		w["silence_duration_ms"] = DefaultSilenceDurationMS
	}
	put(w, "threshold", t.Threshold)
	put(w, "prefix_padding_ms", t.PrefixPaddingMS)
	put(w, "silence_duration_ms", t.SilenceDurationMS)
	put(w, "idle_timeout_ms", t.IdleTimeoutMS)
	if t.Eagerness != "" {
		w["eagerness"] = t.Eagerness
	}
	put(w, "create_response", t.CreateResponse)
	put(w, "interrupt_response", t.InterruptResponse)
	return w
}

func (t Truncation) wire() any {
	if t.Type != "retention_ratio" {
		return t.Type
	}
	w := map[string]any{"type": t.Type}
	put(w, "retention_ratio", t.RetentionRatio)
	if t.PostInstructions != nil {
		w["token_limits"] = map[string]any{"post_instructions": *t.PostInstructions}
	}
	return w
}

func put[T any](w map[string]any, name string, value *T) {
	if value != nil {
		w[name] = *value
	}
}

// tools have no members but these: strangers are refused.
func tools(list []Tool) []any {
	wire := make([]any, 0, len(list))
	for _, t := range list {
		if t.Raw != nil {
			wire = append(wire, t.Raw)
			continue
		}
		w := map[string]any{"type": "function", "name": t.Name}
		if t.Description != "" {
			w["description"] = t.Description
		}
		if t.Parameters != nil {
			w["parameters"] = t.Parameters
		}
		wire = append(wire, w)
	}
	return wire
}

// toolChoice: a tool's name stands in an object in GA, alone in Beta.
func toolChoice(d Dialect, choice string) any {
	switch choice {
	case "auto", "none", "required":
		return choice
	}
	if d.grammar().named {
		return choice
	}
	return map[string]any{"type": "function", "name": choice}
}

// difference returns the members of wanted that have differs in. Only the
// containers of the GA layout are looked into: an object such as turn_detection
// goes whole or not at all.
func difference(have, wanted map[string]any) map[string]any {
	diff := map[string]any{}
	for k, want := range wanted {
		had, known := have[k]
		if known && reflect.DeepEqual(had, want) {
			continue
		}
		inner, isObject := want.(map[string]any)
		outer, wasObject := had.(map[string]any)
		if isObject && wasObject && (k == "audio" || k == "input" || k == "output") {
			diff[k] = difference(outer, inner)
			continue
		}
		diff[k] = want
	}
	return diff
}
