package realtime

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// OptionError is one fault of a configuration: the option, and what to do
// about it.
type OptionError struct {
	Option  string // such as turn_detection.threshold
	Problem string
}

func (e *OptionError) Error() string { return "realtime: " + e.Option + ": " + e.Problem }

// faults collects all that is wrong.
type faults []error

func (f *faults) add(option, format string, args ...any) {
	*f = append(*f, &OptionError{option, fmt.Sprintf(format, args...)})
}

// oneOf reports a word that is set and not among those allowed.
func (f *faults) oneOf(option, value string, allowed ...string) {
	if value != "" && !slices.Contains(allowed, value) {
		f.add(option, "%q is none of %s", value, strings.Join(allowed, ", "))
	}
}

func (f *faults) within(option string, value *float64, low, high float64) {
	if value != nil && !(*value >= low && *value <= high) {
		f.add(option, "%v is not within %v to %v", *value, low, high)
	}
}

// gaOnly reports an option that came with GA, in a dialect from before.
func (f *faults) gaOnly(d Dialect, option string, set bool) {
	if set && !d.grammar().ga {
		f.add(option, "the beta dialect has no such member; leave it out or use a provider of dialect ga")
	}
}

// A tool's name is also the name of a metric's label and of a choice.
var toolName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// Validate returns every fault that p has in dialect d, joined; each is an
// [OptionError]. What depends on the model only the server can know.
func (p Properties) Validate(d Dialect) error {
	var f faults
	for _, m := range p.Modalities {
		f.oneOf("modalities", m, "audio", "text")
	}
	f.format("input_audio_format", p.InputAudioFormat)
	f.format("output_audio_format", p.OutputAudioFormat)
	f.transcription(d, p.InputAudioTranscription)
	f.oneOf("input_audio_noise_reduction", p.InputAudioNoiseReduction, "near_field", "far_field", "off")
	f.turnDetection(d, p.TurnDetection)
	f.tools(d, p.Tools, p.ToolChoice)
	if !d.grammar().ga {
		f.within("temperature", p.Temperature, 0.6, 1.2)
	} else if p.Temperature != nil {
		f.add("temperature", "the ga dialect has no temperature, the provider would refuse the session; remove it")
	}
	if m := p.MaxResponseOutputTokens; m != nil && *m != Inf && (*m < 1 || *m > 4096) {
		f.add("max_response_output_tokens", "%d is neither within 1 to 4096 nor inf", *m)
	}
	f.within("speed", p.Speed, 0.25, 1.5)
	f.truncation(d, p.Truncation)
	f.oneOf("reasoning", string(p.ReasoningEffort), "minimal", "low", "medium", "high", "xhigh")
	f.gaOnly(d, "reasoning", p.ReasoningEffort != "")
	f.gaOnly(d, "parallel_tool_calls", p.ParallelToolCalls != nil)
	switch v := p.Tracing.(type) {
	case nil, map[string]any:
	case string:
		f.oneOf("tracing", v, "auto")
	default:
		f.add("tracing", "is auto or an object of workflow_name, group_id and metadata")
	}
	if slices.Contains(p.Include, "") {
		f.add("include", "has an empty entry")
	}
	if _, err := json.Marshal(p.Extra); err != nil {
		f.add("extra", "cannot be put in JSON: %v", err)
	}
	return errors.Join(f...)
}

func (f *faults) format(option string, format AudioFormat) {
	f.oneOf(option, string(format), string(FormatULaw), string(FormatALaw), string(FormatPCM16))
}

func (f *faults) transcription(d Dialect, t *Transcription) {
	const option = "input_audio_transcription"
	if t == nil {
		return
	}
	if t.Model == "" {
		f.add(option+".model", "is missing: name the recogniser")
	}
	f.oneOf(option+".delay", t.Delay, "minimal", "low", "medium", "high", "xhigh")
	f.gaOnly(d, option+".delay", t.Delay != "")
	f.gaOnly(d, option+".keywords", len(t.Keywords) > 0)
}

