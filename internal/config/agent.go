package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/callgw/callgw/realtime"
)

// builtInAgent is the name of the agent when the file has none.
const builtInAgent = "assistant"

// Agent is what the model is told.
type Agent struct {
	Name string `yaml:"-"`
	// Provider is where its sessions run, or a list of providers that are tried
	// in order when a call begins. Default: the only provider there is.
	Provider []string `yaml:"provider"`
	// Greeting is what the caller hears first. Default: the model greets in one
	// sentence.
	Greeting Greeting `yaml:"greeting"`
	// MachineDetection finds out who answers calls out. Default: none.
	MachineDetection *MachineDetection `yaml:"machine_detection"`
	// Messages are the conversation before the call begins.
	Messages []Message `yaml:"messages"`
	// Session is how the session is set up. Texts in it may be templates: see
	// [Variables]. Default: the provider's defaults.
	Session realtime.Properties `yaml:"session"`
	// Tools are what the model may do during a call.
	Tools   []Tool  `yaml:"tools"`
	BargeIn BargeIn `yaml:"barge_in"`
	// StartAudioPaused keeps the caller's audio from the model until it is
	// resumed over HTTP; the model may speak meanwhile. Default false.
	StartAudioPaused bool `yaml:"start_audio_paused"`
	// Transcripts may appear in timelines, logs and the API. Default true.
	Transcripts bool   `yaml:"transcripts"`
	Limits      Limits `yaml:"limits"`
	// Repair is how long a call may be without a session after it was lost,
	// while the caller hears a soft tone and the providers are tried in turn.
	// 1s to 60s. Default 3s.
	Repair    time.Duration `yaml:"repair"`
	OnFailure OnFailure     `yaml:"on_failure"`

	instructions, prompt, say *Template
}

// BargeIn says how the caller interrupts the agent.
type BargeIn struct {
	// Mode is server, when the provider hears the caller speak; instant, when the
	// gateway pauses the agent at the first sound and the provider decides; or
	// off, never. Default server.
	Mode string `yaml:"mode" oneof:"server instant off"`
	// Threshold is how loud that first sound must be, 0 to 1. Default 0.5.
	Threshold float64 `yaml:"threshold"`
	// Window is how long the provider has to confirm an instant pause before
	// the agent goes on where it stopped. Default 600ms.
	Window time.Duration `yaml:"window"`
	// ProtectGreeting lets the greeting finish in any case. Default false.
	ProtectGreeting bool `yaml:"protect_greeting"`
}

// Limits end a call. 0 is no limit.
type Limits struct {
	// Duration since the answer. Default 30m.
	Duration time.Duration `yaml:"duration"`
	// Silence, of both sides. Default 2m.
	Silence time.Duration `yaml:"silence"`
	// Cost of the model in US dollars, by prices. Default 0.
	Cost float64 `yaml:"cost"`
}

// OnFailure is what the caller gets when no provider answers.
type OnFailure struct {
	// Play is a WAV file, played before hanging up. Default: none.
	Play string `yaml:"play"`
}

// sessionLimit is how long OpenAI lets a session last.
const sessionLimit = time.Hour

// SetDefaults sets the defaults.
func (a *Agent) SetDefaults() {
	*a = Agent{
		Greeting:    Greeting{Say: "Greet the caller in one sentence."},
		Transcripts: true, Repair: 3 * time.Second,
		BargeIn: BargeIn{Mode: "server", Threshold: 0.5, Window: 600 * time.Millisecond},
		Limits:  Limits{Duration: 30 * time.Minute, Silence: 2 * time.Minute},
	}
}

func newAgent() *Agent {
	a := &Agent{}
	a.SetDefaults()
	return a
}

func (a *Agent) complete(name string, providers map[string]*Provider) {
	a.Name = name
	for i := range a.Tools {
		a.Tools[i].complete()
	}
	if a.Provider == nil && len(providers) == 1 {
		a.Provider = sortedKeys(providers)
	}
}

func checkAgents(k *checker, agents map[string]*Agent, providers map[string]*Provider) {
	for _, name := range sortedKeys(agents) {
		agents[name].check(k, "agents."+name, providers)
	}
}

