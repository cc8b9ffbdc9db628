package strict_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/internal/config/strict"
)

type secret string

func (secret) Hidden() {}

func (s *secret) UnmarshalText(b []byte) error {
	if *s = secret(b); len(b) < 3 {
		return &strict.ValueError{Problem: "is too short", Remedy: "use more"}
	}
	return nil
}

type words []string

func (w *words) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		*w = words{one}
		return nil
	}
	return unmarshal((*[]string)(w))
}

type picky struct{ N int }

func (p *picky) UnmarshalYAML(unmarshal func(any) error) error {
	if err := unmarshal(&p.N); err != nil {
		return fmt.Errorf("a number or nothing: %w", err)
	}
	if p.N > 9 {
		return errors.New("more than 9")
	}
	return nil
}

type leg struct {
	Port int    `yaml:"port"`
	On   bool   `yaml:"on"`
	How  string `yaml:"how" oneof:"soft loud"`
}

func (l *leg) SetDefaults() { l.Port = 5060 }

type shared struct {
	Max int `yaml:"max"`
}

type tree struct {
	shared `yaml:",inline"`
	Name   string          `yaml:"name"`
	Level  string          `yaml:"level" oneof:"debug info"`
	Wait   time.Duration   `yaml:"wait"`
	Key    secret          `yaml:"key"`
	Legs   map[string]*leg `yaml:"legs"`
	List   []leg           `yaml:"list"`
	Words  words           `yaml:"words"`
	Names  []string        `yaml:"names"`
	Ratio  *float64        `yaml:"ratio"`
	Picky  picky           `yaml:"picky"`
	Extra  map[string]any  `yaml:"extra"`
	Inner  leg             `yaml:"inner"`
	Hidden string          `yaml:"-"`
}

var options = strict.Options{
	Env: func(name string) (string, bool) {
		v, ok := map[string]string{"NAME": "from outside", "SHORT": "ab", "PORT": "5070", "BAD": "topsecret", "EMPTY": ""}[name]
		return v, ok
	},
	Dir: "testdata",
	Parsers: map[reflect.Type]func(string) (any, error){
		reflect.TypeFor[time.Duration](): func(s string) (any, error) {
			d, err := time.ParseDuration(s)
			if err != nil {
				return nil, &strict.ValueError{Problem: "is not a duration", Remedy: "write 5s"}
			}
			return d, nil
		},
	},
	Refused: func(path, schema, value string) *strict.ValueError {
		switch {
		case schema == "legs.*.tls" || schema == "level" && value == "trace":
			return &strict.ValueError{Problem: "not yet"}
		case schema == "legs.*.name":
			return &strict.ValueError{Problem: "misplaced", Remedy: "not at " + path}
		}
		return nil
	},
}

func TestDecode(t *testing.T) {
	source := `
# A comment.
max: 7
name: "${NAME}!"
level: debug
wait: 90s
key: ${file:secret.txt}
legs:
  a: &a {on: true}
  b: {<<: *a, port: "${PORT}"}
  c:
list: [*a, {port: 1}]
words: one
names: one
ratio: 0.5
picky: 3
extra: {a: [1, 2.5, true, null, "${NAME}"], b: {c: x}}
inner:
  port: +0010
`
	ratio := 0.5
	want := tree{
		shared: shared{7}, Name: "from outside!", Level: "debug", Wait: 90 * time.Second, Key: "the secret",
		Legs: map[string]*leg{"a": {Port: 5060, On: true}, "b": {Port: 5070, On: true}, "c": {Port: 5060, On: false}}, List: []leg{{Port: 5060, On: true}, {Port: 1, On: false}},
		Words: words{"one"}, Names: []string{"one"}, Ratio: &ratio, Picky: picky{3},
		Extra: map[string]any{"a": []any{1, 2.5, true, any(nil), "from outside"}, "b": map[string]any{"c": "x"}},
		Inner: leg{Port: 10, On: false},
	}
	var got tree
	d := strict.Parse([]byte(source), options)
	d.Decode(&got)
	if f := d.Faults(); f != nil {
		t.Fatal(f)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(tree{})); diff != "" {
		t.Error(diff)
	}
	if !d.Has("legs.b.port") || d.Has("legs.x") || !d.Expanded("legs.b") || d.Expanded("legs.a") {
		t.Error("wrong about what is there and where it comes from")
	}
	if q := d.Quote("name", got.Name); q != `"${NAME}!"` {
		t.Errorf("quoted %s", q)
	}
	if f := d.Fault("legs.b.nothing[3]", "m", ""); f.Line != 10 || f.Column != 3 {
		t.Errorf("got %+v, want the position of what holds it", f)
	}
}

