package mediastreamtest

import (
	"context"
	"fmt"
	"net/url"
	"strings"
)

// generic speaks Twilio's protocol without a webhook, as a browser does: it
// shows its secret in the start message.
type generic struct{ twilio }

func (generic) invite(_ context.Context, c *Call) (destination, error) {
	target, err := url.Parse(c.cfg.WebhookURL)
	if err != nil {
		return destination{}, fmt.Errorf("mediastreamtest: %w", err)
	}
	target.Scheme = "ws" + strings.TrimPrefix(target.Scheme, "http")
	to := destination{url: target.String(), parameters: map[string]string{"from": c.cfg.From, "to": c.cfg.To}}
	for name := range c.cfg.Params {
		to.parameters[name] = c.cfg.Params.Get(name)
	}
	if c.cfg.AuthToken != "" {
		to.parameters["token"] = c.cfg.AuthToken
	}
	return to, nil
}
