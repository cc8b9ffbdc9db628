package rtp

import (
	"crypto/rand"
	random "math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callgw/callgw/sip/sdp"
)

const (
	// reportInterval is the least time between reports (RFC 3550 §6.2); a call of
	// two is far below the bandwidth that would stretch it.
	reportInterval = 5 * time.Second
	// compensation makes up for the reconsideration of timers (§6.3.1): e - 3/2.
	compensation = 1.21828
	// remembered is how many reports back a peer may refer to one.
	remembered = 4
	// mostRound is the longest round trip that is believed.
	mostRound = 30 * time.Second
	// mostReports is how many packets are taken from a socket at once.
	mostReports = 8
	// maxReport is the longest report sent, with its protection.
	maxReport = 256
)

// reports is a session's RTCP: what it tells the peer of the stream from there,
// and what the peer tells of the stream from here. The reporter and, with
// rtcp-mux, the session's reader call it.
type reports struct {
	conn    ReportConn // RTCP's own socket; nil: only RTP's
	shared  Conn       // RTP's socket
	count   *counters
	metrics *Metrics
	sender  *sender
	about   reception
	life    atomic.Pointer[time.Time] // when the peer's last report came

	mu     sync.Mutex
	stream sdp.Stream
	cname  string
	ended  bool
	source netip.AddrPort // the peer's RTP, once it is locked to
	peer   uint32         // its SSRC
	from   netip.AddrPort // the peer's RTCP, once some came
	sealer sealer
	opener opener
	buffer []byte

	due      time.Time
	sent     [remembered]sentReport
	said     bool      // a report was sent
	packets  [2]uint64 // how many RTP packets had been sent at the last two
	heard    time.Time // when the peer's last SR came
	heardLSR uint32
}

// sentReport is an SR of ours that the peer may refer to.
type sentReport struct {
	lsr uint32
	at  time.Time
}

func newReports(cfg *Config, count *counters, sender *sender) *reports {
	return &reports{
		conn: cfg.RTCP, shared: cfg.Conn, count: count, metrics: &cfg.Metrics, sender: sender,
		cname: rand.Text(), // RFC 7022 §4.2: at random, for the call alone
	}
}

// update takes what SDP settled.
func (r *reports) update(now time.Time, stream sdp.Stream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if stream.RTCP != r.stream.RTCP {
		r.from = netip.AddrPort{}
	}
	r.stream = stream
	r.sealer.rekey(stream.Security)
	r.opener.rekey(now, stream.Security)
}

// follow notes the peer that RTP is locked to. From another address, its RTCP
// comes from elsewhere, too.
func (r *reports) follow(source netip.AddrPort, ssrc uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if source.Addr() != r.source.Addr() {
		r.from = netip.AddrPort{}
	}
	if ssrc != r.peer {
		r.heard = time.Time{}
	}
	r.source, r.peer = source, ssrc
}

// begin sets the time of the first report: half the interval (RFC 3550 §6.2).
func (r *reports) begin(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.due = now.Add(spread(reportInterval / 2))
}

// spread returns d, at random from half of it to half as much again, so that
// parties do not fall into step (RFC 3550 §6.3.1).
func spread(d time.Duration) time.Duration {
	return time.Duration((0.5 + random.Float64()) / compensation * float64(d))
}

// sweep reads what has come to RTCP's socket and sends what is due.
func (r *reports) sweep(now time.Time, buffer []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	for n := 0; r.conn != nil && n < mostReports; n++ {
		n, from, at, err := r.conn.Poll(buffer)
		if err != nil {
			break // none there, or the socket is closed: RTP's reader says so
		}
		r.take(at, from, buffer[:n], false)
	}
	if !now.Before(r.due) {
		r.send(now, false)
		r.due = now.Add(spread(reportInterval))
	}
}

// receive takes RTCP that came to RTP's port.
func (r *reports) receive(at time.Time, from netip.AddrPort, b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended {
		r.take(at, from, b, true)
	}
}