func (f *faults) turnDetection(d Dialect, t *TurnDetection) {
	if t == nil {
		return
	}
	const option = "turn_detection."
	f.oneOf(option+"type", t.Type, ServerVAD, SemanticVAD, NoDetection)
	members := []struct {
		name string
		set  bool
		of   string // the type that knows it, "" for both
	}{
		{"threshold", t.Threshold != nil, ServerVAD},
		{"prefix_padding_ms", t.PrefixPaddingMS != nil, ServerVAD},
		{"silence_duration_ms", t.SilenceDurationMS != nil, ServerVAD},
		{"idle_timeout_ms", t.IdleTimeoutMS != nil, ServerVAD},
		{"eagerness", t.Eagerness != "", SemanticVAD},
		{"create_response", t.CreateResponse != nil, ""},
		{"interrupt_response", t.InterruptResponse != nil, ""},
	}
	for _, m := range members {
		switch {
		case !m.set:
		case t.Type == NoDetection:
			f.add(option+m.name, "has no meaning while turn detection is off")
		case m.of != "" && m.of != t.detector():
			f.add(option+m.name, "belongs to %s, not to %s", m.of, t.detector())
		}
	}
	f.within(option+"threshold", t.Threshold, 0, 1)
	if v := t.PrefixPaddingMS; v != nil && *v < 0 {
		f.add(option+"prefix_padding_ms", "%d is negative", *v)
	}
	if v := t.SilenceDurationMS; v != nil && *v < 0 {
		f.add(option+"silence_duration_ms", "%d is negative", *v)
	}
	if v := t.IdleTimeoutMS; v != nil && (*v < 5000 || *v > 30000) {
		f.add(option+"idle_timeout_ms", "%d is not within 5000 to 30000", *v)
	}
	f.gaOnly(d, option+"idle_timeout_ms", t.IdleTimeoutMS != nil)
	f.oneOf(option+"eagerness", t.Eagerness, "auto", "low", "medium", "high")
}

func (f *faults) tools(d Dialect, tools []Tool, choice string) {
	names := map[string]bool{}
	raw := false
	for i, t := range tools {
		option := fmt.Sprintf("tools[%d]", i)
		if t.Raw != nil {
			raw = true
			f.gaOnly(d, option, true)
			if !isObject(t.Raw) {
				f.add(option, "is not a JSON object")
			}
			continue
		}
		if !toolName.MatchString(t.Name) {
			f.add(option+".name", "%q is not 1 to 64 letters, digits, _ or -", t.Name)
		}
		if names[t.Name] {
			f.add(option+".name", "%q is taken by another tool", t.Name)
		}
		names[t.Name] = true
		if t.Parameters != nil && !isObject(t.Parameters) {
			f.add(option+".parameters", "is not a JSON object")
		}
	}
	switch choice {
	case "", "auto", "none", "required":
	default:
		// Without tools the configuration is not complete yet: they come from
		// elsewhere.
		if len(tools) > 0 && !raw && !names[choice] {
			f.add("tool_choice", "%q is none of auto, none, required, and no tool has this name", choice)
		}
	}
}

func (f *faults) truncation(d Dialect, t *Truncation) {
	if t == nil {
		return
	}
	f.gaOnly(d, "truncation", true)
	f.oneOf("truncation", t.Type, "auto", "disabled", "retention_ratio")
	switch {
	case t.Type == "":
		f.add("truncation", "needs a type: auto, disabled or retention_ratio")
	case t.Type == "retention_ratio" && t.RetentionRatio == nil:
		f.add("truncation.retention_ratio", "is missing")
	case t.Type != "retention_ratio" && (t.RetentionRatio != nil || t.PostInstructions != nil):
		f.add("truncation", "retention_ratio and token_limits belong to the type retention_ratio")
	}
	f.within("truncation.retention_ratio", t.RetentionRatio, 0, 1)
	if v := t.PostInstructions; v != nil && *v < 0 {
		f.add("truncation.token_limits.post_instructions", "%d is negative", *v)
	}
}

func isObject(raw json.RawMessage) bool {
	var object map[string]json.RawMessage
	return json.Unmarshal(raw, &object) == nil && object != nil
}
