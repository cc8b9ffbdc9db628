package mediastreamtest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/callgw/callgw/bridge/media"
)

// plivo speaks as its SDK reads: sequence numbers and chunks are numbers, there
// is neither a connected nor a stop message, checkpoints come back as
// playedStream, and those that a clear finds do not: nothing says that they do.
type plivo struct{}

func (plivo) invite(ctx context.Context, c *Call) (destination, error) {
	form := url.Values{
		"CallUUID": {c.cfg.CallSID}, "From": {strings.TrimPrefix(c.cfg.From, "+")}, "To": {strings.TrimPrefix(c.cfg.To, "+")},
		"CallStatus": {"ringing"}, "Direction": {"inbound"}, "Event": {"StartApp"},
	}
	maps.Copy(form, c.cfg.Params)
	text, err := request(ctx, &c.cfg, formType, form.Encode(), plivoHeader(&c.cfg, form))
	if err != nil {
		return destination{}, err
	}
	if c.cfg.Plivo != nil {
		c.cfg.Plivo.adopt(c)
	}
	return readPlivoXML(text)
}

// plivoHeader returns the header of a signed request to the webhook's URL.
func plivoHeader(cfg *Config, form url.Values) http.Header {
	header := http.Header{}
	if cfg.AuthToken == "" {
		return header
	}
	const nonce = "05429567804466091622"
	bare, query, _ := strings.Cut(signedURL(cfg), "?")
	var base strings.Builder
	base.WriteString(bare + "?")
	if text, err := url.QueryUnescape(query); err == nil && query != "" { // of one parameter
		base.WriteString(text + ".")
	}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		base.WriteString(name + form.Get(name))
	}
	mac := hmac.New(sha256.New, []byte(cfg.AuthToken))
	mac.Write([]byte(base.String() + "." + nonce))
	header.Set("X-Plivo-Signature-V3-Nonce", nonce)
	header.Set("X-Plivo-Signature-V3", "AAAA,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return header
}

// readPlivoXML reads what to do with a call.
func readPlivoXML(text []byte) (destination, error) {
	var r struct {
		XMLName xml.Name `xml:"Response"`
		Stream  *struct {
			URL           string `xml:",chardata"`
			Bidirectional string `xml:"bidirectional,attr"`
			KeepCallAlive string `xml:"keepCallAlive,attr"`
			ContentType   string `xml:"contentType,attr"`
			AudioTrack    string `xml:"audioTrack,attr"`
		}
		Speak  string
		Hangup *struct {
			Reason string `xml:"reason,attr"`
		}
	}
	err := xml.Unmarshal(text, &r)
	switch {
	case err != nil:
		return destination{}, fmt.Errorf("mediastreamtest: XML: %w", err)
	case r.Speak != "":
		return destination{}, &RejectedError{Said: r.Speak}
	case r.Hangup == nil:
		return destination{}, fmt.Errorf("mediastreamtest: XML: nothing ends the call: %s", text)
	case r.Stream == nil:
		return destination{}, &RejectedError{Reason: r.Hangup.Reason}
	}
	s := r.Stream
	if s.Bidirectional != "true" || s.KeepCallAlive != "true" || s.ContentType != "audio/x-mulaw;rate=8000" || s.AudioTrack == "outbound" || !below(s.URL) {
		return destination{}, fmt.Errorf("mediastreamtest: XML: stream %+v", *s)
	}
	return destination{url: s.URL}, nil
}

func (plivo) begin(c *Call, _ map[string]string) ([]frame, error) {
	c.sequence++
	return frames(map[string]any{
		"event": "start", "sequenceNumber": 1,
		"start": map[string]any{
			"callId": c.cfg.CallSID, "streamId": c.stream, "accountId": "MAXXXXXXXXXXXXXXXXXX",
			"tracks":      []string{"inbound"},
			"mediaFormat": map[string]any{"encoding": "audio/x-mulaw", "sampleRate": 8000},
		},
	})
}

func (p plivo) media(c *Call, n int, stamp int64, audio []byte) frame {
	return p.message(c, `"event":"media","media":{"track":"inbound","timestamp":"`+strconv.FormatInt(1705312200000+stamp, 10)+
		`","chunk":`+strconv.Itoa(n)+`,"payload":"`+base64.StdEncoding.EncodeToString(audio)+`"}`)
}

func (p plivo) digit(c *Call, d media.Digit) frame {
	return p.message(c, `"event":"dtmf","dtmf":{"track":"inbound","digit":"`+d.String()+`","timestamp":"1705312250000"}`)
}

func (p plivo) played(c *Call, mark string) frame {
	return p.message(c, `"event":"playedStream","name":`+strconv.Quote(mark))
}

func (p plivo) cleared(c *Call, _ []string) []frame {
	return []frame{p.message(c, `"event":"clearedAudio"`)}
}

func (plivo) status(*Call, int64) frame { return frame{} }
func (plivo) stop(*Call) []frame        { return nil }

func (plivo) read(c *Call, kind int, text []byte) (order, error) {
	return readShape(
		c, kind, text,
		shape{"media", `{"event":"playAudio","media":{"contentType":"audio/x-mulaw","sampleRate":8000,"payload":"$audio"}}`},
		shape{"mark", `{"event":"checkpoint","streamId":"$stream","name":"$name"}`},
		shape{"clear", `{"event":"clearAudio","streamId":"$stream"}`},
	)
}

func (plivo) message(c *Call, members string) frame {
	c.sequence++
	return textFrame(`{` + members + `,"streamId":"` + c.stream + `","sequenceNumber":` + strconv.Itoa(c.sequence) + `}`)
}
