package gateway

import (
	"context"
	"fmt"
	"net/http"

	"github.com/callgw/callgw/mediastream"
)

// bindCarriers makes a handler for each carrier of media streams but Twilio.
func (g *Gateway) bindCarriers(mux *http.ServeMux, metrics *mediastream.Metrics) error {
	for _, c := range g.cfg.MediaStreams.Carriers() {
		rest, hangUp, err := g.carrierControl(mediastream.Carrier(c.Name))
		if err != nil {
			return err
		}
		handler, err := mediastream.NewHandler(mediastream.Config{
			Carrier:    mediastream.Carrier(c.Name),
			PublicURL:  string(g.cfg.HTTP.PublicURL),
			Validate:   c.Validate,
			AuthTokens: c.Secrets,
			Lead:       c.Lead,
			Handler:    g.serveStream,
			REST:       rest,
			HangUp:     hangUp,
			Say:        sayTo,
			Status:     g.streamStatus,
			Log:        g.log,
			Metrics:    metrics,
		})
		if err != nil {
			return fmt.Errorf("gateway: %s: %w", c.Name, err)
		}
		handler.Register(mux)
		g.carriers = append(g.carriers, handler)
	}
	return nil
}

// carrierControl returns what controls calls at a carrier, nil without
// credentials: all that can be done, or only the hang-up.
func (g *Gateway) carrierControl(carrier mediastream.Carrier) (*mediastream.REST, func(context.Context, string) error, error) {
	m := &g.cfg.MediaStreams
	switch {
	case carrier == mediastream.SignalWire && m.SignalWire.Controls():
		rest, err := mediastream.NewREST(mediastream.RESTConfig{
			BaseURL:    "https://" + m.SignalWire.Space + "/api/laml",
			AccountSID: m.SignalWire.Project, AuthToken: m.SignalWire.APIToken.Reveal(),
		})
		return rest, nil, err
	case carrier == mediastream.Telnyx && m.Telnyx.APIKey != "":
		return nil, mediastream.NewTelnyxAPI("", m.Telnyx.APIKey.Reveal()).HangUp, nil
	case carrier == mediastream.Plivo && m.Plivo.AuthID != "":
		return nil, mediastream.NewPlivoAPI("", m.Plivo.AuthID, m.Plivo.AuthToken.Reveal()).HangUp, nil
	}
	return nil, nil, nil
}
