package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/realtime"
)

// probeTimeout bounds one question to the world outside.
const probeTimeout = 10 * time.Second

var errLate = errors.New("no answer in time")

// inquiry is one question to the world outside.
type inquiry struct {
	what string
	ask  func(context.Context) (string, error)
	skip string // why it is not asked; "": it is
	said chan string
	err  error // set before said is
}

// probe asks the providers, the webhook's public URL and the servers of trunks, says
// what came of it, and returns an error if anything does not answer as it should. It
// asks all at once: to be sure that a server is dead takes as long as it may take.
func probe(ctx context.Context, out io.Writer, cfg *config.Config) error {
	asks, failed := 0, 0
	all := inquiries(cfg)
	for _, q := range all {
		go q.run(ctx)
	}
	for _, q := range all {
		answer := <-q.said
		switch {
		case q.skip != "":
			fmt.Fprintf(out, "%s: %s\n", q.what, q.skip)
			continue
		case q.err != nil:
			failed++
			fmt.Fprintf(out, "%s: failed: %v\n", q.what, q.err)
		default:
			fmt.Fprintf(out, "%s: %s\n", q.what, answer)
		}
		asks++
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d probes failed", failed, asks)
	}
	return nil
}

// run asks, and says how long the answer took.
func (q *inquiry) run(ctx context.Context) {
	if q.skip != "" {
		q.said <- ""
		return
	}
	ctx, cancel := context.WithTimeoutCause(ctx, probeTimeout, errLate)
	defer cancel()
	began := time.Now()
	answer, err := q.ask(ctx)
	q.err = err
	q.said <- fmt.Sprintf("%s after %v", answer, time.Since(began).Round(time.Millisecond))
}

// inquiries are what there is to ask, in the order of the configuration.
func inquiries(cfg *config.Config) (all []*inquiry) {
	add := func(what, skip string, ask func(context.Context) (string, error)) {
		all = append(all, &inquiry{what: what, skip: skip, ask: ask, said: make(chan string, 1)})
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Providers)) {
		p, skip := cfg.Providers[name], ""
		if p.Embedded() {
			skip = "no key: the embedded server stands in"
		}
		add("provider "+name, skip, func(ctx context.Context) (string, error) { return probeProvider(ctx, p.Realtime()) })
	}
	if t := cfg.MediaStreams.Twilio; t != nil {
		add("webhook "+string(cfg.HTTP.PublicURL), "", func(ctx context.Context) (string, error) {
			return probeWebhook(ctx, cfg.HTTP.PublicURL, t)
		})
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.SIP.Trunks)) {
		skip := ""
		if !asked(cfg.SIP.Trunks[name]) {
			skip = "not asked: it has no server, it calls the gateway"
		}
		add("trunk "+name, skip, func(ctx context.Context) (string, error) { return probeTrunk(ctx, cfg, name) })
	}
	return all
}

// probeProvider opens and closes a session and says of which model.
func probeProvider(ctx context.Context, p realtime.Provider) (string, error) {
	s, err := realtime.NewSession(realtime.Config{
		Providers: []realtime.Provider{p}, Handler: deaf{},
		Properties: realtime.Properties{InputAudioFormat: realtime.FormatULaw, OutputAudioFormat: realtime.FormatULaw},
	})
	if err != nil {
		return "", err
	}
	if err := s.Open(ctx); err != nil {
		return "", err
	}
	model := s.Effective().Model
	s.Close()
	return "session of " + model + " open", s.Run(ctx)
}

// deaf is a handler that listens to nothing.
type deaf struct{}

func (deaf) Audio(realtime.AudioDelta) {}
func (deaf) Event(realtime.Event)      {}

// statusPath is where a gateway takes Twilio's status callbacks.
const statusPath = "/twilio/status"

// probeWebhook sends a status callback of no call to a gateway's public URL.
func probeWebhook(ctx context.Context, public config.URL, t *config.Twilio) (string, error) {
	target := strings.TrimSuffix(string(public), "/") + statusPath
	form := url.Values{"CallStatus": {"probe"}}
	if t.AccountSID != "" {
		form.Set("AccountSid", t.AccountSID)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if tokens := t.AuthTokens(); len(tokens) > 0 {
		req.Header.Set("X-Twilio-Signature", mediastream.Sign(tokens[0], target, form))
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("%w: is the gateway running, and do name, proxy and firewall lead to it?", errors.Unwrap(err))
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusNoContent:
		return "the gateway answers", nil
	case http.StatusForbidden:
		return "", errors.New("403: a gateway answers, but refuses the signature: it must run with this http.public_url, and with this auth_token")
	case http.StatusNotFound:
		return "", errors.New("404: whatever answers there is no gateway, or a proxy changes the path")
	}
	return "", fmt.Errorf("%s: no gateway answers", resp.Status)
}
