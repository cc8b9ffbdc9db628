package config

// OneOrMore is a list of texts for which a single text may stand.
type OneOrMore []string

// UnmarshalYAML takes a text or a list of texts.
func (o *OneOrMore) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	err := unmarshal(&one)
	if err == nil {
		*o = OneOrMore{one}
		return nil
	}
	var list []string
	if unmarshal(&[]any{}) != nil {
		return err // no list either: what is wrong with the text matters
	}
	if err := unmarshal(&list); err != nil {
		return err
	}
	*o = list
	return nil
}
