package sip

import (
	"context"
	"fmt"
	"hash/maphash"
	"net"
	"sync"
	"sync/atomic"
	"time"

	gosip "github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/errands"
)

// Server is a SIP user agent: it takes calls and places them.
type Server struct {
	cfg    Config
	log    zerolog.Logger
	rare   zerolog.Logger // for what strangers cause: a few lines a minute
	parser *gosip.Parser
	filter *filter
	seed   maphash.Seed // of tags without a dialog

	trunks       *trunks
	guard        *guard
	certificates *certificates
	reloading    sync.Mutex // of certificates and trunks
	shunned      shunned
	lastKnown    lastKnown
	met          acquaintances

	packets   []*udpSocket
	listeners []listener
	streams   streams

	serverTxs serverTxs
	clientTxs clientTxs
	attempts  attempts
	calls     calls
	handlers  errands.Group

	openRTP func() (socket, error)

	draining atomic.Bool
	faulty   atomic.Uint64 // messages that could not be answered

	// life is the context of everything that Run waits for; it ends last.
	life  context.Context
	close context.CancelFunc
	// duty is the context of registrations; it ends when no calls are wanted any more.
	duty    context.Context
	relieve context.CancelFunc
	// serving is the context of handlers; it ends first.
	serving  context.Context
	stop     context.CancelCauseFunc
	readers  sync.WaitGroup // who reads sockets
	errands  errands.Group  // requests that outlive their call
	bindings errands.Group  // registrations
	vigils   errands.Group  // keep-alives and what watches files

	// With reloading held:
	vigilant bool            // Run has begun
	leaving  []*registration // that were ended, and may not be gone yet
}

// NewServer opens the sockets that cfg lists. Nothing is read before Run.
func NewServer(cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, log: cfg.Log, rare: cfg.Log.Sample(&zerolog.BurstSampler{Burst: 5, Period: time.Minute}), parser: newParser(), seed: maphash.MakeSeed(),
		guard: newGuard(cfg.Realm, cfg.Digest),
	}
	if s.trunks, err = newTrunks(s); err != nil {
		return nil, err
	}
	s.filter = newFilter(&cfg, s.trunks, &s.met)
	s.clientTxs.met, s.calls.met = &s.met, &s.met
	cfg.Metrics.show(s.trunks)
	if s.certificates, err = newCertificates(cfg.TLS, s.trunks); err != nil {
		return nil, err
	}
	cfg.Metrics.expires(s.certificates.expiry())
	s.openRTP = func() (socket, error) { return s.cfg.Ports.Open() }
	s.life, s.close = context.WithCancel(context.Background())
	s.duty, s.relieve = context.WithCancel(s.life)
	s.serving, s.stop = context.WithCancelCause(context.Background())
	for _, l := range cfg.Listen {
		if err := s.listen(l); err != nil {
			s.shut()
			return nil, err
		}
	}
	return s, nil
}

func (s *Server) listen(l Listen) error {
	switch {
	case l.Packets != nil:
		s.packets = append(s.packets, newUDPSocket(l.Packets))
	case l.Streams != nil:
		s.listeners = append(s.listeners, listener{l.Streams, l.Network == "tls"})
	case l.Network == "udp":
		conn, err := net.ListenPacket("udp", l.Addr)
		if err != nil {
			return fmt.Errorf("sip: listen: %w", err)
		}
		s.packets = append(s.packets, newUDPSocket(conn))
	default:
		ln, err := net.Listen("tcp", l.Addr)
		if err != nil {
			return fmt.Errorf("sip: listen: %w", err)
		}
		s.listeners = append(s.listeners, listener{ln, l.Network == "tls"})
	}
	return nil
}

// Addrs returns the addresses that the server is bound to: the datagram sockets
// in the order of Config.Listen, then the listeners.
func (s *Server) Addrs() []net.Addr {
	var addrs []net.Addr
	for _, u := range s.packets {
		addrs = append(addrs, u.conn.LocalAddr())
	}
	for _, ln := range s.listeners {
		addrs = append(addrs, ln.address())
	}
	return addrs
}

// Drain refuses new calls from now on, with 503 and Retry-After; OPTIONS says
// so too, and registrations end. Calls in progress go on.
func (s *Server) Drain() {
	s.draining.Store(true)
	s.relieve()
}

// Calls returns how many calls exist now.
func (s *Server) Calls() int { return s.calls.count() }

// Run serves until ctx ends or a socket fails. It then ends the calls that are
// left with media.Shutdown, and returns when every goroutine is gone. It is to
// be called once.
func (s *Server) Run(ctx context.Context) error {
	failed := make(chan error, len(s.packets)+len(s.listeners))
	for _, u := range s.packets {
		s.readers.Go(func() {
			if err := u.read(s.datagram); err != nil {
				failed <- fmt.Errorf("sip: receive on %v: %w", u.addr, err)
			}
		})
	}
	for _, ln := range s.listeners {
		s.readers.Go(func() {
			if err := s.accept(ln); err != nil {
				failed <- fmt.Errorf("sip: accept on %v: %w", ln.Addr(), err)
			}
		})
	}
	s.keepVigils()
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	s.Drain()
	s.stop(media.Shutdown)
	s.hangUpAll()
	s.handlers.Wait()
	s.bindings.Wait() // the registrars know that we are gone, within bounds
	s.close()
	s.vigils.Wait()
	s.errands.Wait()
	s.shut()
	s.readers.Wait()
	return err
}

// hangUpAll ends every call there is, those that Dial placed too.
func (s *Server) hangUpAll() {
	var hangups sync.WaitGroup
	for _, c := range s.calls.all() {
		hangups.Go(func() {
			if err := c.hangUp(context.Background(), media.Shutdown); err != nil {
				c.log.Debug().Err(err).Msg("hang-up not answered")
			}
		})
	}
	hangups.Wait()
}

// shut closes every socket and ends every transaction.
func (s *Server) shut() {
	s.close()
	for _, u := range s.packets {
		u.close()
	}
	for _, ln := range s.listeners {
		ln.Close()
	}
	s.streams.close()
	s.serverTxs.terminateAll()
}
