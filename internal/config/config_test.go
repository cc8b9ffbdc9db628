package config_test

import (
	"bytes"
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/dialplan"
	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/internal/wav"
	"github.com/callgw/callgw/realtime"
)

var update = flag.Bool("update", false, "write the golden files")

// environment of the tests: everything secret in it contains "verysecret".
func environment(name string) (string, bool) {
	value, ok := map[string]string{
		"SECRET": "verysecret", "OPENAI_API_KEY": "sk-verysecret", "TWILIO_AUTH_TOKEN": "verysecret-token",
	}[name]
	return value, ok
}

func nothing(string) (string, bool) { return "", false }

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func lines(path string, faults []config.Fault) string {
	var b strings.Builder
	for _, f := range faults {
		b.WriteString(config.Line(path, f) + "\n")
	}
	return b.String()
}

func TestBrokenFiles(t *testing.T) {
	paths, err := filepath.Glob("testdata/broken/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatal("no files", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		t.Run(name, func(t *testing.T) {
			env := environment
			if name == "contradictions" {
				env = nothing
			}
			loaded, _, err := config.Load(path, env)
			var faults *config.Error
			if !errors.As(err, &faults) || loaded != nil {
				t.Fatalf("got %v, %v", loaded, err)
			}
			if strings.Contains(err.Error(), "verysecret") || strings.Contains(err.Error(), "hunter2") {
				t.Error("a secret is shown")
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".golden", err.Error()+"\n")
		})
	}
}

func TestSuspiciousFiles(t *testing.T) {
	for _, name := range []string{"suspicious", "unreachable"} {
		t.Run(name, func(t *testing.T) {
			path := "testdata/warned/" + name + ".yaml"
			_, warnings, err := config.Load(path, nothingBut("SECRET", "verysecret"))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "testdata/warned/"+name+".golden", lines(path, warnings))
		})
	}
}

func TestAModelThatIsMissingIsNotRetired(t *testing.T) {
	path := filepath.Join(t.TempDir(), "callgw.yaml")
	if err := os.WriteFile(path, []byte("agents: {a: {session: {input_audio_transcription: {language: en}}}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, warnings, err := config.Load(path, environment)
	if err == nil || !strings.Contains(err.Error(), "is missing: name the recogniser") {
		t.Errorf("got %v", err)
	}
	if said := lines(path, warnings); strings.Contains(said, "shut down") {
		t.Error(said)
	}
}

func nothingBut(name, value string) func(string) (string, bool) {
	return func(n string) (string, bool) {
		if n == name {
			return value, true
		}
		return "", false
	}
}

func load(t *testing.T, source string) *config.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "callgw.yaml")
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	c, warnings, err := config.Load(path, environment)
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) > 0 {
		t.Fatal(lines(path, warnings))
	}
	return c
}

func TestTenLinesForTwilio(t *testing.T) {
	c := load(t, `
http: {public_url: https://voice.example.com}
media_streams: {twilio: {}}
agents:
  reception:
    session: {instructions: "You answer for Example Ltd. The caller is {{.From}}.", voice: marin}
`)
	tw := c.MediaStreams.Twilio
	if tw == nil || !tw.Validate || tw.Lead != 300*time.Millisecond || tw.AuthTokens()[0] != "verysecret-token" {
		t.Errorf("got %+v", tw)
	}
	if c.SIP.Listen != nil {
		t.Errorf("listens for SIP on %v without a trunk", c.SIP.Listen)
	}
	call := dialplan.Call{Leg: "twilio", From: "+14155550100", To: "+14155550199"}
	d := c.Dialplan.Decide(call)
	agent := c.Agent(d)
	if agent == nil || agent.Name != "reception" || len(agent.Provider) != 1 {
		t.Fatalf("got %+v", agent)
	}
	p, err := agent.Properties(call)
	if err != nil || p.Instructions != "You answer for Example Ltd. The caller is +14155550100." {
		t.Errorf("got %q, %v", p.Instructions, err)
	}
	greeting, err := agent.GreetingFor(call)
	if err != nil || greeting == "" {
		t.Errorf("got greeting %q, %v", greeting, err)
	}
	want := realtime.Provider{Name: "openai", Dialect: "ga", BaseURL: "wss://api.openai.com/v1/realtime", Model: "gpt-realtime-2.1", APIKey: "sk-verysecret"}.WithDefaults()
	if diff := cmp.Diff(want, c.Providers[agent.Provider[0]].Realtime()); diff != "" {
		t.Error(diff)
	}
}

