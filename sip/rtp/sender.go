package rtp

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip/sdp"
)

// sender is a session's sending half, a pacer.Task.
type sender struct {
	conn     Conn
	downlink media.Downlink
	law      func(media.Codec) // is told the downlink's, or nil
	metrics  *Metrics
	count    *counters

	mu        sync.Mutex
	stream    sdp.Stream
	remote    netip.AddrPort // where SDP says the peer receives
	source    netip.AddrPort // where it sends from, once that is known
	sequence  uint16
	timestamp uint32
	ssrc      uint32
	packets   uint32        // sent under the SSRC
	octets    uint32        // their payload
	credit    time.Duration // time that has passed and was not sent yet
	talking   bool          // the last packet was speech
	broken    bool          // packets were left out since the last one
	ticked    time.Time     // when the last packet was due
	dialler   dialler
	sealer    sealer
	buffer    [headerBytes + maxPayload + overhead]byte
}

func newSender(cfg *Config, count *counters) *sender {
	s := &sender{
		conn:      cfg.Conn,
		downlink:  cfg.Downlink,
		law:       cfg.DownlinkLaw,
		metrics:   &cfg.Metrics,
		count:     count,
		stream:    cfg.Stream,
		remote:    cfg.Stream.Remote,
		timestamp: rand.Uint32(), // RFC 3550 §5.1
	}
	s.begin()
	s.sealer.rekey(cfg.Stream.Security)
	s.speak()
	return s
}

// begin begins a stream at random (RFC 3550 §5.1), with a sequence number that does
// not wrap before the peer has heard the first packet (RFC 3711 §3.3.1).
func (s *sender) begin() {
	s.ssrc, s.sequence = rand.Uint32(), uint16(rand.Uint32())>>1
	s.packets, s.octets = 0, 0 // RFC 3550 §6.4.1
	s.broken = true
}

// update takes what SDP settled anew. Another address than before is where
// packets go until the peer's source is known again.
func (s *sender) update(stream sdp.Stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stream.Remote.IsValid() && stream.Remote != s.remote {
		s.remote, s.source = stream.Remote, netip.AddrPort{}
	}
	if stream.Ptime != s.stream.Ptime {
		s.credit = 0
	}
	if !stream.Send.Events {
		s.count.digitsLost.Add(uint64(s.dialler.drop()))
	}
	s.stream = stream
	s.speak()
	if s.sealer.rekey(stream.Security) {
		// Whether a new key's roll-over counter begins at 0 or goes on, RFC 3711
		// §3.3.1 and RFC 4568 §7.1.4 do not agree. For a new SSRC all begin at 0.
		s.begin()
	}
}

// speak tells in which law the downlink is to speak.
func (s *sender) speak() {
	if s.law != nil && s.stream.Ptime > 0 {
		s.law(s.stream.Codec)
	}
}

// identity returns the SSRC that packets carry.
func (s *sender) identity() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ssrc
}

// report returns what a sender report says at that moment. The samples of a packet
// end with the moment in which it is sent.
func (s *sender) report(now time.Time) report {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := report{ssrc: s.ssrc, ntp: ntp(now), timestamp: s.timestamp, packets: s.packets, octets: s.octets}
	if !s.ticked.IsZero() {
		r.timestamp += uint32(now.Sub(s.ticked) / sample)
	}
	return r
}

// follow makes the peer's source where packets go: symmetric RTP (RFC 4961).
func (s *sender) follow(source netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.source = source
}

// press queues a key.
func (s *sender) press(d media.Digit, duration time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stream.Send.Events {
		return ErrNoEvents
	}
	return s.dialler.add(d, duration)
}

// Tick sends what is due for one frame. Frames left out advance the timestamp,
// for their time has passed, but take no audio.
func (s *sender) Tick(skipped int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if skipped > 0 {
		s.timestamp += uint32(skipped) * media.FrameBytes
		s.broken = true
		s.count.skipped.Add(uint64(skipped))
	}
	if s.stream.Ptime <= 0 {
		return
	}
	// A packet time that is no multiple of the frame goes out with the first
	// frame in which it is whole.
	for s.credit += media.FrameDuration; s.credit >= s.stream.Ptime; s.credit -= s.stream.Ptime {
		s.packet(int(media.Bytes(s.stream.Ptime)))
	}
}

// packet sends n samples: of a key, of the agent's audio, or of silence.
func (s *sender) packet(n int) {
	n = min(n, maxPayload)
	s.ticked = time.Now()
	to := s.source
	if !to.IsValid() {
		to = s.remote
	}
	if !to.IsValid() || !s.stream.Direction.Sends() {
		// Audio that is taken counts as heard: what nobody hears stays.
		s.timestamp += uint32(n)
		s.broken, s.talking = true, false
		return
	}
	payload := s.buffer[headerBytes : headerBytes+n]
	e, start, marker, key, quiet := s.dialler.next(s.timestamp, n)
	if key {
		e.put(payload[:eventBytes])
		s.send(to, marker, s.stream.Send.Event, start, eventBytes)
		s.talking = false
	} else {
		got := 0
		if !quiet {
			got = s.downlink.Next(payload)
		}
		s.stream.Codec.FillSilence(payload[got:])
		// RFC 3551 §4.1: the marker bit begins a talkspurt.
		marker = s.broken || got > 0 && !s.talking
		s.talking = got > 0
		s.send(to, marker, s.stream.Send.Audio, s.timestamp, n)
	}
	s.broken = false
	s.timestamp += uint32(n)
}

// send sends the n bytes of payload that are in the buffer.
func (s *sender) send(to netip.AddrPort, marker bool, kind uint8, timestamp uint32, n int) {
	putHeader(s.buffer[:], marker, kind, s.sequence, timestamp, s.ssrc)
	s.sequence++
	b, ok := s.sealer.rtp(s.buffer[:headerBytes+n])
	if !ok { // never in the clear what was to be encrypted
		s.count.sendErrors.Add(1)
		return
	}
	if _, err := s.conn.WriteToUDPAddrPort(b, to); err != nil {
		s.count.sendErrors.Add(1)
		return
	}
	s.packets++
	s.octets += uint32(n)
	s.count.sent.Add(1)
	s.count.sentBytes.Add(uint64(n))
	add(s.metrics.Sent, 1)
}
