package mediastreamtest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Dialplan is what an Asterisk does with a call whose Dial to the gateway is
// over: it asks where the call goes, dials that, and dials the gateway again if
// nobody answers. Calls belong to it whose Config names it.
type Dialplan struct {
	// Ring is how long a phone rings. Required.
	Ring time.Duration
	// Transfer says what becomes of a transfer: the DIALSTATUS, and when that is
	// known. Default: ANSWER, at once.
	Transfer func(Dialled) (status string, after time.Duration)

	office
}

// adopt follows a call.
func (p *Dialplan) adopt(c *Call) {
	p.running.Go(func() {
		<-c.done
		if c.phone && !c.released {
			return // the caller has hung up
		}
		if err := p.goOn(context.Background(), c); err != nil { // requests have their own bounds
			p.violation("%v", err)
		}
	})
}

var extension = regexp.MustCompile(`^([0-9A-Za-z*#_.-]+|\+[1-9][0-9]{1,14}|sip:[^@\s?,&]+@[^@\s?,&]+)$`)

// goOn does what follows the Dial.
func (p *Dialplan) goOn(ctx context.Context, c *Call) error {
	here := c.cfg
	target, err := p.ask(ctx, &here)
	if err != nil || target == "" {
		return err
	}
	if !extension.MatchString(target) {
		return fmt.Errorf("mediastreamtest: dialplan: %q", target)
	}
	p.mu.Lock()
	p.requests = append(p.requests, "transfer")
	p.mu.Unlock()
	d := Dialled{Timeout: p.Ring, CallerID: here.From}
	if strings.HasPrefix(target, "sip:") {
		d.SIP = target
	} else {
		d.Number = target
	}
	status := d.ring(p.Transfer, "ANSWER", "NOANSWER")
	if status == "ANSWER" {
		return nil
	}
	here.Params = url.Values{"transfer_result": {status}, "transfer_target": {target}}
	back, err := Dial(ctx, here)
	if err != nil {
		return err
	}
	_ = back.Run(ctx, deaf{}, mute{}) // the gateway's side tells how it ends
	return nil
}

// ask asks the gateway where a call goes.
func (p *Dialplan) ask(ctx context.Context, here *Config) (string, error) {
	target, err := url.Parse(here.WebhookURL)
	if err != nil {
		return "", err
	}
	target.Path = strings.TrimSuffix(target.Path, "/media") + "/next"
	target.RawQuery = url.Values{"call": {here.CallSID}}.Encode()
	ctx, cancel := context.WithTimeout(ctx, webhookTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return "", err
	}
	r.Header = asteriskHeader(here)
	client := http.Client{Transport: &http.Transport{DialContext: here.DialContext, DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	if err == nil && response.StatusCode != http.StatusOK {
		err = &WebhookError{response.StatusCode, string(text)}
	}
	return string(text), err
}
