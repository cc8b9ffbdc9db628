package rtp

import (
	"net/netip"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip/sdp"
)

// comfortNoise is the payload type of RFC 3389.
const comfortNoise = 13

// receiver turns packets into the uplink's audio and keys. It is a pure state
// machine: it is told the time and owns no goroutine.
type receiver struct {
	uplink  media.Uplink
	law     func(media.Codec) // is told the uplink's, or nil
	metrics *Metrics
	count   *counters
	timeout time.Duration // less than 0: none

	stream  sdp.Stream
	laws    laws
	live    bool      // the call is answered: audio goes on
	epoch   time.Time // what arrivals are measured from
	valid   time.Time // the last RTP packet of the peer, or when it began to be expected
	held    bool      // what the uplink was last told
	lock    lock
	order   order
	clock   *clock
	presses presses
	jitter  jitter
	opener  opener
	reports *reports
}

func newReceiver(cfg *Config, count *counters, reports *reports) *receiver {
	return &receiver{
		uplink:  cfg.Uplink,
		law:     cfg.UplinkLaw,
		metrics: &cfg.Metrics,
		count:   count,
		timeout: cfg.Timeout,
		clock:   newClock(cfg.Uplink, count),
		reports: reports,
	}
}

// update takes what SDP settled, now or anew.
func (r *receiver) update(now time.Time, s sdp.Stream) {
	waited := r.expects()
	r.stream = s
	r.laws.settle(s)
	r.speaks(s.Codec)
	r.lock.resignal(now, s.Remote)
	r.opener.rekey(now, s.Security)
	if r.expects() && !waited {
		r.valid = now
	}
	if s.OnHold() != r.held {
		r.held = s.OnHold()
		r.uplink.Hold(r.held)
	}
}

// start makes the call live.
func (r *receiver) start(now time.Time) {
	r.live, r.epoch, r.valid = true, now, now
	r.clock.start(now)
}

// expects reports whether the peer has to send: it said so and hears us.
func (r *receiver) expects() bool {
	return r.settled() && r.stream.Direction == sdp.SendRecv
}

// settled reports whether SDP has settled anything yet.
func (r *receiver) settled() bool { return r.stream.Ptime > 0 }

// receive takes one datagram. It reports whether the lock closed on a
// source or stream that it was not closed on before.
func (r *receiver) receive(now time.Time, from netip.AddrPort, b []byte) (moved bool) {
	from = unmapped(from)
	if isRTCP(b) {
		r.reports.receive(now, from, b)
		return false
	}
	if len(b) < headerBytes || b[0]>>6 != 2 {
		r.reject(Malformed)
		return false
	}
	if !r.settled() {
		return false
	}
	if r.lock.strange(now, from) { // before its packets cost anything
		r.reject(Source)
		return false
	}
	b, why, ok := r.opener.rtp(now, b)
	if !ok {
		r.reject(why)
		return false
	}
	p, ok := parse(b)
	if !ok {
		r.reject(Malformed)
		return false
	}
	agreed := r.audio(p.kind) || r.event(p.kind) || p.kind == comfortNoise
	if !agreed && !r.lock.locked {
		r.reject(Payload) // nobody's address is learnt from that
		return false
	}
	was := r.lock.locked
	switch r.lock.admit(now, from, &p, r.opener.on) {
	case strangeAddr:
		r.reject(Source)
		return false
	case strangeStream:
		r.reject(SSRC)
		return false
	case admittedNew:
		r.flush(now)
		r.release()
		r.order, r.jitter, r.presses = order{held: r.order.held}, jitter{}, presses{}
		r.clock.unanchor()
		moved = r.lock.locked
	case admitted:
		moved = r.lock.locked != was
	}
	r.valid = now
	if !agreed {
		r.reject(Payload) // but it has its place in the sequence
	} else {
		r.count.received.Add(1)
		r.count.receivedBytes.Add(uint64(len(p.payload)))
		add(r.metrics.Received, 1)
	}
	if r.live {
		r.admitted(now, &p)
	}
	return moved
}

// admitted takes a packet of the peer's.
func (r *receiver) admitted(now time.Time, p *packet) {
	if r.event(p.kind) {
		// A key is reported when its first packet comes, in order or not.
		r.press(p)
	} else if r.audio(p.kind) {
		if r.presses.over(p.timestamp) {
			r.release()
		}
		r.count.jitter.Store(uint64(r.jitter.take(now.Sub(r.epoch), p.timestamp)))
	}
	r.reports.about.take(p.ssrc, p.sequence, r.jitter.scaled>>4)
	r.place(now, p)
}

