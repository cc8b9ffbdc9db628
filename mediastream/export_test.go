package mediastream

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// Parsed is what a message was understood as.
type Parsed struct {
	Event     string
	Stream    string
	Timestamp int64
	Chunk     int64
	Unplayed  int64
	Audio     []byte
	BadAudio  bool
	Digit     string
	Mark      string
}

// Parse reads a message in Twilio's dialect.
func Parse(text []byte) (Parsed, error) { return ParseFrom(Twilio, text) }

// ParseFrom reads a message in a carrier's dialect.
func ParseFrom(carrier Carrier, text []byte) (Parsed, error) {
	p, err := carrier.profile()
	if err != nil {
		return Parsed{}, err
	}
	return parseWith(p, text)
}

func parseWith(profile *profile, text []byte) (Parsed, error) {
	var m message
	if err := profile.parse(text, &m); err != nil {
		return Parsed{}, err
	}
	p := Parsed{
		Stream: string(m.stream), Timestamp: m.timestamp,
		Digit: string(m.digit), Mark: string(m.mark), Chunk: m.chunk, Unplayed: m.unplayed,
		Event: [...]string{"", "connected", "start", "media", "dtmf", "mark", "stop", "status", "pause", "resume", "fault", "transferred", "transfer_failed"}[m.event],
	}
	var err error
	if p.Audio, err = m.audio(nil); err != nil {
		p.Audio, p.BadAudio = nil, true
	}
	return p, nil
}

// Start is what a start message tells.
type Start struct {
	Stream, Account, Call string
	Parameters            map[string]string
	Acceptable            bool
}

// ReadStart reads a start message in Twilio's dialect.
func ReadStart(text []byte) (Start, error) { return ReadStartFrom(Twilio, text) }

// ReadStartFrom reads a start message in a carrier's dialect.
func ReadStartFrom(carrier Carrier, text []byte) (Start, error) {
	p, err := carrier.profile()
	if err != nil {
		return Start{}, err
	}
	var m message
	if err := p.parse(text, &m); err != nil {
		return Start{}, err
	}
	st, err := p.readStart(&m)
	return Start{st.stream, st.account, st.call, st.parameters, p.checkFormat(st) == nil}, err
}

// Decoder reads media messages the way a reader does.
type Decoder struct {
	profile *profile
	message message
	audio   []byte
}

func NewDecoder() *Decoder { return &Decoder{profile: twilio()} }

func (d *Decoder) Decode(text []byte) ([]byte, error) {
	if err := d.profile.parse(text, &d.message); err != nil {
		return nil, err
	}
	audio, err := d.message.audio(d.audio)
	d.audio = audio
	return audio, err
}

// Encoder writes media and mark messages the way a writer does.
type Encoder struct {
	out  outbound
	text []byte
}

func NewEncoder(stream string) *Encoder {
	return &Encoder{out: newOutbound(twilio(), `"`+stream+`"`)}
}

func (e *Encoder) Media(audio []byte) []byte {
	e.text = e.out.appendMedia(e.text[:0], audio)
	return e.text
}

func (e *Encoder) Mark(gen, seq uint64) []byte {
	e.text = e.out.appendMark(e.text[:0], gen, seq)
	return e.text
}

func (e *Encoder) Probe(seq uint64) []byte {
	e.text = e.out.appendProbe(e.text[:0], seq)
	return e.text
}

var ParseMark = parseMark

// Playhead is the playhead.
type Playhead struct{ h playhead }

func (p *Playhead) Play(now time.Time, from, n int64) uint64          { return p.h.play(now, from, n, 0) }
func (p *Playhead) Clear(now time.Time) int64                         { return p.h.clear(now) }
func (p *Playhead) Echo(now time.Time, gen, seq uint64) (int64, bool) { return p.h.echo(now, gen, seq) }
func (p *Playhead) Position(now time.Time) int64                      { return p.h.position(now) }
func (p *Playhead) Buffered(now time.Time) int64                      { return p.h.buffered(now) }
func (p *Playhead) Ask(now time.Time) uint64                          { return p.h.ask(now) }
func (p *Playhead) Answer(now time.Time, seq uint64) time.Duration    { return p.h.answer(now, seq) }
func (p *Playhead) Overdue(now time.Time) (int64, int)                { return p.h.overdue(now) }
func (p *Playhead) Gen() uint64                                       { return p.h.gen }
func (p *Playhead) Idle() bool                                        { return p.h.idle() }
func (p *Playhead) RoundTrip() time.Duration                          { return p.h.trip.estimate() }

// Gaps is the gap filler.
type Gaps struct{ g gaps }

func NewGaps(now time.Time) *Gaps { return &Gaps{newGaps(now)} }

