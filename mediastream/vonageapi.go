package mediastream

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/golang-jwt/jwt/v5"
)

// DefaultVonageURL is the origin of Vonage's Voice API. Those of its regions are
// like https://api-eu-3.vonage.com.
const DefaultVonageURL = "https://api.nexmo.com"

// NewVonageAPI returns Vonage's Voice API, which hangs up and transfers. Account
// is the application's id, Secret its private key in PEM.
func NewVonageAPI(cfg CarrierAPIConfig) (*CarrierAPI, error) {
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(cfg.Secret))
	if err != nil {
		// The cause may quote what it could not read.
		return nil, errors.New("mediastream: private key: not an RSA key in PEM")
	}
	if cfg.Account == "" {
		return nil, errors.New("mediastream: no application id")
	}
	return newCarrierAPI(cfg.Transport, apiDialect{
		request: func(ctx context.Context, c apiCommand) (*http.Request, error) {
			switch c.name {
			case commandHangUp:
				c.body = `{"action":"hangup"}`
			case commandTransfer:
			default:
				return nil, errUnknownCommand(c)
			}
			token, err := grant(cfg.Account, key)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			return bearing(ctx, http.MethodPut, below(cfg.URL, DefaultVonageURL, "v1", "calls", c.call), token, c.body)
		},
		gone: notFound,
	}), nil
}