func TestTenLinesForATrunk(t *testing.T) {
	c := load(t, "sip: {external_ip: 198.51.100.7, trunks: {carrier: {from: [203.0.113.0/24, \"2001:db8::7\"]}}}\n")
	if diff := cmp.Diff([]config.Listen{{Network: "udp", Addr: "0.0.0.0:5060"}, {Network: "tcp", Addr: "0.0.0.0:5060"}}, c.SIP.Listen); diff != "" {
		t.Error(diff)
	}
	trunk := c.SIP.Trunks["carrier"]
	if len(trunk.From) != 2 || trunk.From[1] != netip.MustParsePrefix("2001:db8::7/128") || len(trunk.Codecs) != 2 || trunk.Codecs[1] != media.PCMA {
		t.Errorf("got %+v", trunk)
	}
	if d := c.Dialplan.Decide(dialplan.Call{Trunk: "carrier", To: "100"}); c.Agent(d) == nil {
		t.Errorf("got %+v", d)
	}
	if c.Calls.Max != 500 || c.Calls.Drain != 5*time.Minute || c.SIP.RTP.Ports.Pairs() != 5000 || c.Log.Level != "info" {
		t.Errorf("defaults: %+v, %+v, %+v", c.Calls, c.SIP.RTP, c.Log)
	}
}

func TestRouteChangesTheAgentForItsCalls(t *testing.T) {
	c := load(t, `
sip: {trunks: {carrier: {from: 192.0.2.1}}}
agents:
  a:
    session:
      voice: marin
      instructions: "From {{.From}}"
      turn_detection: {type: server_vad, threshold: 0.4}
dialplan:
  - {when: {header: {X-Customer: "*"}}, agent: a, set: {session: {voice: cedar, turn_detection: {silence_duration_ms: 800}}}}
  - {when: {to: [+1900, "+1 (415) *"]}, agent: a}
  - {reject: {code: 486}}
`)
	call := dialplan.Call{From: "1", To: "sip:+1-415-555-0100@x", Header: map[string][]string{"X-Customer": {"7"}}}
	changed, err := c.Agent(c.Dialplan.Decide(call)).Properties(call)
	if err != nil {
		t.Fatal(err)
	}
	if changed.Voice != "cedar" || *changed.TurnDetection.Threshold != 0.4 || *changed.TurnDetection.SilenceDurationMS != 800 || changed.Instructions != "From 1" {
		t.Errorf("got %+v", changed)
	}
	call.Header = nil
	plain, err := c.Agent(c.Dialplan.Decide(call)).Properties(call)
	if err != nil || plain.Voice != "marin" || plain.TurnDetection.SilenceDurationMS != nil {
		t.Errorf("got %+v, %v", plain, err)
	}
	call.To = "5"
	if d := c.Dialplan.Decide(call); c.Agent(d) != nil || d.Reject.Code != 486 {
		t.Errorf("got %+v", d)
	}
}

// recording returns a WAV file that phones can play.
func recording(t *testing.T) string {
	t.Helper()
	var file bytes.Buffer
	if err := wav.Write(&file, make([]byte, media.FrameBytes)); err != nil {
		t.Fatal(err)
	}
	return file.String()
}