func (g *Gaps) Audio(now time.Time, at int64, stamped bool, n int) int64 {
	return g.g.audio(now, at, stamped, n)
}
func (g *Gaps) Idle(now time.Time) int64 { return g.g.idle(now) }
func (g *Gaps) Due() time.Time           { return g.g.due() }

var (
	ConnectTwiML = connectTwiML
	SayTwiML     = sayTwiML
	RejectTwiML  = rejectTwiML
)

// Bench is a stream on a connection, carried step by step.
type Bench struct {
	Stream *Stream
	reader *reader
	writer *writer
}

func NewBench(carrier Carrier, w http.ResponseWriter, r *http.Request, up media.Uplink, down media.Downlink) (*Bench, error) {
	h, err := NewHandler(Config{Carrier: carrier, PublicURL: "https://voice.example.com", Handler: func(context.Context, *Stream) {}})
	if err != nil {
		return nil, err
	}
	sock, err := upgrade(w, r, "", time.Now().Add(time.Minute))
	if err != nil {
		return nil, err
	}
	s := newStream(h, url.Values{})
	if err := s.attach(sock, start{stream: "MZ0123456789abcdef0123456789abcdef"}); err != nil {
		return nil, err
	}
	return &Bench{s, newReader(s, sock, up, down), newWriter(s, sock, down)}, nil
}

// Receive reads and handles one message.
func (b *Bench) Receive() error {
	text, binary, err := b.reader.socket.next()
	if err != nil {
		return err
	}
	if binary {
		b.reader.binary(time.Now(), text)
		return nil
	}
	return b.reader.handle(time.Now(), text)
}

// Handle handles one message.
func (b *Bench) Handle(text []byte) error { return b.reader.handle(time.Now(), text) }

// Send writes what is due, and lets the carrier play it in no time.
func (b *Bench) Send() error {
	if _, err := b.writer.advance(); err != nil {
		return err
	}
	if n := len(b.Stream.head.pending); n > 0 {
		b.Stream.head.echo(time.Now(), b.Stream.head.gen, b.Stream.head.pending[n-1].seq)
	}
	return nil
}

// DialTwiML returns what a transfer of a call would ask for.
func DialTwiML(target string) (string, error) {
	h, err := NewHandler(Config{PublicURL: "https://voice.example.com", Handler: func(context.Context, *Stream) {}})
	if err != nil {
		return "", err
	}
	return newStream(h, url.Values{"CallSid": {"CA1"}, "From": {"anonymous"}, "To": {"+14155550123"}}).dialTwiML(target)
}

// Order puts media messages in order.
type Order struct{ o order }

// Put takes message number chunk and returns those that are due then.
func (o *Order) Put(now time.Time, chunk int64, audio string) (due []string, ok bool) {
	for o.o.crowded(chunk) {
		due = append(due, string(o.o.take().audio))
	}
	ok = o.o.put(now, chunk, 0, false, []byte(audio))
	for o.o.ready() {
		due = append(due, string(o.o.take().audio))
	}
	return due, ok
}

// Late returns those whose patience is over.
func (o *Order) Late(now time.Time) (due []string) {
	for o.o.late(now) {
		due = append(due, string(o.o.take().audio))
	}
	return due
}

// Due returns when Late is to be called, or when if that is earlier.
func (o *Order) Due(when time.Time) time.Time { return o.o.due(when) }

// Exact returns what a clear finds to be heard when so many bytes are unplayed
// of what was written: pieces of audio, of which the last ones may be padded.
func (p *Playhead) Exact(now time.Time, unplayed int64) int64 {
	var asked inquiries
	asked.ask(now, p.h.cut)
	asked.answer(now, &p.h, unplayed)
	return <-p.h.cut.told
}

// PlayPadded is Play with silence behind the audio.
func (p *Playhead) PlayPadded(now time.Time, from, n, pad int64) uint64 {
	return p.h.play(now, from, n, pad)
}

// MaxSettled is how many calls are remembered.
const MaxSettled = maxSettled

// Settled remembers calls that are over.
type Settled struct{ s settled }

// NewSettled returns one that knows none.
func NewSettled() *Settled { return &Settled{} }

func (s *Settled) Add(call string, away bool)           { s.s.add(call, away) }
func (s *Settled) Over(call string, returned bool) bool { return s.s.over(call, returned) }
func (s *Settled) Len() int                             { return len(s.s.calls) }

// DialplanTarget returns a target as a dialplan takes it.
func DialplanTarget(target string) (string, error) {
	h, err := NewHandler(Config{Carrier: Asterisk, Handler: func(context.Context, *Stream) {}})
	if err != nil {
		return "", err
	}
	return newStream(h, url.Values{}).dialplanTarget(target)
}