// take takes a packet that came at the given time, to RTP's port or RTCP's.
func (r *reports) take(at time.Time, from netip.AddrPort, b []byte, shared bool) {
	from = unmapped(from)
	if !r.trusts(from, shared) {
		r.reject(Source)
		return
	}
	plain, why, ok := r.opener.rtcp(at, b)
	if !ok {
		r.reject(why)
		return
	}
	said, ok := parseReport(plain, r.sender.identity())
	if !ok {
		r.reject(Malformed)
		return
	}
	r.count.rtcp.Add(1)
	r.life.Store(&at)
	if !shared {
		r.from = from
	}
	if said.sender && said.ssrc == r.peer {
		r.heardLSR, r.heard = middle(said.ntp), at
	}
	if said.about {
		r.learn(at, said.block)
	}
}

// lastHeard returns when the peer's last report came, zero before the first.
func (r *reports) lastHeard() time.Time {
	if at := r.life.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

// trusts reports whether the peer's RTCP comes from there: where its RTP comes from,
// or, as long as none came, where SDP says it is.
func (r *reports) trusts(from netip.AddrPort, shared bool) bool {
	peer := r.source
	if !peer.IsValid() {
		peer = r.stream.Remote
	}
	if shared {
		return peer.IsValid() && from == peer
	}
	// RTCP's port is not RTP's, and nobody names the one behind a NAT.
	return peer.IsValid() && from.Addr() == peer.Addr()
}

// learn takes what the peer says of this side's stream.
func (r *reports) learn(at time.Time, b block) {
	r.count.reported.Store(true)
	r.count.remoteFraction.Store(uint32(b.fraction))
	r.count.remoteLost.Store(b.lost)
	r.count.remoteJitter.Store(b.jitter)
	if b.lsr == 0 {
		return // it has not heard a report of ours yet
	}
	for _, s := range r.sent {
		if s.lsr != b.lsr || s.at.IsZero() {
			continue
		}
		// RFC 3550 §6.4.1: A - LSR - DLSR, on this side's monotonic clock.
		if round := at.Sub(s.at) - fromFixed(b.dlsr); round < mostRound {
			r.count.roundTrip.Store(int64(max(round, 0)))
			r.count.timed.Store(true)
		}
		return
	}
}

// send sends a report, with bye the last one.
func (r *reports) send(now time.Time, bye bool) {
	to, shared := r.target()
	if !to.IsValid() {
		return
	}
	said := r.sender.report(now)
	packets := r.count.sent.Load()
	said.sender = packets != r.packets[0] // RFC 3550 §6.4: RTP since the last report but one
	if said.sender {
		copy(r.sent[1:], r.sent[:remembered-1])
		r.sent[0] = sentReport{middle(said.ntp), now}
	}
	r.packets = [2]uint64{r.packets[1], packets}
	if said.block, said.about = r.about.block(); said.about && !r.heard.IsZero() && said.block.ssrc == r.peer {
		said.block.lsr, said.block.dlsr = r.heardLSR, fixed(max(now.Sub(r.heard), 0))
	}
	if r.buffer == nil {
		r.buffer = make([]byte, 0, maxReport)
	}
	b, ok := r.sealer.rtcp(said.append(r.buffer, r.cname, bye))
	if !ok {
		r.count.sendErrors.Add(1)
		return
	}
	var err error
	if shared {
		_, err = r.shared.WriteToUDPAddrPort(b, to)
	} else {
		_, err = r.conn.WriteToUDPAddrPort(b, to)
	}
	if err != nil {
		r.count.sendErrors.Add(1)
		return
	}
	r.said = true
	r.count.reports.Add(1)
}

// target returns where reports go and whether from RTP's port. It is not valid
// while that is not known.
func (r *reports) target() (to netip.AddrPort, shared bool) {
	switch {
	case r.stream.RTCPMux: // RFC 5761 §5.1.1
		if r.source.IsValid() {
			return r.source, true
		}
		return r.stream.Remote, true
	case r.conn == nil:
		return netip.AddrPort{}, false
	case r.from.IsValid(): // RFC 4961 §4
		return r.from, false
	}
	return r.stream.RTCP, false
}

// end says goodbye and ends all that comes of r.
func (r *reports) end(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.said && !r.ended { // RFC 3550 §6.3.7: who never said anything just leaves
		r.send(now, true)
	}
	r.ended = true
}

func (r *reports) reject(why Reason) {
	r.count.rejected[why].Add(1)
	add(r.metrics.Rejected[why], 1)
}
