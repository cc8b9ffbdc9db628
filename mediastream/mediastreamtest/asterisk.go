package mediastreamtest

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/bridge/media"
)

// asterisk speaks as chan_websocket does: µ-law in binary frames, of which only
// whole frames of 20 ms are played, control messages of at most 128 bytes. It is
// in JSON unless the parameter f is "plain". Some audio may precede MEDIA_START:
// as many frames as the parameter early says.
type asterisk struct{ plain bool }

func (a *asterisk) invite(_ context.Context, c *Call) (destination, error) {
	target, err := url.Parse(c.cfg.WebhookURL)
	if err != nil {
		return destination{}, fmt.Errorf("mediastreamtest: %w", err)
	}
	a.plain = c.cfg.Params.Get("f") == "plain"
	target.Scheme = "ws" + strings.TrimPrefix(target.Scheme, "http")
	query := url.Values{"from": {c.cfg.From}, "to": {c.cfg.To}}
	for name, values := range c.cfg.Params {
		query[name] = values
	}
	if c.cfg.Dialplan != nil {
		query.Set("transfer", c.cfg.CallSID)
		c.cfg.Dialplan.adopt(c)
	}
	target.RawQuery = query.Encode()
	return destination{url: target.String(), header: asteriskHeader(&c.cfg), subprotocol: "media"}, nil
}

func asteriskHeader(cfg *Config) http.Header {
	header := http.Header{}
	if cfg.AuthToken != "" {
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("asterisk:"+cfg.AuthToken)))
	}
	return header
}

func (a *asterisk) begin(c *Call, _ map[string]string) ([]frame, error) {
	early, err := strconv.Atoi(c.cfg.Params.Get("early"))
	if err != nil {
		early = 0
	}
	var out []frame
	for range early {
		audio := make([]byte, media.FrameBytes)
		media.PCMU.FillSilence(audio)
		audio[0] = 0x2A
		out = append(out, frame{websocket.BinaryMessage, audio})
	}
	if a.plain {
		return append(out, textFrame("MEDIA_START connection_id:"+c.cfg.CallSID+" channel:WebSocket/"+c.cfg.CallSID+
			" channel_id:"+c.stream+" format:ulaw optimal_frame_size:160 ptime:20")), nil
	}
	start, err := frames(map[string]any{
		"event": "MEDIA_START", "connection_id": c.cfg.CallSID, "channel": "WebSocket/" + c.cfg.CallSID,
		"channel_id": c.stream, "format": "ulaw", "optimal_frame_size": 160, "ptime": 20,
		"channel_variables": map[string]string{"TENANT": "example"},
	})
	return append(out, start...), err
}

// event returns an event with a member.
func (a *asterisk) event(c *Call, name, member, value string) frame {
	if a.plain {
		return textFrame(name + " " + member + ":" + strings.Trim(value, `"`) + " channel_id:" + c.stream)
	}
	return textFrame(`{"event":"` + name + `","channel_id":"` + c.stream + `","` + member + `":` + value + `}`)
}

func (*asterisk) media(_ *Call, _ int, _ int64, audio []byte) frame {
	return frame{websocket.BinaryMessage, append([]byte(nil), audio...)}
}

func (a *asterisk) digit(c *Call, d media.Digit) frame {
	return a.event(c, "DTMF_END", "digit", strconv.Quote(d.String()))
}

func (a *asterisk) played(c *Call, mark string) frame {
	return a.event(c, "MEDIA_MARK_PROCESSED", "correlation_id", strconv.Quote(mark))
}

// cleared returns nothing: marks are removed without a word.
func (*asterisk) cleared(*Call, []string) []frame { return nil }

func (a *asterisk) status(c *Call, frames int64) frame {
	return a.event(c, "STATUS", "queue_length", strconv.FormatInt(frames, 10))
}

func (*asterisk) stop(*Call) []frame { return nil }

func (a *asterisk) read(c *Call, kind int, text []byte) (order, error) {
	switch {
	case kind == websocket.BinaryMessage && (len(text) == 0 || len(text)%media.FrameBytes != 0 || len(text) > 65500):
		return order{}, fmt.Errorf("%d bytes: the tail of a frame is discarded, and 65500 are the limit", len(text))
	case kind == websocket.BinaryMessage:
		return order{event: "media", audio: append([]byte(nil), text...)}, nil
	case len(text) > 128:
		return order{}, fmt.Errorf("a command of %d bytes is ignored", len(text))
	}
	if a.plain {
		text = plainToJSON(string(text))
	}
	o, err := readShape(
		c, kind, text,
		shape{"mark", `{"command":"MARK_MEDIA","correlation_id":"$name"}`},
		shape{"status", `{"command":"GET_STATUS"}`},
		shape{"clear", `{"command":"FLUSH_MEDIA"}`},
		shape{"pause", `{"command":"PAUSE_MEDIA"}`},
		shape{"continue", `{"command":"CONTINUE_MEDIA"}`},
		shape{"answer", `{"command":"ANSWER"}`},
		shape{"hangup", `{"command":"HANGUP"}`},
	)
	o.framed = true
	return o, err
}

func plainToJSON(text string) []byte {
	command, id, ok := strings.Cut(text, " ")
	if ok {
		return []byte(`{"command":` + strconv.Quote(command) + `,"correlation_id":` + strconv.Quote(id) + `}`)
	}
	return []byte(`{"command":` + strconv.Quote(command) + `}`)
}
