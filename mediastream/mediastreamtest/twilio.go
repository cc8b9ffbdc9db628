package mediastreamtest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
)

// twilio speaks as documented under "Media Streams – WebSocket messages": every
// numeric member but those of mediaFormat is a string.
type twilio struct{}

func (twilio) invite(ctx context.Context, c *Call) (destination, error) {
	twiml, err := webhook(ctx, &c.cfg)
	if err != nil {
		return destination{}, err
	}
	answer, err := readTwiML(twiml)
	if err != nil {
		return destination{}, err
	}
	return answer.Connect.Stream.destination(&c.cfg), nil
}

// destination returns where the stream is to be opened, with a signature.
func (s *streamNoun) destination(cfg *Config) destination {
	to := destination{url: s.URL, header: http.Header{}, parameters: make(map[string]string)}
	if cfg.AuthToken != "" {
		to.header.Set("X-Twilio-Signature", mediastream.Sign(cfg.AuthToken, s.URL, nil))
	}
	for _, p := range s.Parameter {
		to.parameters[p.Name] = p.Value
	}
	return to
}

func (twilio) begin(c *Call, parameters map[string]string) ([]frame, error) {
	c.sequence++
	return frames(
		map[string]any{"event": "connected", "protocol": "Call", "version": "1.0.0"},
		map[string]any{
			"event": "start", "sequenceNumber": "1", "streamSid": c.stream,
			"start": map[string]any{
				"accountSid": c.cfg.AccountSID, "streamSid": c.stream, "callSid": c.cfg.CallSID,
				"tracks": []string{"inbound"}, "customParameters": parameters,
				"mediaFormat": map[string]any{"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
			},
		},
	)
}

func (t twilio) media(c *Call, n int, stamp int64, audio []byte) frame {
	return t.message(c, `"event":"media","media":`+mediaObject(n, stamp, audio))
}

// mediaObject is what media messages of most carriers contain.
func mediaObject(n int, stamp int64, audio []byte) string {
	return `{"track":"inbound","chunk":"` + strconv.Itoa(n) +
		`","timestamp":"` + strconv.FormatInt(stamp, 10) +
		`","payload":"` + base64.StdEncoding.EncodeToString(audio) + `"}`
}

func (t twilio) digit(c *Call, d media.Digit) frame {
	return t.message(c, `"event":"dtmf","dtmf":{"track":"inbound_track","digit":"`+d.String()+`"}`)
}

func (t twilio) played(c *Call, mark string) frame {
	return t.message(c, `"event":"mark","mark":{"name":`+strconv.Quote(mark)+`}`)
}

func (t twilio) cleared(c *Call, marks []string) (out []frame) {
	for _, mark := range marks {
		out = append(out, t.played(c, mark))
	}
	return out
}

func (twilio) status(*Call, int64) frame { return frame{} }

func (t twilio) stop(c *Call) []frame {
	return []frame{t.message(c, `"event":"stop","stop":{"accountSid":"`+c.cfg.AccountSID+`","callSid":"`+c.cfg.CallSID+`"}`)}
}

func (twilio) read(c *Call, kind int, text []byte) (order, error) {
	return readOrder(kind, text, c.stream)
}

// message returns a message with the members that all have.
func (twilio) message(c *Call, members string) frame {
	c.sequence++
	return textFrame(`{` + members + `,"streamSid":"` + c.stream +
		`","sequenceNumber":"` + strconv.Itoa(c.sequence) + `"}`)
}

func textFrame(text string) frame { return frame{websocket.TextMessage, []byte(text)} }

// frames returns messages as JSON.
func frames(messages ...any) (out []frame, err error) {
	for _, m := range messages {
		text, err := json.Marshal(m)
		if err != nil {
			return nil, fmt.Errorf("mediastreamtest: %w", err)
		}
		out = append(out, frame{websocket.TextMessage, text})
	}
	return out, nil
}
