package sip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/bridge/pacer"
	"github.com/callgw/callgw/sip/rtp"
)

// Config says what a Server listens on and whom it serves.
type Config struct {
	// Listen are the sockets for signalling; at least one is needed.
	Listen []Listen
	// ExternalIP is advertised in Contact, Via and SDP. The zero value means
	// the local address that faces the peer.
	ExternalIP netip.Addr
	// Trunks are who may call. Each source address belongs to the first trunk
	// that names it.
	Trunks []Trunk
	// AcceptUnknown takes calls from sources that no trunk names, as trunk "".
	// Otherwise they get 403.
	AcceptUnknown bool
	// Silent drops what comes from such sources instead: nothing tells them that
	// anybody is here. Where a trunk is known by its password alone, INVITEs are
	// challenged all the same.
	Silent bool
	// TLS names the certificates. Its zero value is good for calling servers whose
	// authority the system knows.
	TLS TLS
	// Realm is what callers prove themselves for. "" means callgw. Clients keep
	// passwords by it.
	Realm string
	// Digest are the algorithms by which callers may prove themselves, best first:
	// "SHA-256" and "MD5". None means both, in that order (RFC 8760 §2.4). Old phones
	// look at the first only.
	Digest []string
	// Codecs are what trunks without codecs of their own speak, best first.
	// None means both laws, in the order of the peer's offer.
	Codecs []media.Codec
	// SourceRate is how many messages per second are taken from one source
	// that no trunk names; twice as many at once. 0 means 20, or 1000 when
	// AcceptUnknown is set. What exceeds it is dropped before it is parsed. Answers to
	// requests of ours, and requests within calls that we placed, are not counted.
	SourceRate int
	// Ports gives each call its RTP sockets. Required.
	Ports *rtp.Ports
	// Pacer clocks the RTP of all calls. Required, and running while Run does.
	Pacer *pacer.Pacer
	// Reporter exchanges the RTCP reports of all calls, running while Run does. nil
	// means none.
	Reporter *rtp.Reporter
	// MediaTimeout ends a call whose peer has sent neither RTP nor RTCP for so long,
	// unless it is on hold. 0 means 30 s; negative means never.
	MediaTimeout time.Duration
	// HangupTimeout is how long a call that ends waits for the peer to answer
	// its BYE; the BYE is repeated beyond that. 0 means 1 s.
	HangupTimeout time.Duration
	// RetryAfter goes with every 503. It is rounded up to seconds; 0 means 10 s.
	RetryAfter time.Duration
	// SessionExpires is how long a session lasts that neither side refreshes (RFC
	// 4028), as offered and at most as accepted. 0 means 30 min; negative turns
	// session timers off.
	SessionExpires time.Duration
	// MinSessionExpires is the shortest session that is accepted. 0 means 90 s,
	// the least that RFC 4028 §5 allows.
	MinSessionExpires time.Duration
	// EarlyMedia rings by 183 with a session description and a ringing tone of
	// our own, instead of by 180.
	EarlyMedia bool
	// TransferTimeout is how long a transfer may take: REFER, and the target's
	// ringing. 0 means 1 min.
	TransferTimeout time.Duration
	// ReferStatus refuses the REFERs of peers: callgw is not told whom to call by
	// its callers. 0 means 405.
	ReferStatus int
	// Handler serves one inbound call: it must Run it and Answer it or hang it
	// up. It has a goroutine of its own; when it returns, the call is over. Its
	// context ends with media.Shutdown when the server stops. Required.
	Handler func(ctx context.Context, c *Call)
	// Rejected is told of each call that was refused without Handler. It must
	// not block. It may be nil.
	Rejected func(trunk string, cause media.Cause)
	// Resolver finds the hosts and domains that URIs name. nil means
	// net.DefaultResolver, and the servers of /etc/resolv.conf for NAPTR records.
	Resolver Resolver
	// UserAgent is the product named in requests and responses. "" means callgw.
	UserAgent string
	// Log takes what an operator should know. The zero value discards.
	Log zerolog.Logger
	// Metrics counts RTP. nil counts nothing.
	Metrics *Metrics
}

// Listen is one socket for signalling.
type Listen struct {
	// Network is "udp", "tcp" or "tls".
	Network string
	// Addr is host:port; port 0 takes any. Unused when a socket is given.
	Addr string
	// Packets is a socket that is already open, for network "udp".
	Packets net.PacketConn
	// Streams is a TCP listener that is already open, for networks "tcp" and "tls".
	Streams net.Listener
}

// withDefaults returns cfg with its zero values replaced, or what is wrong.
func (cfg Config) withDefaults() (Config, error) {
	switch {
	case len(cfg.Listen) == 0:
		return cfg, fmt.Errorf("sip: no listen address")
	case cfg.Ports == nil:
		return cfg, fmt.Errorf("sip: no RTP ports")
	case cfg.Pacer == nil:
		return cfg, fmt.Errorf("sip: no pacer")
	case cfg.Handler == nil:
		return cfg, fmt.Errorf("sip: no handler")
	}
	for _, l := range cfg.Listen {
		switch l.Network {
		case "udp", "tcp":
		case "tls":
			if cfg.TLS.Cert == "" {
				return cfg, fmt.Errorf("sip: listen on %q: TLS needs a certificate", l.Addr)
			}
		default:
			return cfg, fmt.Errorf("sip: listen on %q: network %q is not supported: udp, tcp and tls are", l.Addr, l.Network)
		}
	}
	if cfg.SourceRate <= 0 {
		cfg.SourceRate = 20
		if cfg.AcceptUnknown {
			cfg.SourceRate = 1000
		}
	}
	if cfg.MediaTimeout == 0 {
		cfg.MediaTimeout = 30 * time.Second
	}
	if cfg.HangupTimeout <= 0 {
		cfg.HangupTimeout = time.Second
	}
	if cfg.SessionExpires == 0 {
		cfg.SessionExpires = 30 * time.Minute
	}
	if cfg.MinSessionExpires <= 0 {
		cfg.MinSessionExpires = leastExpires
	}
	if cfg.SessionExpires > 0 {
		cfg.SessionExpires = max(cfg.SessionExpires, cfg.MinSessionExpires)
	}
	if cfg.TransferTimeout <= 0 {
		cfg.TransferTimeout = time.Minute
	}
	if cfg.ReferStatus == 0 {
		cfg.ReferStatus = 405
	}
	if cfg.RetryAfter <= 0 {
		cfg.RetryAfter = 10 * time.Second
	}
	if cfg.Resolver == nil {
		cfg.Resolver = newSystemResolver()
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = "callgw"
	}
	if cfg.Realm == "" {
		cfg.Realm = "callgw"
	}
	if len(cfg.Digest) == 0 {
		cfg.Digest = []string{"SHA-256", "MD5"}
	}
	for _, algorithm := range cfg.Digest {
		if algorithm != "SHA-256" && algorithm != "MD5" {
			return cfg, fmt.Errorf("sip: digest algorithm %q is not supported: SHA-256 and MD5 are", algorithm)
		}
	}
	if cfg.Rejected == nil {
		cfg.Rejected = func(string, media.Cause) {}
	}
	return cfg, nil
}
