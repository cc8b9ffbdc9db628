package gateway

import (
	"fmt"
	"net/http"

	"github.com/callgw/callgw/mediastream"
)

// bindCarriers makes a handler for each carrier of media streams but Twilio.
func (g *Gateway) bindCarriers(mux *http.ServeMux, metrics *mediastream.Metrics) error {
	for _, c := range g.cfg.MediaStreams.Carriers() {
		cfg := mediastream.Config{
			Carrier:    mediastream.Carrier(c.Name),
			PublicURL:  string(g.cfg.HTTP.PublicURL),
			Validate:   c.Validate,
			AuthTokens: c.Secrets,
			Lead:       c.Lead,
			Handler:    g.serveStream,
			Say:        g.sayTo,
			Status:     g.streamStatus,
			Log:        g.log,
			Metrics:    metrics,

			MediaTimeout: orNever(c.MediaTimeout),
		}
		if err := g.controlCarrier(&cfg); err != nil {
			return fmt.Errorf("gateway: %s: %w", c.Name, err)
		}
		handler, err := mediastream.NewHandler(cfg)
		if err != nil {
			return fmt.Errorf("gateway: %s: %w", c.Name, err)
		}
		handler.Register(mux)
		g.carriers = append(g.carriers, handler)
	}
	return nil
}

// controlCarrier sets what controls calls at a carrier, if there are credentials.
func (g *Gateway) controlCarrier(cfg *mediastream.Config) (err error) {
	m := &g.cfg.MediaStreams
	switch {
	case cfg.Carrier == mediastream.SignalWire && m.SignalWire.Controls():
		cfg.REST, err = mediastream.NewREST(mediastream.RESTConfig{
			BaseURL:    "https://" + m.SignalWire.Space + "/api/laml",
			AccountSID: m.SignalWire.Project, AuthToken: m.SignalWire.APIToken.Reveal(),
		})
	case cfg.Carrier == mediastream.Telnyx && m.Telnyx.APIKey != "":
		cfg.API = mediastream.NewTelnyxAPI(mediastream.CarrierAPIConfig{Secret: m.Telnyx.APIKey.Reveal()})
	case cfg.Carrier == mediastream.Plivo && m.Plivo.AuthID != "":
		cfg.API = mediastream.NewPlivoAPI(mediastream.CarrierAPIConfig{Account: m.Plivo.AuthID, Secret: m.Plivo.AuthToken.Reveal()})
	case cfg.Carrier == mediastream.Jambonz && m.Jambonz.Controls():
		cfg.API = mediastream.NewJambonzAPI(mediastream.CarrierAPIConfig{
			URL: string(m.Jambonz.RESTURL), Account: m.Jambonz.AccountSID, Secret: m.Jambonz.APIKey.Reveal(),
		})
	case cfg.Carrier == mediastream.Vonage && m.Vonage.Controls():
		cfg.API, err = mediastream.NewVonageAPI(mediastream.CarrierAPIConfig{
			URL: string(m.Vonage.RESTURL), Account: m.Vonage.ApplicationID, Secret: m.Vonage.PrivateKey.Reveal(),
		})
	}
	return err
}
