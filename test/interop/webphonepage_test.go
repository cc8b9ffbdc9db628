package interop_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/callgw/callgw/realtime/realtimetest"
)

// browserPage calls without the mouse, behind a proxy that takes away a part of the
// path, and looks at the page as those do who do not see it.
func browserPage(t *testing.T, b *browser) {
	b.hears(t, nil)
	g := startAgent(t, realtimetest.Greet, "token: "+phoneToken, "")
	target, err := url.Parse(g.URL("http"))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(http.StripPrefix("/voice", httputil.NewSingleHostReverseProxy(target)))
	defer proxy.Close()
	p := b.open(t, proxy.URL+"/voice/phone/#token="+phoneToken, cdpbrowser.PermissionSettingGranted)
	p.says("Ready.")
	tree := devtools(p, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	named := 0
	for _, node := range tree.Nodes {
		if node.Ignored || node.Role == nil || !slices.Contains([]string{`"button"`, `"textbox"`, `"checkbox"`, `"meter"`}, string(node.Role.Value)) {
			continue
		}
		if node.Name == nil || len(node.Name.Value) <= len(`""`) {
			t.Errorf("a %s has no name", node.Role.Value)
			continue
		}
		named++
	}
	if named < 16 { // two buttons, two fields, two meters, twelve keys
		t.Errorf("only %d controls have a name", named)
	}

	p.run(chromedp.Focus(chromedp.CSS("#to")), chromedp.KeyEvent("100"), chromedp.KeyEvent(kb.Enter))
	p.until(`document.body.dataset.state === "talking"`)
	if !evaluate[bool](p, `document.activeElement.id === "hangup"`) {
		t.Error("the button that hangs up is not where one types")
	}
	p.until(`parseFloat(document.getElementById("played").value) > 300`)
	p.run(chromedp.KeyEvent(kb.Escape))
	p.says("You hung up.")
	g.happens(t, "ended cause=caller_hung_up")
	p.released()
	p.quiet()
	if started := p.messages(&p.sent, `"event":"start"`); len(started) != 1 || !strings.Contains(started[0], `"to":"100"`) || strings.Contains(started[0], phoneToken) {
		t.Errorf("calls began with %q", started)
	}
}
