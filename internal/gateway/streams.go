package gateway

import (
	"context"
	"maps"
	"net/http"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/dialplan"
	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/internal/webphone"
	"github.com/callgw/callgw/mediastream"
)

// bindStreams listens for media streams if the configuration has a carrier.
func (g *Gateway) bindStreams() error {
	twilio, others := g.cfg.MediaStreams.Twilio, g.cfg.MediaStreams.Carriers()
	if twilio == nil && others == nil {
		return nil
	}
	metrics, err := mediastream.NewMetrics(g.metrics)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	if twilio != nil {
		if err := g.bindTwilio(twilio, mux, metrics); err != nil {
			return err
		}
	}
	if err := g.bindCarriers(mux, metrics); err != nil {
		return err
	}
	if p := g.cfg.MediaStreams.Generic; p != nil && p.Phone {
		if err := webphone.Register(mux); err != nil {
			return err
		}
	}
	return g.bindHTTP("http", "http.listen", g.cfg.HTTP.Listen, g.cfg.HTTP.TLS, behind(g.cfg.HTTP.TrustedProxies, mux))
}

// bindTwilio makes the handler for Twilio.
func (g *Gateway) bindTwilio(t *config.Twilio, mux *http.ServeMux, metrics *mediastream.Metrics) error {
	rest, err := control(t)
	if err != nil {
		return err
	}
	g.streams, err = mediastream.NewHandler(mediastream.Config{
		PublicURL:  string(g.cfg.HTTP.PublicURL),
		Validate:   t.Validate,
		AuthTokens: t.AuthTokens(),
		AccountSID: t.AccountSID,
		Lead:       t.Lead,
		Handler:    g.serveStream,
		REST:       rest,
		Say:        g.sayTo,
		Status:     g.streamStatus,
		Log:        g.log,
		Metrics:    metrics,

		MediaTimeout: orNever(t.MediaTimeout),
	})
	if err != nil {
		return err
	}
	g.streams.Register(mux)
	return nil
}

// control returns the client of an account's REST API, nil without credentials.
func control(t *config.Twilio) (*mediastream.REST, error) {
	if !t.Controls() {
		return nil, nil
	}
	return mediastream.NewREST(mediastream.RESTConfig{
		BaseURL: string(t.RESTURL), AccountSID: t.AccountSID,
		APIKey: t.APIKey, APISecret: t.APISecret.Reveal(), AuthToken: t.AuthToken.Reveal(),
	})
}

// sayTo returns what a caller hears whose call fails before it is answered; "" for
// a busy tone, which costs nothing.
func (g *Gateway) sayTo(cause media.Cause) string {
	say := g.current.Load().Calls.Say
	switch cause {
	case media.ProviderRefused, media.NoAnswer, media.Internal:
		return say.Unavailable
	case media.Busy, media.Shutdown:
		return say.Full
	}
	return ""
}

// serveStream carries one webhook and the stream that follows it.
func (g *Gateway) serveStream(ctx context.Context, s *mediastream.Stream) {
	call := dialplan.Call{
		ID: newCallID(), Leg: string(s.Carrier()), From: s.From(), To: s.To(),
		Header: map[string][]string{}, Param: map[string]string{}, At: time.Now(),
	}
	for name, value := range s.Headers() {
		call.Header[name] = []string{value}
	}
	t := terms{carrier: s.CallSID()}
	var from origin
	back := false
	if s.Carrier() == mediastream.Twilio { // who else places calls; others choose their ids
		from, back = g.origins.take(t.carrier, time.Now())
	}
	if back { // the agent that was asked for has the callee back
		t.agent = from.agent
		maps.Copy(call.Param, from.call.Param)
		g.origins.keep(t.carrier, from, time.Now())
	}
	for name := range s.Params() {
		call.Param[name] = s.Params().Get(name)
	}
	g.serve(ctx, s, call, t)
	if back {
		g.origins.keep(t.carrier, from, time.Now())
	}
}

// streamStatus logs what the carrier says of a stream: the only place where a
// handshake that failed at its side shows.
func (g *Gateway) streamStatus(e mediastream.StatusEvent) {
	if e.Error != "" {
		g.log.Warn().Str("carrier_call", e.CallSID).Str("stream", e.Stream).Str("error", e.Error).
			Msg("carrier reports a stream error")
		return
	}
	g.log.Debug().Str("carrier_call", e.CallSID).Str("status", e.Status).Str("stream", e.Stream).
		Msg("carrier reports")
}