func TestForms(t *testing.T) {
	dir := t.TempDir()
	for name, contents := range map[string]string{"hello.wav": recording(t), "token": "s3\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(contents), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "callgw.yaml")
	source := `
sip: {trunks: {carrier: {from: 192.0.2.1, codecs: pcma}}}
admin: {listen: "0.0.0.0:9090", token: "${file:token}"}
agents:
  silent: {greeting: none}
  played: {greeting: {file: hello.wav, text: Hello.}, on_failure: {play: hello.wav}}
  tuned:
    session: {turn_detection: semantic_vad, max_response_output_tokens: inf, reasoning: low, input_audio_transcription: gpt-transcribe}
dialplan: [{when: {to: "1"}, agent: silent}, {when: {to: "2"}, agent: played}, {agent: tuned}]
`
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	c, warnings, err := config.Load(path, environment)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	if trunk := c.SIP.Trunks["carrier"]; len(trunk.From) != 1 || len(trunk.Codecs) != 1 || trunk.Codecs[0] != media.PCMA {
		t.Errorf("a value that stands for a list: got %+v", trunk)
	}
	if c.Admin.Token.Reveal() != "s3" {
		t.Error("token not read from its file")
	}
	if c.Agents["silent"].Greeting != (config.Greeting{}) {
		t.Errorf("got %+v, want silence", c.Agents["silent"].Greeting)
	}
	if want := filepath.Join(dir, "hello.wav"); c.Agents["played"].Greeting.File != want || c.Agents["played"].Greeting.Say != "" || c.Agents["played"].OnFailure.Play != want {
		t.Errorf("got %+v", c.Agents["played"])
	}
	s := c.Agents["tuned"].Session
	if s.TurnDetection.Type != "semantic_vad" || *s.MaxResponseOutputTokens != realtime.Inf || s.ReasoningEffort != "low" || s.InputAudioTranscription.Model != "gpt-transcribe" {
		t.Errorf("got %+v", s)
	}
}

func TestNeedsRestart(t *testing.T) {
	old := load(t, "sip: {trunks: {a: {from: [192.0.2.1]}}}\n")
	same := load(t, "sip: {trunks: {a: {from: [192.0.2.1]}}}\nagents: {x: {greeting: none}}\ncalls: {max: 7}\n")
	same.SIP.Trunks = load(t, "sip: {trunks: {a: {from: [192.0.2.2]}, b: {username: x, password: y}}}\n").SIP.Trunks
	other := load(t, "sip: {trunks: {a: {from: [192.0.2.1]}}, realm: x, rtp: {ports: 4000-4999}}\nhttp: {listen: \":8081\"}\n")
	if got := old.NeedsRestart(same); got != nil {
		t.Errorf("got %v for what can be reloaded", got)
	}
	if diff := cmp.Diff([]string{"http", "sip.realm", "sip.rtp"}, old.NeedsRestart(other)); diff != "" {
		t.Error(diff)
	}
}

func TestNoSuchFile(t *testing.T) {
	_, _, err := config.Load(filepath.Join(t.TempDir(), "none.yaml"), nothing)
	if err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("got %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/*/*.yaml", "../../deploy/callgw.yaml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			seed, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(seed)
		}
	}
	f.Add([]byte("agents: &a {b: *a}\n<<: *a\n"))
	path := filepath.Join(f.TempDir(), "callgw.yaml")
	f.Fuzz(func(t *testing.T, source []byte) {
		if err := os.WriteFile(path, source, 0o600); err != nil {
			t.Fatal(err)
		}
		c, warnings, err := config.Load(path, nothingBut("SECRET", "verysecretvalue"))
		if err == nil && (c == nil || c.Dialplan == nil || len(c.Agents) == 0 || len(c.Providers) == 0) {
			t.Fatalf("incomplete without a fault: %+v", c)
		}
		if err != nil && c != nil {
			t.Fatal("both a configuration and faults")
		}
		if strings.Contains(string(source), "verysecretvalue") {
			return
		}
		if said := lines("", warnings); strings.Contains(said, "verysecretvalue") || err != nil && strings.Contains(err.Error(), "verysecretvalue") {
			t.Fatalf("a secret is shown: %v %s", err, said)
		}
	})
}
