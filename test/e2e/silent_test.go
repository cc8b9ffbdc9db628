package e2e_test

import (
	"testing"
	"time"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
)

func TestAPhoneThatFallsSilentIsHungUp(t *testing.T) {
	t.Parallel()
	g := start(t, Setup{SIP: "  media_timeout: 2s"})
	l := call(t, g, lineConfig{codec: media.PCMU})
	g.Calls.Await(t, 0, bridge.EventAnswered)
	l.hush()
	began := time.Now()
	_, ending := g.Calls.Await(t, 0, bridge.EventEnding)
	if got := ending.Attr("cause"); got != "media_timeout" {
		t.Errorf("ended for %v", got)
	}
	if took := ending.At.Sub(began); took < time.Second {
		t.Errorf("ended after %v", took)
	}
	bye := l.sip.Skip("BYE")
	l.sip.Reply(bye, 200, "OK")
	g.Calls.Await(t, 0, bridge.EventEnded)
}
