package interop_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/config"
	wholegateway "github.com/callgw/callgw/internal/gateway"
	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/callgw/callgw/test/fixtures"
)

// agentGateway is a whole gateway, with a phone for browsers, and its provider.
type agentGateway struct {
	*wholegateway.Gateway
	provider *realtimetest.Running

	mu     sync.Mutex
	events []string // of all calls: their name, and value if they have one
}

const phoneToken = "correct-horse-battery"

// startAgent runs a gateway until the test ends. generic are keys of the leg, more
// are lines of the file.
func startAgent(t *testing.T, voice realtimetest.Voice, generic, more string) *agentGateway {
	t.Helper()
	pace := realtimetest.Pace{Rate: 4, Latency: 50 * time.Millisecond}
	provider, err := realtimetest.Listen(realtimetest.Config{Voice: voice, Pace: &pace})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(provider.Close)
	path := filepath.Join(t.TempDir(), "callgw.yaml")
	source := fmt.Sprintf(`
http: {listen: "127.0.0.1:0"}
admin: {listen: "127.0.0.1:0"}
media_streams: {generic: {phone: true, %s}}
providers: {model: {base_url: %q, api_key: key, model: any}}
agents: {reception: {provider: model, greeting: {say: Hello.}, tools: [{builtin: hang_up}]}}
%s`, generic, provider.URL, more)
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, _, err := config.Load(path, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	g := &agentGateway{provider: provider}
	g.Gateway, err = wholegateway.New(cfg, wholegateway.Options{Log: zerolog.Nop(), Observe: g.observe})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := g.Run(ctx); err != nil {
			t.Errorf("the gateway ended with: %v", err)
		}
	})
	t.Cleanup(func() {
		g.DrainNow()
		stop()
		running.Wait()
		if n := g.Registry().Leaked(); n != 0 {
			t.Errorf("%d calls have left something behind", n)
		}
	})
	return g
}

func (g *agentGateway) observe(_ bridge.Facts, e bridge.Event) {
	text := e.Name
	for _, a := range e.Attrs {
		text += fmt.Sprintf(" %s=%v", a.Key, a.Value)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.events = append(g.events, text)
}

// happens waits until an event that begins like that has happened.
func (g *agentGateway) happens(t *testing.T, event string) (text string) {
	t.Helper()
	eventually(t, event, func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		for _, e := range g.events {
			if strings.HasPrefix(e, event) {
				text = e
				return true
			}
		}
		return false
	})
	return text
}

