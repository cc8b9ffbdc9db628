package mediastream_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

// startAgain is a second start message of each carrier.
var startAgain = map[mediastream.Carrier]string{
	mediastream.Twilio:     `{"event":"start","start":{}}`,
	mediastream.SignalWire: `{"event":"start","start":{}}`,
	mediastream.Telnyx:     `{"event":"start","start":{}}`,
	mediastream.Plivo:      `{"event":"start","start":{}}`,
	mediastream.Generic:    `{"event":"start","start":{}}`,
	mediastream.Vonage:     `{"event":"websocket:connected","content-type":"audio/l16;rate=8000"}`,
	mediastream.Jambonz:    `{"callSid":"1","sampleRate":8000}`,
	mediastream.Asterisk:   `{"event":"MEDIA_START","format":"ulaw"}`,
}

func TestConformanceBreachesOfTheProtocol(t *testing.T) {
	binary := map[mediastream.Carrier]bool{mediastream.Vonage: true, mediastream.Jambonz: true, mediastream.Asterisk: true}
	for name, tt := range map[string]struct {
		kind int
		text func(mediastream.Carrier) string
		code int // 0: it is none, and the call goes on
	}{
		"not what was agreed":   {websocket.TextMessage, func(mediastream.Carrier) string { return "{hello" }, 1007},
		"more than 64 KiB":      {websocket.TextMessage, func(mediastream.Carrier) string { return strings.Repeat("x", 70_000) }, 1009},
		"a second start":        {websocket.TextMessage, func(c mediastream.Carrier) string { return startAgain[c] }, 1002},
		"an event of tomorrow":  {websocket.TextMessage, func(mediastream.Carrier) string { return `{"event":"weather","type":"x"}` }, 0},
		"a mark of nobody":      {websocket.TextMessage, func(mediastream.Carrier) string { return `{"event":"mark","mark":{"name":"g9.9"}}` }, 0},
		"a binary frame":        {websocket.BinaryMessage, func(mediastream.Carrier) string { return strings.Repeat("\xFF", 320) }, 1003},
		"an empty binary frame": {websocket.BinaryMessage, func(mediastream.Carrier) string { return "" }, 1003},
	} {
		t.Run(name, func(t *testing.T) {
			everyCarrier(t, func(t *testing.T, carrier mediastream.Carrier) {
				code := tt.code
				if tt.kind == websocket.BinaryMessage && binary[carrier] {
					code = 0
				}
				ended := make(chan error, 1)
				g := serveCarrier(t, carrier, mediastream.Config{Handler: answer(&ear{}, newMouth(), nil, ended)})
				call, over := dial(t, g.phoneOf(carrier), &ear{}, newMouth())
				time.Sleep(100 * ms)
				call.Misspeak(tt.kind, []byte(tt.text(carrier)))
				if code == 0 {
					time.Sleep(time.Second)
					_ = call.Hangup(t.Context(), media.CallerHungUp)
					if err := <-ended; media.CauseOf(err) != media.CallerHungUp {
						t.Errorf("stream ended with %v", err)
					}
					<-over
					return
				}
				// Where hanging up is a message, it comes before the close.
				if err := <-over; !strings.Contains(err.Error(), fmt.Sprint(code)) && !strings.Contains(err.Error(), "hangs up") {
					t.Errorf("phone ended with %v, want %d", err, code)
				}
				if err := <-ended; media.CauseOf(err) != media.LegFailed {
					t.Errorf("stream ended with %v", err)
				}
			})
		})
	}
}

func TestConformanceTheConnectionIsLost(t *testing.T) {
	everyCarrier(t, func(t *testing.T, carrier mediastream.Carrier) {
		ended := make(chan error, 1)
		g := serveCarrier(t, carrier, mediastream.Config{Handler: answer(&ear{}, newMouth(), nil, ended)})
		call, over := dial(t, g.phoneOf(carrier), &ear{}, newMouth())
		time.Sleep(time.Second)
		call.Crash()
		if err := <-ended; media.CauseOf(err) != media.LegFailed {
			t.Errorf("stream ended with %v", err)
		}
		<-over
	})
}

