package realtime

import (
	"maps"
	"reflect"
)

// Merge returns p with the members that over sets. Objects merge member by
// member (turn detection of another type replaces, though), lists replace. What
// is absent from over stays, so that nothing can be unset by merging.
func (p Properties) Merge(over Properties) Properties {
	// One rule for every flat member: whatever is not zero wins.
	dst, src := reflect.ValueOf(&p).Elem(), reflect.ValueOf(over)
	before := p
	overlay(dst, src)

	if a, b := before.TurnDetection, over.TurnDetection; a != nil && b != nil {
		merged := *b
		if b.Type == "" || b.Type == a.detector() {
			merged = *a
			overlay(reflect.ValueOf(&merged).Elem(), reflect.ValueOf(*b))
		}
		p.TurnDetection = &merged
	}
	if a, b := before.InputAudioTranscription, over.InputAudioTranscription; a != nil && b != nil {
		merged := *a
		overlay(reflect.ValueOf(&merged).Elem(), reflect.ValueOf(*b))
		p.InputAudioTranscription = &merged
	}
	if before.Extra != nil && over.Extra != nil {
		p.Extra = mergeObjects(before.Extra, over.Extra)
	}
	return p
}

// detector returns the type, which may be left out.
func (t *TurnDetection) detector() string {
	if t.Type == "" {
		return ServerVAD
	}
	return t.Type
}

// overlay copies the members of src that are set over those of dst.
func overlay(dst, src reflect.Value) {
	for i := range src.NumField() {
		if f := src.Field(i); !f.IsZero() {
			dst.Field(i).Set(f)
		}
	}
}

// mergeObjects returns a with the members of b, nested objects likewise. It
// shares no map with either.
func mergeObjects(a, b map[string]any) map[string]any {
	merged := maps.Clone(a)
	if merged == nil {
		merged = make(map[string]any, len(b))
	}
	for k, v := range b {
		inner, isObject := v.(map[string]any)
		if outer, ok := merged[k].(map[string]any); ok && isObject {
			v = mergeObjects(outer, inner)
		} else if isObject {
			v = mergeObjects(nil, inner)
		}
		merged[k] = v
	}
	return merged
}
