package naptr

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Record is a rule for where a service of a domain is to be found (RFC 3403 §4.1).
type Record struct {
	Order, Preference uint16 // lower ones come first
	Flags             string // what Replacement is: "s" has SRV records, "a" addresses
	Service           string // such as SIP+D2U
	Regexp            string // instead of Replacement
	Replacement       string // a domain name, without the final dot; "" for the root
}

// Config says whom a Client asks.
type Config struct {
	// File is the resolv.conf(5) that lists the servers; it is read for every
	// question. "" means /etc/resolv.conf.
	File string
	// Timeout bounds a look-up, whatever the number of servers. 0 means 4 s.
	Timeout time.Duration
	// Dial connects to a server. nil means as net.Dialer does.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

const (
	defaultFile    = "/etc/resolv.conf"
	defaultTimeout = 4 * time.Second
	// mostServers is how many servers a resolver asks (resolv.conf(5): MAXNS).
	mostServers = 3
)

// errSilent says that no server has answered in time.
var errSilent = errors.New("no answer in time")

// Client asks for NAPTR records. Its methods may be called from any goroutine.
type Client struct {
	cfg    Config
	memory memory
}

// NewClient returns a client. Nothing is read or asked before the first look-up.
func NewClient(cfg Config) *Client {
	cfg.File = cmp.Or(cfg.File, defaultFile)
	cfg.Timeout = cmp.Or(cfg.Timeout, defaultTimeout)
	if cfg.Dial == nil {
		cfg.Dial = new(net.Dialer).DialContext
	}
	return &Client{cfg: cfg}
}

// LookupNAPTR returns the NAPTR records of a domain by their order and preference. None
// and no error means that there are none, or no such domain. Names without a dot are
// taken for hosts of the local network, which have none.
func (c *Client) LookupNAPTR(ctx context.Context, domain string) ([]Record, error) {
	domain = strings.ToLower(strings.TrimSuffix(domain, "."))
	if _, ok := dns.IsDomainName(domain); !ok || !strings.Contains(domain, ".") {
		return nil, nil
	}
	if a, ok := c.memory.of(domain, time.Now()); ok {
		return slices.Clone(a.records), a.err
	}
	a := c.ask(ctx, domain)
	if ctx.Err() != nil {
		return a.records, a.err // a failure that is the caller's own
	}
	c.memory.keep(domain, a, time.Now())
	return slices.Clone(a.records), a.err
}

// ask asks the servers, one after the other, until one knows.
func (c *Client) ask(ctx context.Context, domain string) answer {
	servers := servers(c.cfg.File)
	ctx, cancel := context.WithTimeoutCause(ctx, c.cfg.Timeout, errSilent)
	defer cancel()
	patience := c.cfg.Timeout / time.Duration(len(servers))
	var failed error
	for _, server := range servers {
		a, err := c.question(ctx, server, domain, patience)
		if err == nil {
			return a
		}
		failed = fmt.Errorf("naptr: ask %s for %s: %w", server, domain, err)
		if ctx.Err() != nil {
			break
		}
	}
	life := failureLife
	if errors.Is(failed, errSilent) {
		life = silenceLife
	}
	return answer{err: failed, ttl: life}
}

// servers returns the addresses of the servers in the order in which they are to be
// asked: a single one twice, since datagrams get lost.
func servers(file string) []string {
	hosts := []string{"127.0.0.1"} // resolv.conf(5): without any, that of this machine
	if cfg, err := dns.ClientConfigFromFile(file); err == nil && len(cfg.Servers) > 0 {
		hosts = cfg.Servers[:min(len(cfg.Servers), mostServers)]
	}
	if len(hosts) == 1 {
		hosts = []string{hosts[0], hosts[0]}
	}
	addrs := make([]string, len(hosts))
	for i, host := range hosts {
		addrs[i] = net.JoinHostPort(host, "53")
	}
	return addrs
}
