package caller

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/callgw/callgw/internal/phone"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

// webhookPath is where a gateway takes Twilio's voice webhook.
const webhookPath = "/twilio/voice"

// dialStream places a call as a media-stream carrier does.
func dialStream(ctx context.Context, cfg Config) (*Call, error) {
	webhook, err := webhookURL(cfg.Target)
	if err != nil {
		return nil, err
	}
	carrier := cfg.Carrier
	carrier.WebhookURL, carrier.From, carrier.To = webhook, cfg.From, cfg.To
	call, err := mediastreamtest.Dial(ctx, carrier)
	if err != nil {
		return nil, err
	}
	return &Call{
		Phone:   phone.New(phone.Config{Observe: cfg.Observe}),
		line:    call,
		release: func() {},
	}, nil
}

// webhookURL returns the URL of the voice webhook that belongs to target.
func webhookURL(target string) (string, error) {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("caller: target %q: ws://host:port is needed", target)
	}
	if scheme, ok := strings.CutPrefix(u.Scheme, "ws"); ok {
		u.Scheme = "http" + scheme
		u.Path = webhookPath
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = webhookPath
	}
	return u.String(), nil
}
