package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/bridge/pacer"
	"github.com/callgw/callgw/internal/admin"
	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/internal/modelwatch"
	"github.com/callgw/callgw/internal/telemetry"
	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/rtp"
)

// Options of a gateway beyond its configuration.
type Options struct {
	Log zerolog.Logger
	// Observe is called with every event of every call; it must not block.
	Observe func(bridge.Facts, bridge.Event)
	// Reload reads the configuration again, for Reload and the API; nil: the API
	// cannot reload.
	Reload func() (*config.Config, error)
	// Embedded configures the Realtime server that stands in for providers
	// without a key. Its sessions are forgotten when they end.
	Embedded realtimetest.Config
}

// Gateway is callgw, complete.
type Gateway struct {
	cfg     *config.Config
	log     zerolog.Logger
	observe func(bridge.Facts, bridge.Event)

	reloading sync.Mutex
	current   atomic.Pointer[config.Reloadable]
	trunks    atomic.Pointer[map[string]*config.Trunk] // that SIP has
	calls     *bridge.Registry
	health    health
	metrics   *prometheus.Registry
	callLog   *bridge.Metrics
	rejected  *prometheus.CounterVec
	reloadOK  prometheus.Gauge
	watch     *modelwatch.Watch // of models that are shut down

	pacer    *pacer.Pacer
	ports    *rtp.Ports
	reporter *rtp.Reporter
	sip      *sip.Server          // nil without SIP
	streams  *mediastream.Handler // Twilio's; nil without it
	carriers []*mediastream.Handler
	embedded *embedded // nil unless a provider has no key
	http     []*httpServer

	toolClient *http.Client
	out        *callsOut // calls that this gateway places by SIP
	origins    origins   // of calls that carriers of media streams place

	events      *admin.Events
	readConfig  func() (*config.Config, error)
	stopServing context.CancelFunc // begins to drain
	serving     context.Context
	drainNow    context.CancelFunc
	drainCtx    context.Context
}

// New binds all that cfg listens on. Run must be called then, or Close.
func New(cfg *config.Config, opts Options) (*Gateway, error) {
	g := &Gateway{
		cfg: cfg, log: opts.Log, observe: opts.Observe,
		calls:   bridge.NewRegistry(cfg.Calls.Max),
		metrics: telemetry.NewRegistry(), toolClient: newToolClient(), out: newCallsOut(),
	}
	g.drainCtx, g.drainNow = context.WithCancel(context.Background())
	g.serving, g.stopServing = context.WithCancel(context.Background())
	g.events, g.readConfig = admin.NewEvents(), opts.Reload
	if g.observe == nil {
		g.observe = func(bridge.Facts, bridge.Event) {}
	}
	g.current.Store(&cfg.Reloadable)
	g.trunks.Store(&cfg.SIP.Trunks)
	g.watch = modelwatch.New(modelwatch.Config{Targets: g.models, Log: g.log})
	g.instrument()
	g.pacer = pacer.New(pacer.Config{Late: g.pacerLate()})
	for _, bind := range []func() error{
		func() error { return g.bindEmbedded(opts.Embedded) },
		g.bindSIP, g.bindStreams, g.bindAdmin,
	} {
		if err := bind(); err != nil {
			g.Close()
			return nil, err
		}
	}
	return g, nil
}

// Close releases what New has bound. After Run there is nothing left to close.
func (g *Gateway) Close() {
	g.drainNow()
	g.stopServing()
	g.out.close()
	g.toolClient.CloseIdleConnections()
	for _, s := range g.http {
		s.close()
	}
	if g.embedded != nil {
		g.embedded.close()
	}
}

// Run serves until ctx ends, then drains: no new calls, running ones may go on
// for calls.drain, then they are hung up. It returns when nothing is left.
func (g *Gateway) Run(ctx context.Context) error {
	work, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	group, work := errgroup.WithContext(work)
	group.Go(func() error { return g.pacer.Run(work) })
	group.Go(func() error { return g.out.run(work) })
	group.Go(func() error { return g.watch.Run(work) })
	if g.sip != nil {
		group.Go(func() error { return g.runSIP(work) })
	}
	if g.streams != nil {
		group.Go(func() error { return g.streams.Run(work) })
	}
	for _, h := range g.carriers {
		group.Go(func() error { return h.Run(work) })
	}
	for _, s := range g.http {
		group.Go(func() error { return s.run(work) })
	}
	g.announce()
	select {
	case <-ctx.Done():
		g.drain()
	case <-g.serving.Done(): // on request
		g.drain()
	case <-work.Done(): // a part has failed
	}
	stop(media.Shutdown)
	err := group.Wait()
	g.Close()
	if errors.Is(err, context.Canceled) || errors.Is(err, media.Shutdown) {
		return nil
	}
	return err
}

