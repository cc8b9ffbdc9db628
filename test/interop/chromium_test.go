package interop_test

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

const chromiumPeer = "Chromium"

// otherHost is a name by which the browser reaches this machine, and does not trust it.
const otherHost = "phone.example"

// chromiumPatience is how long a test waits for the browser.
const chromiumPatience = 20 * time.Second

// browser is a Chromium without a screen, whose microphone plays a file.
type browser struct {
	ctx        context.Context
	microphone string // the path of the file, read when a page opens the microphone
}

// startBrowser runs Chromium until the test ends.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path == "" {
			path, _ = exec.LookPath(name)
		}
	}
	if path == "" {
		missing(t, "chromium")
	}
	b := &browser{microphone: filepath.Join(t.TempDir(), "microphone.wav")}
	b.hears(t, nil)
	allocator, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-extensions", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("mute-audio", true),
		chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-audio-capture", b.microphone+"%noloop"),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.Flag("host-resolver-rules", "MAP "+otherHost+" 127.0.0.1, EXCLUDE 127.0.0.1"),
		chromedp.WSURLReadTimeout(30*time.Second),
	)
	var done context.CancelFunc
	b.ctx, done = chromedp.NewContext(allocator)
	t.Cleanup(func() {
		if err := chromedp.Cancel(b.ctx); err != nil {
			t.Errorf("chromium does not end: %v", err)
		}
		done()
		stop()
	})
	if err := chromedp.Do(b.ctx); err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	return b
}

// hears sets what the microphone hears from the next call on: µ-law, then silence.
func (b *browser) hears(t *testing.T, ulaw []byte) {
	t.Helper()
	for len(ulaw) < 160 {
		ulaw = append(ulaw, 0xFF)
	}
	if err := os.WriteFile(b.microphone, linearWAV(ulaw), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tab is a page of the browser.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	sent     []string // on the page's sockets
	received []string
	trouble  []string // what the page's console complains of
}

// instruments are what the tests put into a page, to see what it has opened.
const instruments = `
globalThis.contexts = []; globalThis.tracks = [];
const {connect} = AudioNode.prototype;
AudioNode.prototype.connect = function (to, ...rest) {
	if (this instanceof AudioWorkletNode) contexts.push(this.context);
	return connect.call(this, to, ...rest);
};
const {getUserMedia} = MediaDevices.prototype;
MediaDevices.prototype.getUserMedia = async function (wish) {
	const stream = await getUserMedia.call(this, wish);
	tracks.push(...stream.getTracks());
	return stream;
};`

// recorder keeps what the page plays, as the audio thread has it.
const recorder = `
globalThis.earpiece = [];
const {addModule} = AudioWorklet.prototype;
AudioWorklet.prototype.addModule = async function (url) {
	await addModule.call(this, url);
	await addModule.call(this, "data:text/javascript," + encodeURIComponent(
		"registerProcessor('recorder', class extends AudioWorkletProcessor {" +
		"process([[heard]]) { if (heard) this.port.postMessage(heard); return true; } })"));
};
const original = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
	if (to === this.context.destination) {
		const tap = new AudioWorkletNode(this.context, "recorder", {numberOfOutputs: 0});
		tap.port.onmessage = ({data}) => earpiece.push(Int16Array.from(data, (x) => x * 32767));
		original.call(this, tap);
	}
	return original.call(this, to, ...rest);
};`

// open shows a page at url, which may use the microphone or may not.
func (b *browser) open(t *testing.T, url string, setting cdpbrowser.PermissionSetting) *tab {
	t.Helper()
	p := b.tab(t, instruments)
	if origin := strings.Join(strings.SplitN(url, "/", 4)[:3], "/"); !strings.Contains(origin, otherHost) {
		devtools(p, cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{
			Permission: &cdpbrowser.PermissionDescriptor{Name: "microphone"}, Setting: setting, Origin: origin,
		})
	}
	p.run(chromedp.Navigate(url))
	return p
}

// openRecorded is open with a recorder. The page's policy, which would not have it,
// is not enforced.
func (b *browser) openRecorded(t *testing.T, url string) *tab {
	t.Helper()
	p := b.tab(t, recorder, instruments)
	devtools(p, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true})
	devtools(p, cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{
		Permission: &cdpbrowser.PermissionDescriptor{Name: "microphone"}, Setting: cdpbrowser.PermissionSettingGranted,
	})
	p.run(chromedp.Navigate(url))
	return p
}

