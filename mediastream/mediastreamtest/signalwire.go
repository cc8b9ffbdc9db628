package mediastreamtest

import (
	"context"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
)

// signalwire speaks cXML: as Twilio, but only dtmf and mark name the stream at
// top level, the latter without a sequence number. Parameters get lost, and the
// upgrade is not signed.
type signalwire struct{ twilio }

func (signalwire) invite(ctx context.Context, c *Call) (destination, error) {
	form := callForm(&c.cfg)
	header := http.Header{}
	if c.cfg.AuthToken != "" {
		header.Set("X-SignalWire-Signature", mediastream.Sign(c.cfg.AuthToken, signedURL(&c.cfg), form))
	}
	text, err := request(ctx, &c.cfg, formType, form.Encode(), header)
	if err != nil {
		return destination{}, err
	}
	var codec struct {
		Stream struct {
			Codec    string `xml:"codec,attr"`
			Realtime string `xml:"realtime,attr"`
		} `xml:"Connect>Stream"`
	}
	answer, err := readTwiML(text)
	if err == nil {
		err = xml.Unmarshal(text, &codec)
	}
	if err != nil {
		return destination{}, err
	}
	if s := codec.Stream; s.Codec != "" && s.Codec != "PCMU@8000h" || s.Realtime == "true" {
		return destination{}, fmt.Errorf("mediastreamtest: cXML: codec %q, realtime %q", s.Codec, s.Realtime)
	}
	return destination{url: answer.Connect.Stream.URL}, nil
}

// callForm returns the parameters of Twilio's webhook.
func callForm(cfg *Config) url.Values {
	form := url.Values{
		"CallSid": {cfg.CallSID}, "AccountSid": {cfg.AccountSID}, "ApiVersion": {"2010-04-01"},
		"From": {cfg.From}, "To": {cfg.To}, "CallStatus": {"ringing"}, "Direction": {"inbound"},
	}
	maps.Copy(form, cfg.Params)
	return form
}

func (signalwire) begin(c *Call, _ map[string]string) ([]frame, error) {
	c.sequence++
	return frames(
		map[string]any{"event": "connected", "protocol": "Call", "version": "0.2.0"},
		map[string]any{
			"event": "start", "sequenceNumber": "1",
			"start": map[string]any{
				"accountSid": c.cfg.AccountSID, "streamSid": c.stream, "callSid": c.cfg.CallSID,
				"tracks": []string{"inbound"}, "customParameters": map[string]string{},
				"mediaFormat": map[string]any{"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
			},
		},
	)
}

func (s signalwire) media(c *Call, n int, stamp int64, audio []byte) frame {
	return s.message(c, `"event":"media","media":`+mediaObject(n, stamp, audio))
}

func (s signalwire) digit(c *Call, d media.Digit) frame {
	return s.message(c, `"event":"dtmf","streamSid":"`+c.stream+`","dtmf":{"digit":"`+d.String()+`","duration":2000}`)
}

func (signalwire) played(c *Call, mark string) frame {
	return textFrame(`{"event":"mark","streamSid":"` + c.stream + `","mark":{"name":` + strconv.Quote(mark) + `}}`)
}

func (s signalwire) cleared(c *Call, marks []string) (out []frame) {
	for _, mark := range marks {
		out = append(out, s.played(c, mark))
	}
	return out
}

func (s signalwire) stop(c *Call) []frame { return []frame{s.message(c, `"event":"stop"`)} }

func (signalwire) message(c *Call, members string) frame {
	c.sequence++
	return textFrame(`{` + members + `,"sequenceNumber":"` + strconv.Itoa(c.sequence) + `"}`)
}

// below tells whether text is a URL of a WebSocket without a query.
func below(text string) bool {
	u, err := url.Parse(text)
	return err == nil && strings.HasPrefix(u.Scheme, "ws") && u.Host != "" && u.RawQuery == ""
}