// drain lets the running calls finish.
func (g *Gateway) drain() {
	limit := g.current.Load().Calls.Drain
	g.calls.Shut()
	g.log.Info().Int("calls", len(g.calls.Calls())).Float64("limit_s", limit.Seconds()).Msg("draining")
	if g.sip != nil {
		g.sip.Drain()
	}
	if g.streams != nil {
		g.streams.Drain()
	}
	for _, h := range g.carriers {
		h.Drain()
	}
	ctx, cancel := context.WithTimeout(g.drainCtx, limit)
	defer cancel()
	g.calls.Drain(ctx)
	g.log.Info().Msg("drained")
}

// DrainNow cuts a drain short: running calls are hung up at once.
func (g *Gateway) DrainNow() { g.drainNow() }

// Reload reads the configuration again and takes over what of it may change at
// run time. Calls in progress keep what they started with; a faulty
// configuration changes nothing. It returns the sections and keys that need a restart.
func (g *Gateway) Reload() (restart []string, err error) {
	if g.readConfig == nil {
		return nil, errors.New("gateway: there is no configuration to reload")
	}
	g.reloading.Lock()
	defer g.reloading.Unlock()
	next, err := g.readConfig()
	if err == nil {
		err = g.changeTrunks(next.SIP.Trunks)
	}
	if err != nil {
		g.reloadOK.Set(0)
		g.log.Error().Err(err).Msg("configuration not reloaded: nothing was changed")
		return nil, err
	}
	g.current.Store(&next.Reloadable)
	g.calls.SetLimit(next.Calls.Max)
	g.reloadCertificates()
	g.watch.Changed()
	g.reloadOK.Set(1)
	restart = g.cfg.NeedsRestart(next)
	g.log.Info().Strs("need_restart", restart).Msg("configuration reloaded")
	return restart, nil
}

// Registry holds the gateway's calls.
func (g *Gateway) Registry() *bridge.Registry { return g.calls }

// Metrics is what /metrics shows.
func (g *Gateway) Metrics() prometheus.Gatherer { return g.metrics }

// SIPAddr returns the address of the first SIP socket of a network, udp or tcp;
// nil if there is none.
func (g *Gateway) SIPAddr(network string) net.Addr {
	if g.sip == nil {
		return nil
	}
	for _, a := range g.sip.Addrs() {
		if a.Network() == network {
			return a
		}
	}
	return nil
}

// announce logs where the gateway listens.
func (g *Gateway) announce() {
	if g.sip != nil {
		for _, a := range g.sip.Addrs() {
			g.log.Info().Str("sip", a.Network()+"://"+a.String()).Msg("listening")
		}
	}
	for _, s := range g.http {
		g.log.Info().Str(s.name, s.url()).Msg("listening")
	}
	if phone := g.PhoneURL(); phone != "" {
		g.log.Info().Str("phone", phone).Msg("a browser can call")
	}
}

// provider returns the provider named name as the Realtime client knows it.
func (g *Gateway) provider(r *config.Reloadable, name string) (realtime.Provider, error) {
	p := r.Providers[name]
	if p == nil {
		return realtime.Provider{}, fmt.Errorf("gateway: there is no provider %q", name)
	}
	out := p.Realtime()
	if p.Embedded() {
		if g.embedded == nil {
			return out, fmt.Errorf("gateway: provider %q lost its key by a reload: restart to use the embedded server", name)
		}
		out.BaseURL, out.APIKey = g.embedded.url, "none"
	}
	return out, nil
}

// connectTimeout bounds the opening of one session. Carriers wait: Twilio's
// webhook for 15 s, SIP callers for not much longer.
const connectTimeout = 8 * time.Second