func (a *Agent) check(k *checker, key string, providers map[string]*Provider) {
	if len(a.Provider) == 0 {
		k.fail(key+".provider", "missing, and there are several providers", "name one of "+strings.Join(sortedKeys(providers), ", "))
	}
	for i, name := range a.Provider {
		at := k.at(key+".provider", i)
		switch {
		case providers[name] == nil:
			k.fail(at, "there is no provider "+k.quote(at, name), "name one of "+strings.Join(sortedKeys(providers), ", "))
		case slices.Contains(a.Provider[:i], name):
			k.fail(at, k.quote(at, name)+" is in the list twice", "name each provider once")
		}
	}
	a.Greeting.check(k, key+".greeting")
	a.say = k.template(key+".greeting.say", a.Greeting.Say)
	if a.MachineDetection != nil {
		a.MachineDetection.check(k, key+".machine_detection")
	}
	checkMessages(k, key+".messages", a.Messages)
	a.checkSession(k, key+".session", providers)
	k.tools(key+".tools", a.Tools)
	if a.BargeIn.Mode == "off" && a.BargeIn.ProtectGreeting {
		k.warn(key+".barge_in.protect_greeting", "nothing is interrupted with mode off anyway", "remove it")
	}
	if t := a.BargeIn.Threshold; t <= 0 || t > 1 {
		k.fail(key+".barge_in.threshold", k.quote(key+".barge_in.threshold", fmt.Sprint(t))+" is not above 0 and up to 1", "use 0.5 unless the line is noisy")
	}
	if w := a.BargeIn.Window; w < 100*time.Millisecond || w > 3*time.Second {
		k.fail(key+".barge_in.window", k.quote(key+".barge_in.window", w.String())+" is not within 100ms to 3s", "use 600ms unless the provider is far away")
	}
	if a.Repair < time.Second || a.Repair > time.Minute {
		k.fail(key+".repair", k.quote(key+".repair", a.Repair.String())+" is not within 1s to 60s", "use 3s; callers do not wait much longer")
	}
	if a.Limits.Cost < 0 {
		k.fail(key+".limits.cost", k.quote(key+".limits.cost", fmt.Sprint(a.Limits.Cost))+" is negative", "write US dollars, such as 0.50")
	}
	if d := a.Limits.Duration; d == 0 || d > sessionLimit {
		k.warn(key+".limits.duration", "longer than the 60 minutes after which OpenAI ends a session", "write 60m or less")
	}
	k.recording(key+".on_failure.play", &a.OnFailure.Play)
}

// checkSession checks what the session is told and prepares its templates. It
// reports what stands at key, the agent's session or what a route sets in it;
// what a route leaves alone is reported for the agent.
func (a *Agent) checkSession(k *checker, key string, providers map[string]*Provider) {
	ofRoute := !strings.HasPrefix(key, "agents.")
	fail := func(member, message, remedy string) {
		if at := key + "." + member; !ofRoute || k.doc.Has(at) {
			k.fail(at, message, remedy)
		}
	}
	a.instructions = k.template(key+".instructions", a.Session.Instructions)
	if t := a.Session.InputAudioTranscription; t != nil {
		a.prompt = k.template(key+".input_audio_transcription.prompt", t.Prompt)
		if at := key + ".input_audio_transcription"; !ofRoute || k.doc.Has(at) {
			warnRetired(k, at+".model", t.Model)
		}
	}
	if _, err := strconv.ParseFloat(a.Session.Voice, 64); err == nil {
		at := key + ".voice"
		fail("voice", k.quote(at, a.Session.Voice)+" is a number, not a voice", "write its name, such as marin")
	}
	if m := a.Session.Modalities; m != nil && !slices.Contains(m, "audio") {
		fail("modalities", "without audio the caller hears nothing", "write [audio, text]")
	}
	reported := map[string]bool{}
	for _, name := range a.Provider {
		provider := providers[name]
		if provider == nil {
			continue
		}
		for _, fault := range optionErrors(a.Session.Validate(provider.Realtime().Dialect)) {
			if reported[fault.Option] {
				continue // by another provider of the same dialect
			}
			reported[fault.Option] = true
			message := fault.Problem
			if at := key + "." + fault.Option; k.doc.Expanded(at) {
				message = k.quote(at, "") + " is refused"
			}
			fail(fault.Option, message, "")
		}
	}
}