// session returns the provider's only session.
func (g *agentGateway) session(t *testing.T) *realtimetest.Session {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s, err := g.provider.WaitSession(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// phone opens the page, with what its form is filled in with.
func (g *agentGateway) phone(t *testing.T, b *browser, form string) *tab {
	t.Helper()
	return b.open(t, g.PhoneURL()+"#"+form, cdpbrowser.PermissionSettingGranted)
}

// call presses the button and waits until the phone says how it went.
func (p *tab) call(state string) {
	p.t.Helper()
	p.run(chromedp.Click(chromedp.CSS("#call")))
	p.until(fmt.Sprintf(`document.body.dataset.state === %q && document.getElementById("state").textContent !== "Ready."`, state))
}

// figure returns one of the phone's figures, in ms, -1 if there is none.
func (p *tab) figure(id string) time.Duration {
	p.t.Helper()
	ms := evaluate[float64](p, fmt.Sprintf(`(() => { const n = parseFloat(document.getElementById(%q).value); return isNaN(n) ? -1 : n; })()`, id))
	return time.Duration(ms * float64(time.Millisecond))
}

// says fails the test unless the page shows text.
func (p *tab) says(text string) {
	p.t.Helper()
	p.until(fmt.Sprintf(`document.querySelector("main").innerText.includes(%q)`, text))
}

// unprocessed has the microphone's sound passed on as it is.
func (p *tab) unprocessed() {
	p.t.Helper()
	evaluate[bool](p, `!(document.getElementById("processing").checked = false)`)
}

// hush is µ-law silence.
func hush(d time.Duration) []byte {
	p := make([]byte, media.Bytes(d))
	media.PCMU.FillSilence(p)
	return p
}

// TestChromiumPhone calls from a browser. Its tests share one: it is slow to start.
func TestChromiumPhone(t *testing.T) {
	b := startBrowser(t)
	t.Run("signal processing", func(t *testing.T) { signalProcessing(t, b) })
	t.Run("the page", func(t *testing.T) { browserPage(t, b) })
	t.Run("a conversation", func(t *testing.T) { browserConversation(t, b) })
	t.Run("interruptions", func(t *testing.T) { browserInterruptions(t, b) })
	t.Run("calls that fail", func(t *testing.T) { browserFailures(t, b) })
	t.Run("without a token", func(t *testing.T) { browserOrigins(t, b) })
}

// browserConversation hears a greeting, speaks, is repeated, and presses keys.
func browserConversation(t *testing.T, b *browser) {
	g := startAgent(t, func(turn realtimetest.Turn) realtimetest.Reply {
		if turn.Response == 0 {
			return realtimetest.Speak(tone(600, 2*time.Second), "La.")
		}
		return realtimetest.Parrot(turn)
	}, "token: "+phoneToken, "")
	// The greeting is over when it speaks, and the reply when it whistles.
	heard := append(hush(3*time.Second), fixtures.CallerHello...)
	heard = append(heard, hush(4*time.Second)...)
	b.hears(t, append(heard, tone(1000, 1500*time.Millisecond)...))
	p := b.openRecorded(t, g.PhoneURL()+"#to=100&from=web&token="+phoneToken)
	if hash := evaluate[string](p, `location.href`); strings.Contains(hash, phoneToken) {
		t.Errorf("the token stays in the address bar: %s", hash)
	}
	p.unprocessed()
	p.call("talking")
	session := g.session(t)
	wait, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := session.Wait(wait, func() bool {
		_, blocks := loudness(last(session.Input(), 2*time.Second), 1000)
		return blocks > 8
	}); err != nil {
		t.Fatalf("the agent does not hear the whistle: %v", err)
	}
	p.run(chromedp.Click(chromedp.CSS("#keys button:nth-of-type(5)")), chromedp.KeyEvent("#"))
	g.happens(t, "digit digit=5")
	g.happens(t, "digit digit=#")
	p.run(chromedp.KeyEvent("m"))
	p.until(`tracks[0].enabled === false && document.getElementById("mute").getAttribute("aria-pressed") === "true"`)
	p.run(chromedp.Click(chromedp.CSS("#hangup")))
	p.says("You hung up.")
	g.happens(t, "ended cause=caller_hung_up")
	<-session.Done()
	p.released()
	p.quiet()

	input, outputs := session.Input(), session.Outputs()
	caller := resemblance(input, fixtures.CallerHello)
	if caller < alike {
		t.Errorf("what the agent hears resembles what the caller said by %.2f", caller)
	}
	whistle, _ := loudness(input, 1000)
	if off := whistle - toneLevel; off < -0.5 || off > 0.5 {
		t.Errorf("the caller's whistle comes at %.1f dB, not %.1f", whistle, toneLevel)
	}
	samples, rate := p.earpiece()
	played := telephone(samples, rate)
	agent, _ := loudness(played, 600)
	if off := agent - toneLevel; off < -0.5 || off > 0.5 {
		t.Errorf("the agent's tone is played at %.1f dB, not %.1f", agent, toneLevel)
	}
	reply := resemblance(played, outputs[len(outputs)-1].Audio)
	if reply < alike {
		t.Errorf("what the page plays resembles what the agent said by %.2f", reply)
	}
	for _, v := range session.Violations() {
		t.Errorf("breach of the Realtime protocol by %s: %s", v.Event, v.Text)
	}
	saw(t, chromiumPeer, "call in", "the agent hears what the caller says (correlation %.2f), the page plays what the agent says (%.2f); a tone's level is off by %.1f dB one way and %.1f dB the other", caller, reply, whistle-toneLevel, agent-toneLevel)
	saw(t, chromiumPeer, "DTMF in", "keys of the page and of the keyboard")
}

// browserInterruptions whistles twice while the agent speaks, which then hangs up: from
// nearby and from far away at the same time. Words have pauses between them, which a
// busy machine may stretch to the end of a turn.
func browserInterruptions(t *testing.T, b *browser) {
	whistle := tone(1000, 700*time.Millisecond)
	b.hears(t, slices.Concat(hush(2500*time.Millisecond), whistle, hush(3*time.Second), whistle, hush(3*time.Second)))
	for _, way := range []time.Duration{0, 60 * time.Millisecond} {
		t.Run(way.String()+" each way", func(t *testing.T) {
			t.Parallel()
			browserInterruption(t, b, way)
		})
	}
}

func browserInterruption(t *testing.T, b *browser, way time.Duration) {
	const times = 2
	g := startAgent(t, func(turn realtimetest.Turn) realtimetest.Reply {
		if turn.Response < times {
			return realtimetest.Speak(tone(600, 20*time.Second), "La.")
		}
		return realtimetest.CallFunction("hang_up", "{}")
	}, "token: "+phoneToken, "")
	here := strings.TrimPrefix(g.URL("http"), "http://")
	p := b.open(t, "http://"+far(t, here, way)+"/phone#token="+phoneToken, cdpbrowser.PermissionSettingGranted)
	p.unprocessed()
	p.call("talking")
	session := g.session(t)
	wait, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var before, off time.Duration // what the page had played when the item began; the worst error
	for n := range times {
		if err := session.Wait(wait, func() bool { return len(session.Truncations()) > n }); err != nil {
			t.Fatalf("interruption %d: nothing was truncated: %v", n, err)
		}
		p.until(fmt.Sprintf(`parseFloat(document.getElementById("cut").value) > %d`, before.Milliseconds()))
		cut := p.figure("cut")
		told := time.Duration(session.Truncations()[n].AudioEndMS) * time.Millisecond
		t.Logf("interruption %d: %v were played, the model is told %v", n, cut-before, told)
		off = max(off, (told - (cut - before)).Abs())
		before = cut
	}
	if off > 100*time.Millisecond { // apart are marks
		t.Errorf("what the page has played and what the model was told differ by %v", off)
	}
	p.says("The agent hung up.")
	g.happens(t, "ended cause=agent_hung_up")
	<-session.Done()
	p.released()
	p.quiet()

	if after := p.figure("played"); after > before+10*time.Millisecond {
		t.Errorf("the page went on from %v to %v", before, after)
	}
	asked, returned := p.messages(&p.received, `"event":"mark"`), p.messages(&p.sent, `"event":"mark"`)
	if len(asked) == 0 || len(asked)-len(returned) > 1 { // the last may have met with the end
		t.Errorf("%d marks were sent, %d returned", len(asked), len(returned))
	}
	if n := len(p.messages(&p.received, `"event":"clear"`)); n != times {
		t.Errorf("%d clears, not %d", n, times)
	}
	saw(t, chromiumPeer, "barge-in", "the caller is heard twice while the agent does, over a way of %v: what the page has played and what the model is told differ by %v at most", way, off)
	saw(t, chromiumPeer, "hang-up by callgw", "the agent hangs up, and the page says so")
}

// browserFailures are the calls that do not come about.
func browserFailures(t *testing.T, b *browser) {
	b.hears(t, nil)
	g := startAgent(t, realtimetest.Greet, "token: "+phoneToken,
		`dialplan: [{when: {to: "100"}, agent: reception}]
calls: {max: 1}`)
	const good = "token=" + phoneToken + "&to=100"
	holds := g.phone(t, b, good)
	elsewhere := strings.Replace(g.PhoneURL(), "127.0.0.1", otherHost, 1)
	for _, c := range []struct {
		name, url string
		setting   cdpbrowser.PermissionSetting
		script    string // what happens before the call
		say       string
	}{
		{name: "nobody has the number", url: "#token=" + phoneToken + "&to=200", say: "Nobody answers this number."},
		{name: "all lines are busy", url: "#" + good, script: "hold", say: "All lines are busy."},
		{name: "no token", url: "#to=100", say: "asks for an access token"},
		{name: "a wrong token", url: "#to=100&token=guess", say: "The access token is wrong."},
		{name: "the microphone is refused", url: "#" + good, setting: cdpbrowser.PermissionSettingDenied, say: "The microphone was refused."},
		{
			name: "there is no microphone", url: "#" + good, say: "There is no microphone.",
			script: `MediaDevices.prototype.getUserMedia = () => Promise.reject(new DOMException("none", "NotFoundError"))`,
		},
		{name: "the page is not secure", url: elsewhere + "#" + good, say: "only over https"},
		{
			name: "the gateway does not answer", url: "#" + good, say: "The gateway does not answer.",
			script: `globalThis.fetch = () => Promise.reject(new TypeError("no route"))`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.setting == "" {
				c.setting = cdpbrowser.PermissionSettingGranted
			}
			if strings.HasPrefix(c.url, "#") {
				c.url = g.PhoneURL() + c.url
			}
			p := b.open(t, c.url, c.setting)
			switch c.script {
			case "":
			case "hold":
				holds.call("talking")
			default:
				evaluate[chromedp.Void](p, c.script)
			}
			p.call("idle")
			p.says(c.say)
			if strings.Contains(c.name, "token") && !evaluate[bool](p, `document.activeElement.id === "token"`) {
				t.Error("the field for the token is not where one types")
			}
			p.released()
			if c.script == "hold" {
				holds.run(chromedp.KeyEvent(kb.Escape))
				holds.says("You hung up.")
			}
		})
	}
	saw(t, chromiumPeer, "refusals", "a wrong token, a number without a route, all lines busy, no microphone: the page says so")
}

// browserOrigins is about a gateway that lets in whoever reaches it.
func browserOrigins(t *testing.T, b *browser) {
	b.hears(t, nil)
	g := startAgent(t, realtimetest.Greet, "validate: false", "")
	socket := strings.Replace(g.URL("http"), "http", "ws", 1) + "/generic/media"
	site := httptest.NewServer(http.NotFoundHandler())
	defer site.Close()
	other := b.open(t, site.URL, cdpbrowser.PermissionSettingGranted)
	if code := evaluate[int](other, fmt.Sprintf(`new Promise((over) => { new WebSocket(%q).onclose = ({code}) => over(code); })`, socket)); code != 1006 {
		t.Errorf("the socket of another site's page is closed with %d", code)
	}
	// An intruder's name that leads to the gateway makes the page no more the gateway's.
	other = b.open(t, strings.Replace(g.PhoneURL(), "127.0.0.1", otherHost, 1), cdpbrowser.PermissionSettingGranted)
	if status := evaluate[int](other, `fetch("/generic/ticket", {method: "POST"}).then((r) => r.status)`); status != http.StatusForbidden {
		t.Errorf("another site's page that asks for a ticket gets %d", status)
	}
	if n := g.rejected(t, "origin"); n != 2 {
		t.Errorf("%v requests were refused for their origin, not 2", n)
	}
	p := g.phone(t, b, "")
	p.call("talking")
	p.until(`parseFloat(document.getElementById("played").value) > 300`)
	p.run(chromedp.KeyEvent(kb.Escape))
	g.happens(t, "ended cause=caller_hung_up")
	p.released()
	p.quiet()
	saw(t, chromiumPeer, "origin", "without a token the gateway's own page may call, another site's may not")
}

// rejected returns how many requests were refused for a reason.
func (g *agentGateway) rejected(t *testing.T, reason string) float64 {
	t.Helper()
	families, err := g.Metrics().Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "callgw_mediastream_rejected_total" && m.GetLabel()[0].GetValue() == reason {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}
