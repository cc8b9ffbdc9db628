package mediastreamtest

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// telnyx speaks TeXML: names with underscores, the stream's id beside every
// message's body, none in messages to it.
type telnyx struct{}

func (telnyx) invite(ctx context.Context, c *Call) (destination, error) {
	if c.cfg.Telnyx != nil {
		return c.cfg.Telnyx.ring(ctx, c)
	}
	body := callForm(&c.cfg).Encode()
	text, err := request(ctx, &c.cfg, formType, body, telnyxHeader(&c.cfg, body))
	if err != nil {
		return destination{}, err
	}
	if c.cfg.TeXML != nil {
		c.cfg.TeXML.adopt(c)
	}
	return readTeXML(text)
}

// readTeXML reads what to do with a call.
func readTeXML(text []byte) (destination, error) {
	answer, err := readTwiML(text)
	if err != nil {
		return destination{}, err
	}
	var mode struct {
		Stream struct {
			Mode  string `xml:"bidirectionalMode,attr"`
			Codec string `xml:"bidirectionalCodec,attr"`
			Track string `xml:"track,attr"`
		} `xml:"Connect>Stream"`
	}
	if err := xml.Unmarshal(text, &mode); err != nil {
		return destination{}, fmt.Errorf("mediastreamtest: TeXML: %w", err)
	}
	if s := mode.Stream; s.Mode != "rtp" || s.Codec != "PCMU" || s.Track != "inbound_track" {
		return destination{}, fmt.Errorf("mediastreamtest: TeXML: mode %q (default mp3), codec %q, track %q", s.Mode, s.Codec, s.Track)
	}
	return destination{url: answer.Connect.Stream.URL}, nil
}

// telnyxHeader returns the header of a signed request.
func telnyxHeader(cfg *Config, body string) http.Header {
	header := http.Header{}
	if cfg.AuthToken == "" {
		return header
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	seed, err := base64.StdEncoding.DecodeString(cfg.AuthToken)
	if err != nil || len(seed) != ed25519.SeedSize {
		seed = make([]byte, ed25519.SeedSize) // somebody else's
	}
	signature := ed25519.Sign(ed25519.NewKeyFromSeed(seed), []byte(at+"|"+body))
	header.Set("telnyx-timestamp", at)
	header.Set("telnyx-signature-ed25519", base64.StdEncoding.EncodeToString(signature))
	return header
}

func (telnyx) begin(c *Call, _ map[string]string) ([]frame, error) {
	c.sequence++
	return frames(
		map[string]any{"event": "connected", "version": "1.0.0"},
		map[string]any{
			"event": "start", "sequence_number": "1", "stream_id": c.stream,
			"start": map[string]any{
				"user_id": "3E6F995F-85F7-4705-9741-53B116D28237", "call_control_id": c.cfg.CallSID,
				"call_session_id": "ff55a038-6f5d-11ef-9692-02420aeffb1f", "from": c.cfg.From, "to": c.cfg.To,
				"media_format": map[string]any{"encoding": "PCMU", "sample_rate": 8000, "channels": 1},
			},
		},
	)
}

func (t telnyx) media(c *Call, n int, stamp int64, audio []byte) frame {
	return t.message(c, `"event":"media","media":`+mediaObject(n, stamp, audio))
}

func (t telnyx) digit(c *Call, d media.Digit) frame {
	return t.message(c, `"event":"dtmf","occurred_at":"2026-06-05T08:54:19.698408Z","dtmf":{"digit":"`+d.String()+`"}`)
}

func (t telnyx) played(c *Call, mark string) frame {
	return t.message(c, `"event":"mark","mark":{"name":`+strconv.Quote(mark)+`}`)
}

func (t telnyx) cleared(c *Call, marks []string) (out []frame) {
	for _, mark := range marks {
		out = append(out, t.played(c, mark))
	}
	return out
}

func (telnyx) status(*Call, int64) frame { return frame{} }

func (t telnyx) stop(c *Call) []frame {
	return []frame{t.message(c, `"event":"stop","stop":{"call_control_id":"`+c.cfg.CallSID+`"}`)}
}

func (telnyx) read(c *Call, kind int, text []byte) (order, error) {
	o, err := readShape(
		c, kind, text,
		shape{"media", `{"event":"media","media":{"payload":"$audio"}}`},
		shape{"mark", `{"event":"mark","mark":{"name":"$name"}}`},
		shape{"clear", `{"event":"clear"}`},
	)
	// RTP mode takes chunks of 20 ms to 30 s.
	if n := len(o.audio); err == nil && o.event == "media" && (n < media.FrameBytes || n > 30*media.SampleRate) {
		return order{}, fmt.Errorf("100004: media of %d bytes", n)
	}
	return o, err
}

func (telnyx) message(c *Call, members string) frame {
	c.sequence++
	return textFrame(`{` + members + `,"stream_id":"` + c.stream + `","sequence_number":"` + strconv.Itoa(c.sequence) + `"}`)
}
