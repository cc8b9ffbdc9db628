package mediastream

import (
	"context"
	"net/http"
)

// DefaultJambonzURL is the origin of the API of jambonz.cloud.
const DefaultJambonzURL = "https://api.jambonz.cloud"

// NewJambonzAPI returns a jambonz server's API, which hangs up and transfers.
func NewJambonzAPI(cfg CarrierAPIConfig) *CarrierAPI {
	return newCarrierAPI(cfg.Transport, apiDialect{
		request: func(ctx context.Context, c apiCommand) (*http.Request, error) {
			switch c.name {
			case commandHangUp:
				c.body = `{"call_status":"completed"}`
			case commandTransfer:
			default:
				return nil, errUnknownCommand(c)
			}
			target := below(cfg.URL, DefaultJambonzURL, "v1", "Accounts", cfg.Account, "Calls", c.call)
			return bearing(ctx, http.MethodPut, target, cfg.Secret, c.body)
		},
		gone: notFound,
	})
}