// place puts a packet where its sequence number belongs.
func (r *receiver) place(now time.Time, p *packet) {
	switch r.order.place(p.sequence) {
	case next:
		if r.order.waiting > 0 {
			r.count.reordered.Add(1)
			add(r.metrics.Reordered, 1)
		}
		r.play(now, p)
		r.order.advance(false)
		r.drain(now)
	case ahead:
		if !r.order.hold(now, p) {
			r.skip(now)
			r.place(now, p)
		}
	case duplicate:
		r.count.duplicates.Add(1)
	case late:
		r.count.late.Add(1)
	case restarted:
		r.flush(now)
		r.order.begin(p.sequence)
		r.reports.about.begin(p.ssrc, p.sequence)
		r.clock.unanchor()
		r.again(p)
		r.play(now, p)
		r.order.advance(false)
	case jump:
	}
}

// again forgets the keys of before the sequence began anew: the timestamps may
// have, too. The key that p is of stays, reported by now or to be.
func (r *receiver) again(p *packet) {
	if r.event(p.kind) && r.presses.timestamp == p.timestamp {
		return
	}
	r.release()
	r.presses = presses{}
	if r.event(p.kind) {
		r.press(p)
	}
}

// press reports a key once.
func (r *receiver) press(p *packet) {
	e, ok := parseEvent(p.payload)
	if !ok {
		r.reject(Malformed)
		return
	}
	if r.presses.place(p.timestamp, e) == another {
		r.release()
	}
	if digit, ok := r.presses.take(p.timestamp, e); ok {
		r.count.digits.Add(1)
		r.uplink.Digit(digit)
	}
	if r.presses.last.end {
		r.release()
	}
}

// release reports that the key which is pressed was released.
func (r *receiver) release() {
	d, held, ok := r.presses.release()
	if !ok {
		return
	}
	if up, ok := r.uplink.(media.KeyUplink); ok {
		up.Released(d, held)
	}
}

// play passes a packet's audio on. What is no audio leaves its time to be
// filled. So does audio that nobody asked for.
func (r *receiver) play(now time.Time, p *packet) {
	if r.audio(p.kind) && r.stream.Direction.Receives() {
		r.speaks(r.laws.of(p.kind))
		r.clock.audio(now, p)
	}
}

// speaks makes law that of what is passed on from now on, silence as well.
func (r *receiver) speaks(law media.Codec) {
	if r.laws.told && law == r.laws.spoken {
		return
	}
	r.laws.spoken, r.laws.told = law, true
	r.clock.codec(law)
	if r.law != nil {
		r.law(law)
	}
}

// drain plays the held packets that are next.
func (r *receiver) drain(now time.Time) {
	for h := r.order.find(r.order.expected); h != nil; h = r.order.find(r.order.expected) {
		r.play(now, &h.packet)
		r.order.release(h)
		r.order.advance(false)
	}
}

// skip gives up what is missing before the first held packet.
func (r *receiver) skip(now time.Time) {
	n := r.order.gap()
	for range n {
		r.order.advance(true)
	}
	r.count.lost.Add(uint64(n))
	r.count.missed.Add(uint64(n))
	add(r.metrics.Lost, uint64(n))
	r.drain(now)
}

// flush plays all that is held.
func (r *receiver) flush(now time.Time) {
	for r.order.waiting > 0 {
		r.skip(now)
	}
}

// deadline returns when expire is to be called if nothing comes before; zero
// means never.
func (r *receiver) deadline() time.Time {
	if !r.live {
		return time.Time{}
	}
	d := r.clock.deadline()
	if r.order.waiting > 0 {
		d = earlier(d, r.order.opened().Add(patience))
	}
	if r.timeout > 0 && r.expects() {
		d = earlier(d, r.alive().Add(r.timeout))
	}
	return d
}

// alive returns when the peer last gave a sign of life: audio, or a report while it
// has nothing to say, muted or silent.
func (r *receiver) alive() time.Time {
	if at := r.reports.lastHeard(); at.After(r.valid) {
		return at
	}
	return r.valid
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// expire does what is due by now. It reports false when the peer has been
// silent for too long.
func (r *receiver) expire(now time.Time) bool {
	if !r.live {
		return true
	}
	// What waits behind a gap is played before silence would take its place.
	for r.order.waiting > 0 &&
		!now.Before(earlier(r.order.opened().Add(patience), r.clock.deadline())) {
		r.skip(now)
	}
	r.clock.synthesise(now)
	return r.timeout < 0 || !r.expects() || now.Before(r.alive().Add(r.timeout))
}

func (r *receiver) audio(kind uint8) bool { return r.laws.has(kind) }

// event: some peers send telephone-event with their own number, not with that
// of the offer they answered.
func (r *receiver) event(kind uint8) bool {
	s := &r.stream
	return s.Receive.Events && kind == s.Receive.Event || s.Send.Events && kind == s.Send.Event
}

func (r *receiver) reject(why Reason) {
	r.count.rejected[why].Add(1)
	add(r.metrics.Rejected[why], 1)
}
