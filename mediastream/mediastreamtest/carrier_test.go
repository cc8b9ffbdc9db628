package mediastreamtest_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/contract"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAMarkComesBackWhenWhatPrecedesItHasBeenPlayed(t *testing.T) {
	var p mediastreamtest.Playout
	p.Mark("idle")
	p.Media([]byte("abc"))
	p.Mark("abc")
	p.Media([]byte("def"))
	p.Mark("def")
	p.Mark("def again")
	for _, step := range []struct {
		play   int
		want   string
		echoes []string
	}{
		{2, "ab", []string{"idle"}},
		{2, "cd", []string{"idle"}},
		{2, "ef", []string{"idle", "abc"}},
		{2, "", []string{"idle", "abc", "def", "def again"}},
	} {
		if got := p.Play(step.play); got != step.want {
			t.Errorf("played %q, want %q", got, step.want)
		}
		if diff := cmp.Diff(step.echoes, p.Echoes); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAClearReturnsAllMarks(t *testing.T) {
	var p mediastreamtest.Playout
	p.Media([]byte("abc"))
	p.Mark("abc")
	p.Play(1)
	p.Media([]byte("def"))
	p.Mark("def")
	if dropped := p.Clear(); dropped != 5 {
		t.Errorf("dropped %d bytes", dropped)
	}
	p.Mark("after")
	p.Media([]byte("gh"))
	if got := p.Play(2); got != "gh" {
		t.Errorf("played %q after the clear", got)
	}
	p.Mark("while the last frame sounds")
	if diff := cmp.Diff([]string{"abc", "def", "after"}, p.Echoes); diff != "" {
		t.Error(diff)
	}
	p.Play(2)
	if diff := cmp.Diff([]string{"abc", "def", "after", "while the last frame sounds"}, p.Echoes); diff != "" {
		t.Error(diff)
	}
	if dropped := p.Clear(); dropped != 0 {
		t.Errorf("a second clear dropped %d bytes", dropped)
	}
}

func TestTheCarrierIsStrict(t *testing.T) {
	const text = websocket.TextMessage
	for name, tt := range map[string]struct {
		kind  int
		text  string
		event string // "": a violation
	}{
		"media":                  {text, `{"event":"media","streamSid":"MZ1","media":{"payload":"/v8="}}`, "media"},
		"mark":                   {text, `{"event":"mark","streamSid":"MZ1","mark":{"name":"a"}}`, "mark"},
		"clear":                  {text, `{"event":"clear","streamSid":"MZ1"}`, "clear"},
		"binary":                 {websocket.BinaryMessage, `{"event":"clear","streamSid":"MZ1"}`, ""},
		"not JSON":               {text, `{`, ""},
		"no stream":              {text, `{"event":"clear"}`, ""},
		"another stream":         {text, `{"event":"clear","streamSid":"MZ2"}`, ""},
		"another event":          {text, `{"event":"stop","streamSid":"MZ1"}`, ""},
		"a member too many":      {text, `{"event":"clear","streamSid":"MZ1","sequenceNumber":"1"}`, ""},
		"a nested one too many":  {text, `{"event":"media","streamSid":"MZ1","media":{"payload":"/v8=","track":"outbound"}}`, ""},
		"media without audio":    {text, `{"event":"media","streamSid":"MZ1","media":{"payload":""}}`, ""},
		"media without media":    {text, `{"event":"media","streamSid":"MZ1"}`, ""},
		"media that is no audio": {text, `{"event":"media","streamSid":"MZ1","media":{"payload":"a3242sa..."}}`, ""},
		"a mark without a name":  {text, `{"event":"mark","streamSid":"MZ1","mark":{}}`, ""},
		"a clear with a mark":    {text, `{"event":"clear","streamSid":"MZ1","mark":{"name":"a"}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			event, _, _, err := mediastreamtest.ReadOrder(tt.kind, []byte(tt.text), "MZ1")
			if event != tt.event || (err != nil) != (tt.event == "") {
				t.Errorf("%q, %v", event, err)
			}
			if err != nil && !strings.HasPrefix(err.Error(), "31950") && !strings.HasPrefix(err.Error(), "31951") {
				t.Errorf("%v has no code", err)
			}
		})
	}
}

func TestPublishedMessagesToTheCarrier(t *testing.T) {
	seen := 0
	for _, line := range contract.Lines(t, "twilio-messages.jsonl") {
		var example struct {
			Provider, Dir string
			Message       json.RawMessage
		}
		if err := json.Unmarshal(line, &example); err != nil {
			t.Fatal(err)
		}
		if example.Provider != "twilio" || example.Dir != "out" {
			continue
		}
		seen++
		var m struct{ Event, StreamSid string }
		if err := json.Unmarshal(example.Message, &m); err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(string(example.Message), "a3242sa...", "a324", 1) // abbreviated there
		if event, _, _, err := mediastreamtest.ReadOrder(websocket.TextMessage, []byte(text), m.StreamSid); err != nil || event != m.Event {
			t.Errorf("%s: %q, %v", text, event, err)
		}
	}
	if seen != 3 {
		t.Errorf("%d messages, want 3", seen)
	}
}

func TestTwiMLIsObeyedOrRefused(t *testing.T) {
	const stream = `<Connect><Stream url="URL"><Parameter name="t" value="VALUE"/></Stream></Connect>`
	with := func(url, value string) string {
		return `<Response>` + strings.NewReplacer("URL", url, "VALUE", value).Replace(stream) + `<Hangup/></Response>`
	}
	for name, tt := range map[string]struct {
		twiml string
		want  string // the stream's URL
		cause media.Cause
	}{
		"connect":           {with("wss://gw.example/media", "x"), "wss://gw.example/media", 0},
		"without a hang-up": {strings.Replace(with("wss://gw.example/media", "x"), "<Hangup/>", "", 1), "", 0},
		"a query":           {with("wss://gw.example/media?t=x", "x"), "", 0},
		"https":             {with("https://gw.example/media", "x"), "", 0},
		"a long parameter":  {with("wss://gw.example/media", strings.Repeat("x", 500)), "", 0},
		"busy":              {`<Response><Reject reason="busy"/></Response>`, "", media.Busy},
		"rejected":          {`<Response><Reject reason="rejected"/></Response>`, "", media.Rejected},
		"a sentence":        {`<Response><Say>No.</Say><Hangup/></Response>`, "", media.Rejected},
		"nothing":           {`<Response/>`, "", 0},
		"no XML":            {`hello`, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := mediastreamtest.ReadTwiML(tt.twiml)
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("%q, %v", got, err)
			}
			if tt.cause != 0 && !errors.Is(err, tt.cause) {
				t.Errorf("%v is not %v", err, tt.cause)
			}
		})
	}
}
