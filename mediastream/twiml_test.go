package mediastream_test

import (
	"encoding/xml"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
)

func TestTwiML(t *testing.T) {
	const header = xml.Header
	for name, tt := range map[string]struct{ got, want string }{
		"connect, then hang up": {
			mediastream.ConnectTwiML("wss://voice.example.com/twilio/media", "https://voice.example.com/twilio/status", "TOKEN"),
			header + `<Response><Connect><Stream url="wss://voice.example.com/twilio/media" statusCallback="https://voice.example.com/twilio/status">` +
				`<Parameter name="t" value="TOKEN"/></Stream></Connect><Hangup/></Response>`,
		},
		"attributes are escaped": {
			mediastream.ConnectTwiML(`wss://a.example/"<&>`, "s", "t"),
			header + `<Response><Connect><Stream url="wss://a.example/&#34;&lt;&amp;&gt;" statusCallback="s">` +
				`<Parameter name="t" value="t"/></Stream></Connect><Hangup/></Response>`,
		},
		"busy":     {mediastream.RejectTwiML(media.Busy), header + `<Response><Reject reason="busy"/></Response>`},
		"rejected": {mediastream.RejectTwiML(media.Rejected), header + `<Response><Reject reason="rejected"/></Response>`},
		"sentence": {
			mediastream.SayTwiML("Sorry & <goodbye>"),
			header + `<Response><Say>Sorry &amp; &lt;goodbye&gt;</Say><Hangup/></Response>`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.got); diff != "" {
				t.Error(diff)
			}
			if err := xml.Unmarshal([]byte(tt.got), new(struct{})); err != nil {
				t.Errorf("not XML: %v", err)
			}
		})
	}
}
