package mediastreamtest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/bridge/media"
)

// jambonz speaks as its server does in a listen verb that streams both ways.
type jambonz struct{}

func (jambonz) invite(ctx context.Context, c *Call) (destination, error) {
	body, err := jsonBody(&c.cfg, map[string]any{
		"call_sid": c.cfg.CallSID, "account_sid": c.cfg.AccountSID, "direction": "inbound",
		"from": c.cfg.From, "to": c.cfg.To, "call_status": "trying", "sip_status": 100,
	})
	if err != nil {
		return destination{}, err
	}
	text, err := request(ctx, &c.cfg, jsonType, body, jambonzHeader(&c.cfg, body))
	if err != nil {
		return destination{}, err
	}
	if c.cfg.Jambonz != nil {
		c.cfg.Jambonz.adopt(c)
	}
	return readVerbList(text)
}

// jambonzHeader returns the header of a signed request.
func jambonzHeader(cfg *Config, body string) http.Header {
	header := http.Header{}
	if cfg.AuthToken != "" {
		at := strconv.FormatInt(time.Now().Unix(), 10)
		mac := hmac.New(sha256.New, []byte(cfg.AuthToken))
		mac.Write([]byte(at + "." + body))
		header.Set("Jambonz-Signature", "t="+at+",v1="+hex.EncodeToString(mac.Sum(nil)))
	}
	return header
}

// readVerbList reads what to do with a call.
func readVerbList(text []byte) (destination, error) {
	var verbs []struct {
		Verb, URL, Text string
		Status          int
		SampleRate      int
		PassDTMF        bool `json:"passDtmf"`
		Bidirectional   struct {
			Enabled, Streaming bool
			SampleRate         int
		} `json:"bidirectionalAudio"`
	}
	if err := json.Unmarshal(text, &verbs); err != nil {
		return destination{}, fmt.Errorf("mediastreamtest: verbs: %w", err)
	}
	for i, v := range verbs {
		switch v.Verb {
		case "answer":
		case "sip:decline":
			reason := "rejected"
			if v.Status == 486 {
				reason = "busy"
			}
			return destination{}, &RejectedError{Reason: reason}
		case "say":
			return destination{}, &RejectedError{Said: v.Text}
		case "listen":
			b := v.Bidirectional
			if !b.Enabled || !b.Streaming || b.SampleRate != 8000 || v.SampleRate != 8000 || !v.PassDTMF || !below(v.URL) || i+1 == len(verbs) {
				return destination{}, fmt.Errorf("mediastreamtest: verbs: %s", text)
			}
			return destination{url: v.URL, subprotocol: "audio.drachtio.org"}, nil
		default:
			return destination{}, fmt.Errorf("mediastreamtest: verbs: unknown %q", v.Verb)
		}
	}
	return destination{}, fmt.Errorf("mediastreamtest: verbs: none connects: %s", text)
}

func (jambonz) begin(c *Call, _ map[string]string) ([]frame, error) {
	return frames(map[string]any{
		"callSid": c.cfg.CallSID, "accountSid": c.cfg.AccountSID, "from": c.cfg.From, "to": c.cfg.To,
		"direction": "inbound", "sampleRate": 8000, "mixType": "mono",
	})
}

func (jambonz) media(_ *Call, _ int, _ int64, audio []byte) frame {
	return frame{websocket.BinaryMessage, toLinear(audio)}
}

func (jambonz) digit(_ *Call, d media.Digit) frame {
	return textFrame(`{"event":"dtmf","dtmf":"` + d.String() + `","duration":"1600"}`)
}

func (jambonz) played(_ *Call, mark string) frame { return jambonzMark(mark, "playout") }

func (jambonz) cleared(_ *Call, marks []string) (out []frame) {
	for _, mark := range marks {
		out = append(out, jambonzMark(mark, "cleared"))
	}
	return out
}

func jambonzMark(mark, event string) frame {
	return textFrame(`{"type":"mark","data":{"name":` + strconv.Quote(mark) + `,"event":"` + event + `"}}`)
}

func (jambonz) status(*Call, int64) frame { return frame{} }
func (jambonz) stop(*Call) []frame        { return nil }

func (jambonz) read(c *Call, kind int, text []byte) (order, error) {
	if kind == websocket.BinaryMessage {
		audio, err := fromLinear(text)
		if err != nil {
			return order{}, err
		}
		return order{event: "media", audio: audio}, nil
	}
	return readShape(
		c, kind, text,
		shape{"mark", `{"type":"mark","data":{"name":"$name"}}`},
		shape{"clear", `{"type":"killAudio"}`},
		shape{"nothing", `{"type":"clearMarks"}`}, // killAudio has
		shape{"hangup", `{"type":"disconnect"}`},
	)
}
