package mediastreamtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/bridge/media"
)

// vonage speaks NCCO: 320 bytes of 16-bit PCM in each binary frame, at 8 kHz; a
// clear drops the notifies that wait and is acknowledged.
type vonage struct{}

func (vonage) invite(ctx context.Context, c *Call) (destination, error) {
	body, err := jsonBody(&c.cfg, map[string]any{
		"uuid": c.cfg.CallSID, "conversation_uuid": "CON-" + c.cfg.CallSID,
		"from": strings.TrimPrefix(c.cfg.From, "+"), "to": strings.TrimPrefix(c.cfg.To, "+"),
	})
	if err != nil {
		return destination{}, err
	}
	text, err := request(ctx, &c.cfg, jsonType, body, vonageHeader(&c.cfg, body))
	if err != nil {
		return destination{}, err
	}
	if c.cfg.Vonage != nil {
		c.cfg.Vonage.adopt(c)
	}
	return readNCCO(text)
}

// vonageHeader returns the header of a signed request: a JWT (RFC 7519) vouches
// for its body.
func vonageHeader(cfg *Config, body string) http.Header {
	header := http.Header{}
	if cfg.AuthToken == "" {
		return header
	}
	hash := sha256.Sum256([]byte(body))
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": "Vonage", "iat": time.Now().Unix(), "payload_hash": hex.EncodeToString(hash[:]),
	})
	if text, err := token.SignedString([]byte(cfg.AuthToken)); err == nil {
		header.Set("Authorization", "Bearer "+text)
	}
	return header
}

// readNCCO reads what to do with a call.
func readNCCO(text []byte) (destination, error) {
	var actions []struct {
		Action   string
		Text     string
		EventURL []string `json:"eventUrl"`
		Endpoint []struct {
			Type, URI   string
			ContentType string `json:"content-type"`
		}
	}
	if err := json.Unmarshal(text, &actions); err != nil {
		return destination{}, fmt.Errorf("mediastreamtest: NCCO: %w", err)
	}
	if len(actions) == 0 {
		return destination{}, &RejectedError{Reason: "ended"}
	}
	switch a := actions[0]; a.Action {
	case "talk":
		return destination{}, &RejectedError{Said: a.Text}
	case "connect":
		if len(a.Endpoint) != 1 || a.Endpoint[0].Type != "websocket" || a.Endpoint[0].ContentType != "audio/l16;rate=8000" || !below(a.Endpoint[0].URI) {
			return destination{}, fmt.Errorf("mediastreamtest: NCCO: endpoint %+v", a.Endpoint)
		}
		return destination{url: a.Endpoint[0].URI}, nil
	}
	return destination{}, fmt.Errorf("mediastreamtest: NCCO: %s", text)
}

func (vonage) begin(c *Call, _ map[string]string) ([]frame, error) {
	return frames(map[string]any{"event": "websocket:connected", "content-type": "audio/l16;rate=8000"})
}

func (vonage) media(_ *Call, _ int, _ int64, audio []byte) frame {
	return frame{websocket.BinaryMessage, toLinear(audio)}
}

func (vonage) digit(_ *Call, d media.Digit) frame {
	return textFrame(`{"event":"websocket:dtmf","digit":"` + d.String() + `","duration":260}`)
}

func (vonage) played(_ *Call, mark string) frame {
	return textFrame(`{"event":"websocket:notify","payload":{"name":` + strconv.Quote(mark) + `}}`)
}

func (vonage) cleared(*Call, []string) []frame {
	return []frame{textFrame(`{"event":"websocket:cleared"}`)}
}

func (vonage) status(*Call, int64) frame { return frame{} }
func (vonage) stop(*Call) []frame        { return nil }

func (vonage) read(c *Call, kind int, text []byte) (order, error) {
	if kind == websocket.BinaryMessage {
		if len(text) != 2*media.FrameBytes {
			return order{}, fmt.Errorf("a frame of %d bytes, not %d", len(text), 2*media.FrameBytes)
		}
		audio, err := fromLinear(text)
		if err != nil {
			return order{}, err
		}
		return order{event: "media", audio: audio}, nil
	}
	return readShape(
		c, kind, text,
		shape{"mark", `{"action":"notify","payload":{"name":"$name"}}`},
		shape{"clear", `{"action":"clear"}`},
	)
}