func TestConformanceSilenceThatIsLeftOutIsFilledIn(t *testing.T) {
	everyCarrier(t, func(t *testing.T, carrier mediastream.Carrier) {
		up, ended := &ear{}, make(chan error, 1)
		g := serveCarrier(t, carrier, mediastream.Config{Handler: answer(up, newMouth(), nil, ended)})
		cfg := g.phoneOf(carrier)
		cfg.SkipSilence = true
		said := bytes.Join([][]byte{speech(8000), bytes.Repeat([]byte{0xFF}, 16000), speech(8000)}, nil)
		call, over := dial(t, cfg, &ear{}, newMouth(said))
		time.Sleep(5 * time.Second)
		_ = call.Hangup(t.Context(), media.CallerHungUp)
		<-over
		<-ended
		heard := bytes.Trim(up.heard(), "\xFF")
		// Without timestamps, what is missing cannot be told from what is late:
		// the last 100 ms of a silence are not invented.
		if off := len(heard) - len(said); off < -int(media.Bytes(100*ms)) || off > 0 {
			t.Errorf("%d bytes heard of %d said", len(heard), len(said))
		}
	})
}

func TestATokenInThePathWorksOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		g := serveCarrier(t, mediastream.SignalWire, mediastream.Config{Handler: answer(&ear{}, newMouth(), nil, ended)})
		form := callForm()
		status, body := g.post(t, "/signalwire/voice", form, func(r *http.Request) {
			r.Header.Set("X-SignalWire-Signature", mediastream.Sign(token, public+"/signalwire/voice", form))
		})
		_, path, ok := strings.Cut(body, `url="wss://voice.example.com`)
		path, _, _ = strings.Cut(path, `"`)
		if status != http.StatusOK || !ok {
			t.Fatalf("%d %s", status, body)
		}
		start := strings.NewReplacer(`"streamSid":"`+streamSID+`","start"`, `"start"`).Replace(startMessage(""))
		open := func() *websocket.Conn {
			dialer := websocket.Dialer{NetDialContext: g.net.DialContext}
			ws, _, err := dialer.DialContext(t.Context(), "ws://gateway.test"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			send(t, ws, websocket.TextMessage, connected, start)
			return ws
		}
		first := open()
		time.Sleep(time.Second)
		if code := closedWith(t, open()); code != 1008 {
			t.Errorf("the second socket was closed with %d", code)
		}
		send(t, first, websocket.TextMessage, `{"event":"stop"}`)
		if code := closedWith(t, first); code != 1000 {
			t.Errorf("the first socket was closed with %d", code)
		}
		if err := <-ended; media.CauseOf(err) != media.CallerHungUp {
			t.Error(err)
		}
	})
}

func TestTelnyxMessagesThatOvertakeEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up, ended := &ear{}, make(chan error, 1)
		g := serveCarrier(t, mediastream.Telnyx, mediastream.Config{Handler: answer(up, newMouth(), nil, ended)})
		cfg := g.phoneOf(mediastream.Telnyx)
		cfg.Swap, cfg.Duplicate = 5, 7
		said := speech(5 * media.SampleRate)
		call, over := dial(t, cfg, &ear{}, newMouth(said))
		time.Sleep(6 * time.Second)
		_ = call.Hangup(t.Context(), media.CallerHungUp)
		<-over
		<-ended
		if got := bytes.TrimLeft(up.heard(), "\xFF"); !bytes.HasPrefix(got, said) {
			t.Error("what was heard is not in order")
		}
	})
}

