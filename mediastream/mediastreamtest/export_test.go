package mediastreamtest

import "github.com/callgw/callgw/mediastream"

// ReadOrder reads a message from a gateway.
func ReadOrder(kind int, text []byte, stream string) (event string, audio []byte, mark string, err error) {
	o, err := readOrder(kind, text, stream)
	return o.event, o.audio, o.mark, err
}

// ReadTwiML reads a webhook's answer.
func ReadTwiML(text string) (streamURL string, err error) {
	r, err := readTwiML([]byte(text))
	if err != nil {
		return "", err
	}
	return r.Connect.Stream.URL, nil
}

// Playout is the carrier's buffer.
type Playout struct {
	p      playout
	Echoes []string
}

func (p *Playout) Media(audio []byte) { p.p.media(audio) }

func (p *Playout) Mark(name string) {
	if p.p.mark(name) {
		p.echo(name)
	}
}

func (p *Playout) Play(n int) string {
	frame := make([]byte, n)
	return string(frame[:p.p.play(frame, p.echo)])
}

func (p *Playout) Clear() int64 { return p.p.clear(p.echo) }

func (p *Playout) echo(name string) { p.Echoes = append(p.Echoes, name) }

// Read reads a message from a gateway in a carrier's dialect.
func Read(carrier mediastream.Carrier, plain bool, kind int, text []byte, stream string) (event string, audio []byte, mark string, err error) {
	c := &Call{cfg: Config{Carrier: carrier}, tongue: tongueOf(carrier), stream: stream}
	if a, ok := c.tongue.(*asterisk); ok {
		a.plain = plain
	}
	o, err := c.tongue.read(c, kind, text)
	return o.event, o.audio, o.mark, err
}

// ReadAnswer reads a webhook's answer in a carrier's language.
func ReadAnswer(carrier mediastream.Carrier, text string) (streamURL string, err error) {
	var to destination
	switch carrier {
	case mediastream.Plivo:
		to, err = readPlivoXML([]byte(text))
	case mediastream.Vonage:
		to, err = readNCCO([]byte(text))
	case mediastream.Jambonz:
		to, err = readVerbList([]byte(text))
	}
	return to.url, err
}

// Enter enters a call, whose stream is over, at a carrier's API.
func Enter(api interface{ adopt(*Call) }, cfg Config) {
	c := &Call{cfg: cfg, control: make(chan control, 8), done: make(chan struct{})}
	close(c.done)
	api.adopt(c)
}

// ReadTransfer reads a message that asks a program for a transfer.
func ReadTransfer(text, stream string) (Dialled, error) {
	o, err := readTransfer([]byte(text), stream)
	return o.dialled, err
}