func TestNullLeavesDefaults(t *testing.T) {
	got := tree{Name: "default", Level: "info", Inner: leg{Port: 1}}
	want := got
	d := strict.Parse([]byte("name:\nlevel: ~\ninner: {port: }\nwords:\n"), options)
	d.Decode(&got)
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(tree{})); diff != "" || d.Faults() != nil {
		t.Error(diff, d.Faults())
	}
}

func TestEveryFaultWithItsPlace(t *testing.T) {
	for _, c := range []struct {
		name, source string
		want         []string
	}{
		{"nothing at all", "", nil},
		{"only a comment", "# x\n", nil},
		{"not YAML", "name: [a\n", []string{"1:7 : not valid YAML: sequence end token ']' not found"}},
		{"two documents", "name: a\n---\nname: b\n", []string{"3:5 : a second document; keep one"}},
		{"not a mapping", "- a\n", []string{"1:1 : a list where a mapping is wanted; known here: max, name, level, wait, key, legs, list, words, names, ratio, picky, extra, inner"}},
		{"unknown keys", "nam: a\nzzzzz: b\nport: 1\nmx: 1\n", []string{
			"1:1 nam: unknown key; did you mean name?",
			"2:1 zzzzz: unknown key; known here: max, name, level, wait, key, legs, list, words, names, ratio, picky, extra, inner",
			"3:1 port: unknown key; did you mean inner.port?",
			"4:1 mx: unknown key; did you mean max?",
		}},
		{"not yet known", "legs: {a: {tls: 1}}\nlevel: trace\n", []string{
			"1:12 legs.a.tls: not yet; remove it",
			`2:8 level: "trace" not yet; use debug or info`,
		}},
		{"misplaced", "legs: {a: {name: 1}}\n", []string{"1:12 legs.a.name: misplaced; not at legs.a.name"}},
		{"a word for a mapping", "inner: loud\n", []string{"1:8 inner: text where a mapping is wanted; did you mean {how: loud}?"}},
		{"duplicates", "name: a\nlegs: {a: {}, a: {}}\nname: b\n", []string{
			"2:15 legs.a: duplicate key, first in line 2; keep one of them",
			"3:1 name: duplicate key, first in line 1; keep one of them",
		}},
		{"wrong types", "name: [a]\nmax: many\nlegs: 1\nlist: {a: 1}\nwait: soon\ninner: true\nratio: x\nlegs2:\n", []string{
			"1:7 name: a list where text is wanted",
			`2:6 max: "many" is not a whole number; write digits alone, such as 30`,
			"3:7 legs: a number where a mapping is wanted; write {name: value}",
			"4:7 list: a mapping where a list is wanted; begin each entry with -, or write [x, y]",
			`5:7 wait: "soon" is not a duration; write 5s`,
			"6:8 inner: true or false where a mapping is wanted; known here: port, on, how",
			`7:8 ratio: "x" is not a number; write digits alone, such as 0.5`,
			"8:1 legs2: unknown key; did you mean legs?",
		}},
		{"numbers out of range", "max: 99999999999999999999\n", []string{`1:6 max: "99999999999999999999" is out of range; write a smaller one`}},
		{"text for true", "inner: {on: \"yes\"}\nname: true\n", []string{
			`1:13 inner.on: "yes" is neither true nor false; write true`,
			"2:7 name: true where text is wanted; put it in quotes if it is meant",
		}},
		{"values not allowed", "level: inof\n", []string{`1:8 level: "inof" is none of debug, info; did you mean info?`}},
		{"an empty value is one too", "level: \"\"\n", []string{`1:8 level: "" is none of debug, info; use one of debug, info`}},
		{"places in lists", "list: [{port: 1}, {port: x}]\nwords: [a, [b]]\n", []string{
			`1:26 list[1].port: "x" is not a whole number; write digits alone, such as 30`,
			"2:12 words[1]: a list where text is wanted",
		}},
		{"types that read themselves", "picky: 10\n", []string{"1:8 picky: more than 9"}},
		{"types that read themselves, and wrap", "picky: [1]\n", []string{"1:8 picky: a number or nothing: a list where a number is wanted"}},
		{"missing from outside", "name: \"${NOWHERE}\"\nlegs: {a: {port: \"${file:nothing}\"}}\nkey: ${\nwords: [\"${1x}\"]\n", []string{
			"1:7 name: ${NOWHERE} is not set in the environment; set it, or write the value here",
			"2:18 legs.a.port: ${file:nothing} cannot be read: no such file or directory; check the path; it is relative to this file",
			"3:6 key: ${ without its }; close it, or write $${ for ${ itself",
			"4:9 words[0]: ${1x} names neither a variable nor a file; write ${NAME} or ${file:PATH}, or $${ for ${ itself",
		}},
		{"not a file", "name: \"${file:.}\"\n", []string{"1:7 name: ${file:.} is not a file; name a file"}},
		{"hidden values", "max: \"${BAD}\"\nlevel: ${BAD}\nkey: \"ab\"\npicky: \"${BAD}\"\n", []string{
			`1:6 max: "${BAD}" is not a whole number; write digits alone, such as 30`,
			`2:8 level: "${BAD}" is none of debug, info; use one of debug, info`,
			"3:6 key: the value is too short; use more",
			`4:8 picky: "${BAD}" is refused`,
		}},
		{"aliases", "name: *x\nlegs: {a: {<<: 1}}\n", []string{
			`1:7 name: alias of an unknown anchor "x"; name an anchor of this file`,
			"2:16 legs.a: << takes a mapping, not a number; merge an alias such as <<: *base",
		}},
		{"tags", "name: !!str a\n", []string{`1:7 name: tags are not used here; remove "!!str"`}},
		{"an alias of what holds it", "extra: &a {b: *a}\n", []string{"1:15 extra" + strings.Repeat(".b", 64) + ": nested too deep, or too much in all; simplify it"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var v tree
			d := strict.Parse([]byte(c.source), options)
			d.Decode(&v)
			var got []string
			for _, f := range d.Faults() {
				line := f.String()
				if f.Key == "" {
					line = ": " + line
				}
				got = append(got, fmt.Sprintf("%d:%d %s", f.Line, f.Column, line))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDollarsAreEscaped(t *testing.T) {
	var v tree
	d := strict.Parse([]byte(`name: "$${NAME} costs $5 or ${EMPTY}$${NAME}"`), options)
	d.Decode(&v)
	if v.Name != "${NAME} costs $5 or ${NAME}" || d.Faults() != nil {
		t.Errorf("got %q, %v", v.Name, d.Faults())
	}
}

func TestAliasesDoNotMultiplyWithoutEnd(t *testing.T) {
	var b strings.Builder
	b.WriteString("extra:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&b, "  a%d: &a%d [%s]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10))
	}
	var v tree
	d := strict.Parse([]byte(b.String()), options)
	d.Decode(&v)
	if len(d.Faults()) != 1 {
		t.Errorf("%d faults, want one", len(d.Faults()))
	}
}

func TestTooLong(t *testing.T) {
	d := strict.Parse(make([]byte, strict.MaxSize+1), options)
	if len(d.Faults()) != 1 {
		t.Error(d.Faults())
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "big"), make([]byte, 100<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	var v tree
	d = strict.Parse([]byte(`name: "${file:big}"`), strict.Options{Dir: dir})
	if d.Decode(&v); len(d.Faults()) != 1 || !strings.Contains(d.Faults()[0].Message, "longer than") {
		t.Error(d.Faults())
	}
}

func TestNestingIsBoundedBeforeItIsParsed(t *testing.T) {
	doc := strict.Parse([]byte("agents: "+strings.Repeat("[", 200_000)), strict.Options{})
	if f := doc.Faults(); len(f) != 1 || !strings.Contains(f[0].Message, "nested") {
		t.Errorf("%v", f)
	}
}
