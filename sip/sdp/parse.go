package sdp

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// maxMedia bounds what a peer can make this side answer.
const maxMedia = 64

// Parse reads a session description. It asks only for what a call needs: v=0,
// o=, whole m= lines, and an address for each audio line in use. Anything
// unknown is passed over. Its error wraps ErrMalformed.
func Parse(body []byte) (*Description, error) {
	r := reader{}
	number := 0
	for line := range strings.Lines(string(body)) {
		number++
		line = strings.TrimRight(line, " \t\r\n")
		if line == "" {
			continue // a blank line at the end is common
		}
		if err := r.line(line); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrMalformed, number, err)
		}
	}
	if err := r.finish(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return &r.d, nil
}

// reader reads line after line.
type reader struct {
	d       Description
	session Media  // what is said before the first m= line holds for all
	media   *lines // the m= line being read
	all     []*lines
	started bool // v= was seen
}

func (r *reader) line(line string) error {
	// RFC 8866 §5: <type>=<value>, no space around the equals sign.
	if len(line) < 2 || line[1] != '=' {
		return fmt.Errorf("%.20q is no type=value", line)
	}
	kind, value := line[0], line[2:]
	if !r.started {
		// RFC 8866 §5.1: v=0 comes first.
		if kind != 'v' || value != "0" {
			return fmt.Errorf("%.20q instead of v=0", line)
		}
		r.started = true
		return nil
	}
	switch kind {
	case 'o':
		return r.d.origin(value)
	case 's':
		r.d.Name = value
	case 'm':
		return r.begin(value)
	case 'c':
		return r.current().connection(value)
	case 'a':
		if r.media == nil {
			r.session.sessionAttribute(value)
		} else {
			r.media.attribute(value)
		}
	}
	return nil
}

// current returns what c= lines belong to now.
func (r *reader) current() *Media {
	if r.media == nil {
		return &r.session
	}
	return &r.media.Media
}

// origin reads o= (RFC 8866 §5.2). The user name is all that stands before the
// five fields: some peers put a display name there.
func (d *Description) origin(value string) error {
	f := strings.Fields(value)
	if len(f) < 6 {
		return fmt.Errorf("o= has %d fields of 6", len(f))
	}
	tail := f[len(f)-5:]
	d.Username = strings.Join(f[:len(f)-5], " ")
	d.ID, d.Version, d.Address = tail[0], tail[1], tail[4]
	return nil
}

// begin reads m= (RFC 8866 §5.14): <media> <port>[/<count>] <proto> <fmt> …
// Lines without a format are seen beside the audio (MRCP).
func (r *reader) begin(value string) error {
	f := strings.Fields(value)
	if len(f) < 3 {
		return fmt.Errorf("m= has %d fields of at least 3", len(f))
	}
	if len(r.all) == maxMedia {
		return fmt.Errorf("more than %d m= lines", maxMedia)
	}
	first, _, _ := strings.Cut(f[1], "/")
	port, err := strconv.ParseUint(first, 10, 16)
	if err != nil {
		return fmt.Errorf("m= has port %.20q", f[1])
	}
	r.media = &lines{Media: Media{
		Type:      strings.ToLower(f[0]),
		Port:      uint16(port),
		Proto:     protoOf(f[2]),
		Formats:   f[3:],
		Host:      r.session.Host,
		Addr:      r.session.Addr,
		Direction: r.session.Direction,
	}}
	r.all = append(r.all, r.media)
	return nil
}

// protoOf spells the transports that we know as they are registered; others, of lines
// that are only refused, stay as they are.
func protoOf(token string) string {
	if upper := strings.ToUpper(token); strings.Contains(upper, "RTP/") {
		return upper
	}
	return token
}

// connection reads c= (RFC 8866 §5.7): IN IP4|IP6 <address>[/<ttl>].
func (m *Media) connection(value string) error {
	f := strings.Fields(value)
	if len(f) != 3 || !strings.EqualFold(f[0], "IN") {
		return fmt.Errorf("c= is %.40q", value)
	}
	m.Host, _, _ = strings.Cut(f[2], "/")
	m.Addr = parseAddr(m.Host)
	return nil
}

// parseAddr returns the address that host is, not valid when host is a name.
func parseAddr(host string) netip.Addr {
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}

func (r *reader) finish() error {
	if !r.started {
		return fmt.Errorf("empty")
	}
	if r.d.Address == "" {
		return fmt.Errorf("no o=")
	}
	for _, m := range r.all {
		// RFC 8866 §5.7: c= at session level or in every media description.
		if m.Type == "audio" && m.Port != 0 && m.Host == "" {
			return fmt.Errorf("audio without c=")
		}
		m.resolve()
		r.d.Media = append(r.d.Media, m.Media)
	}
	return nil
}
