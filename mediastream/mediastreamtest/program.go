package mediastreamtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Program is what a generic peer can do besides carrying audio.
type Program struct {
	// Capabilities are what it says in its start message: transfer, hangup.
	Capabilities []string
	// Transfer says what becomes of a transfer: the reason why nobody has taken
	// the caller, "" if somebody has, and when that is known; less than 0: it is
	// never told. Default: somebody has, at once.
	Transfer func(Dialled) (reason string, after time.Duration)

	mu       sync.Mutex
	requests []string
}

// Requests returns what was asked for: transfer or hangup.
func (p *Program) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests)
}

func (p *Program) book(request string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, request)
}

// transfer hands a caller over, or says later why not.
func (p *Program) transfer(c *Call, o order) {
	p.book("transfer")
	reason, after := "", time.Duration(0)
	if p.Transfer != nil {
		reason, after = p.Transfer(o.dialled)
	}
	if after < 0 {
		return
	}
	if after > o.dialled.Timeout {
		reason, after = "no-answer", o.dialled.Timeout
	}
	answer := `{"event":"transferred","transfer":{"id":"` + o.mark + `"}}`
	if reason != "" {
		answer = `{"event":"transfer_failed","transfer":{"id":"` + o.mark + `","reason":` + strconv.Quote(reason) + `}}`
	}
	time.AfterFunc(after, func() {
		_ = c.tell(context.Background(), control{kind: misspeak, frame: textFrame(answer)}, false) // it may be over
	})
}

// readTransfer reads a message that asks a program for a transfer.
func readTransfer(text []byte, stream string) (order, error) {
	var m struct {
		Event, StreamSid string
		Transfer         struct {
			ID, Target string
			Timeout    int
			Headers    map[string]string
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&m); err != nil {
		return order{}, fmt.Errorf("transfer: %w: %.200s", err, text)
	}
	t := m.Transfer
	o := order{event: "transfer", mark: t.ID, dialled: Dialled{Timeout: time.Duration(t.Timeout) * time.Second}}
	switch {
	case m.StreamSid != stream || t.ID == "" || t.Timeout < 1:
		return order{}, fmt.Errorf("transfer: %s", text)
	case address.MatchString(t.Target):
		o.dialled.SIP, o.dialled.Headers = t.Target, url.Values{}
		for name, value := range t.Headers {
			o.dialled.Headers.Set(name, value)
		}
	case extension.MatchString(t.Target) && t.Headers == nil:
		o.dialled.Number = t.Target
	default:
		return order{}, fmt.Errorf("transfer: target %q", t.Target)
	}
	return o, nil
}

func (g generic) begin(c *Call, parameters map[string]string) ([]frame, error) {
	begin, err := g.twilio.begin(c, parameters)
	if err != nil || c.cfg.Program == nil {
		return begin, err
	}
	able, err := json.Marshal(c.cfg.Program.Capabilities)
	for i := range begin {
		begin[i].text = bytes.Replace(begin[i].text, []byte(`"start":{`), []byte(`"start":{"capabilities":`+string(able)+`,`), 1)
	}
	return begin, err
}

func (g generic) read(c *Call, kind int, text []byte) (order, error) {
	able := func(capability string) bool {
		return kind == websocket.TextMessage && c.cfg.Program != nil && slices.Contains(c.cfg.Program.Capabilities, capability)
	}
	switch {
	case able("transfer") && bytes.HasPrefix(text, []byte(`{"event":"transfer"`)):
		return readTransfer(text, c.stream)
	case able("hangup") && bytes.HasPrefix(text, []byte(`{"event":"hangup"`)):
		return readShape(c, kind, text, shape{"hangup", `{"event":"hangup","streamSid":"$stream"}`})
	}
	return g.twilio.read(c, kind, text)
}