func TestAsteriskInPlainTextWithEarlyAudio(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up, agent := &ear{}, speech(2*media.SampleRate+80)
		down, ended, streams := newMouth(agent), make(chan error, 1), make(chan *mediastream.Stream, 1)
		g := serveCarrier(t, mediastream.Asterisk, mediastream.Config{Handler: answer(up, down, streams, ended)})
		cfg := g.phoneOf(mediastream.Asterisk)
		cfg.Params, cfg.Record = map[string][]string{"f": {"plain"}, "early": {"3"}, "tenant": {"example"}}, true
		call, over := dial(t, cfg, &ear{}, newMouth())
		s := next(t, streams)
		if got := s.Params().Get("tenant"); got != "example" {
			t.Errorf("tenant %q", got)
		}
		call.Digit('7')
		time.Sleep(3 * time.Second)
		if heard, _ := down.position(); heard != int64(len(agent)) {
			t.Errorf("heard %d of %d", heard, len(agent))
		}
		if n := bytes.Count(up.heard(), []byte{0x2A}); n != 3 {
			t.Errorf("%d of 3 early frames were heard", n)
		}
		if got := string(up.pressed()); got != "7" {
			t.Errorf("pressed %q", got)
		}
		down.say(speech(8000))
		time.Sleep(500 * ms)
		heard := s.Flush()
		time.Sleep(100 * ms)
		if clears := call.Clears(); len(clears) != 1 || clears[0].Position != heard+80 { // the padding of the first turn
			t.Errorf("heard %d, clears %+v", heard, clears)
		}
		_ = s.Hangup(t.Context(), media.AgentHungUp)
		<-over
		<-ended
		noViolations(t, call)
	})
}

func TestAsteriskThatIsFullIsObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down, ended, streams := newMouth(speech(20*media.SampleRate)), make(chan error, 1), make(chan *mediastream.Stream, 1)
		g := serveCarrier(t, mediastream.Asterisk, mediastream.Config{Handler: answer(&ear{}, down, streams, ended)})
		call, over := dial(t, g.phoneOf(mediastream.Asterisk), &ear{}, newMouth())
		next(t, streams)
		time.Sleep(time.Second)
		call.Misspeak(websocket.TextMessage, []byte(`{"event":"MEDIA_XOFF"}`))
		time.Sleep(100 * ms)
		_, before := down.position()
		time.Sleep(2 * time.Second)
		if _, after := down.position(); after != before {
			t.Errorf("%d bytes were taken while full", after-before)
		}
		call.Misspeak(websocket.TextMessage, []byte(`{"event":"MEDIA_XON"}`))
		time.Sleep(100 * ms)
		if _, after := down.position(); after == before {
			t.Error("nothing was taken after that")
		}
		_ = call.Hangup(t.Context(), media.CallerHungUp)
		<-over
		<-ended
	})
}

func TestASecretOfAGenericPeerMayBeABearer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		streams := make(chan *mediastream.Stream, 1)
		g := serveCarrier(t, mediastream.Generic, mediastream.Config{Handler: answer(&ear{}, newMouth(), streams, ended)})
		dialer := websocket.Dialer{NetDialContext: g.net.DialContext}
		open := func(secret string) (*websocket.Conn, *http.Response) {
			ws, response, err := dialer.DialContext(t.Context(), "ws://gateway.test/generic/media?to=100", http.Header{"Authorization": {"Bearer " + secret}})
			if (err == nil) != (secret == token) {
				t.Fatal(err)
			}
			return ws, response
		}
		if _, response := open("guess"); response.StatusCode != http.StatusUnauthorized {
			t.Errorf("status %d", response.StatusCode)
		}
		ws, _ := open(token)
		send(t, ws, websocket.TextMessage, `{"event":"start","start":{"streamSid":"1","customParameters":{"from":"web","plan":"gold"},"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}}}`)
		s := next(t, streams)
		if s.From() != "web" || s.To() != "100" || s.Params().Get("plan") != "gold" || s.CallSID() == "" {
			t.Errorf("params %v", s.Params())
		}
		go func() { _ = s.Hangup(context.Background(), media.AgentHungUp) }()
		if code := closedWith(t, ws); code != 1000 {
			t.Errorf("closed with %d", code)
		}
		<-ended
	})
}

func TestDrainingRefusesSocketsThatBeginCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := serveCarrier(t, mediastream.Asterisk, mediastream.Config{Handler: func(context.Context, *mediastream.Stream) { t.Error("served") }})
		g.Drain()
		call, err := mediastreamtest.Dial(t.Context(), g.phoneOf(mediastream.Asterisk))
		if err != nil {
			return // closed before it began
		}
		if err := call.Run(t.Context(), &ear{}, newMouth()); !strings.Contains(err.Error(), "1001") {
			t.Error(err)
		}
	})
}