// tab returns a new one, whose pages run scripts before their own.
func (b *browser) tab(t *testing.T, scripts ...string) *tab {
	t.Helper()
	p := &tab{t: t}
	var closeTab context.CancelFunc
	p.ctx, closeTab = chromedp.NewContext(b.ctx, chromedp.WithListener(p.listen))
	t.Cleanup(closeTab)
	if err := chromedp.Do(p.ctx); err != nil { // without a deadline, which would be the tab's
		t.Fatalf("chromium: no tab: %v", err)
	}
	devtools(p, network.Enable, network.EnableParams{})
	devtools(p, log.Enable, cdp.Empty{})
	for _, script := range scripts {
		devtools(p, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: "(() => {" + script + "})()",
		})
	}
	return p
}

// devtools sends a command of the DevTools protocol and returns its result.
func devtools[P, R any](p *tab, c cdp.Command[P, R], params P) (result R) {
	p.t.Helper()
	p.run(chromedp.Func(func(ctx context.Context, t *chromedp.Target) (err error) {
		result, err = cdp.Call(ctx, t, c, params)
		return err
	}))
	return result
}

func (p *tab) listen(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventWebSocketFrameSent:
		p.sent = append(p.sent, string(e.Response.PayloadData))
	case *network.EventWebSocketFrameReceived:
		p.received = append(p.received, string(e.Response.PayloadData))
	case *runtime.EventExceptionThrown:
		p.trouble = append(p.trouble, e.ExceptionDetails.Text+": "+e.ExceptionDetails.Exception.Description)
	case *log.EventEntryAdded:
		p.trouble = append(p.trouble, e.Entry.Text)
	}
}

func (p *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, chromiumPatience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatalf("chromium: %v", err)
	}
}

// evaluate returns what an expression, or a promise, comes to.
func evaluate[T any](p *tab, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, chromiumPatience)
	defer cancel()
	result, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("chromium: %s: %v", expression, err)
	}
	return result
}

// until waits for a condition on the page.
func (p *tab) until(expression string) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(chromiumPatience))); err != nil {
		p.t.Fatalf("waiting for %s: %v\nthe page says %q", expression, err, evaluate[string](p, `document.body.innerText`))
	}
}

// messages returns those of the page's sockets that contain text.
func (p *tab) messages(list *[]string, text string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []string
	for _, m := range *list {
		if strings.Contains(m, text) {
			found = append(found, m)
		}
	}
	return found
}

// earpiece returns what the page has played, and at what rate.
func (p *tab) earpiece() (samples []int16, rate float64) {
	p.t.Helper()
	text := evaluate[string](p, `(() => {
		let text = "";
		for (const block of earpiece) {
			text += String.fromCharCode(...new Uint8Array(block.buffer));
		}
		return btoa(text);
	})()`)
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		p.t.Fatal(err)
	}
	for ; len(raw) >= 2; raw = raw[2:] {
		samples = append(samples, int16(binary.LittleEndian.Uint16(raw)))
	}
	return samples, evaluate[float64](p, `contexts[0].sampleRate`)
}

// quiet fails the test if the console has complained of anything.
func (p *tab) quiet() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, text := range p.trouble {
		p.t.Errorf("the console says: %s", text)
	}
}

// released fails the test if the page holds on to the microphone or the loudspeaker.
func (p *tab) released() {
	p.t.Helper()
	p.until(`contexts.every((c) => c.state === "closed") && tracks.every((t) => t.readyState === "ended")`)
}
