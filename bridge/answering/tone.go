package answering

import "math"

// What a beep is. Windows overlap by half, so a tone of 120 ms fills four or five.
const (
	beepLowest, beepHighest = 340.0, 2150.0 // Hz
	beepShortest            = 4             // windows: 120 ms and a little less
	beepLongest             = 150           // windows: 3 s; longer ones are the network's
	beepDrop                = 15.0          // dB by which it is quieter after a beep
	beepQuiet               = 6             // frames of that: 120 ms
	beepPatience            = 10            // frames within which they must begin
	// melody is how long before a beep no other tone may end, in frames.
	melody = 10
)

const (
	sameTone = 12.0  // Hz by which the windows of one tone differ at most
	faintest = -45.0 // dBFS of what may be a tone
)

// Single tones of networks that ring and are busy with one tone: 400 Hz, 425 Hz,
// 440 Hz and 450 Hz. They cannot be told from a machine's beep.
const networkLowest, networkHighest = 385.0, 465.0

func ofNetwork(f float64) bool { return networkLowest <= f && f <= networkHighest }

// sound is what a [tones] has heard.
type sound uint8

const (
	nothing sound = iota
	beep          // one, and it was quiet then
	network       // a tone that may be ringing, or busy
)

// tones follows the single tones of a stream.
type tones struct {
	spectrum
	level     float64 // of the frame before
	frequency float64 // mean of the run
	loudness  float64 // mean of the run, dBFS
	run       int     // windows that the present tone fills

	after    int // frames since the last run ended that was a tone
	last     float64
	waiting  bool // whether what ended was a beep
	volume   float64
	quiet    int
	waited   int
	answered int // windows of a fax machine's answer
	calling  int // windows of a calling one
}

// frame takes the next frame and its level.
func (t *tones) frame(p []byte, level float64) sound {
	f := t.spectrum.frame(p)
	loud := math.Max(level, t.level) // a window's level, about
	t.level = level
	if loud < faintest {
		f = 0
	}
	t.fax(f)
	t.after++
	heard := nothing
	switch {
	case f > 0 && t.run > 0 && math.Abs(f-t.frequency) <= sameTone:
		t.run++
		k := 1 / float64(t.run)
		t.frequency += (f - t.frequency) * k
		t.loudness += (loud - t.loudness) * k
	case f > 0:
		t.ends()
		t.run, t.frequency, t.loudness = 1, f, loud
	default:
		t.ends()
		t.run = 0
	}
	if t.run == beepShortest && ofNetwork(t.frequency) {
		heard = network
	}
	if t.settled(level) {
		heard = beep
	}
	return heard
}

// ends books that the present tone is over.
func (t *tones) ends() {
	if t.run < beepShortest {
		return
	}
	inBand := beepLowest <= t.frequency && t.frequency <= beepHighest
	alone := t.after > melody+t.run || math.Abs(t.last-t.frequency) <= sameTone
	t.waiting = inBand && !ofNetwork(t.frequency) && alone && t.run <= beepLongest
	t.volume, t.quiet, t.waited = t.loudness, 0, 0
	t.after, t.last = 0, t.frequency
}

// settled tells, once, that it is quiet after what may have been a beep.
func (t *tones) settled(level float64) bool {
	if !t.waiting {
		return false
	}
	t.waited++
	if level <= t.volume-beepDrop {
		t.quiet++
	} else {
		t.quiet = 0
	}
	if t.waited > beepPatience+beepQuiet {
		t.waiting = false
	}
	if t.quiet < beepQuiet {
		return false
	}
	t.waiting = false
	return true
}

// The tones of fax machines: an answering one sends 2100 Hz for 2.6 s to 4 s (CED,
// ITU-T T.30 §4.3.3.1; interrupted in phase every 450 ms, V.8), a calling one, as
// behind a switch, 1100 Hz for 0.5 s every 3.5 s (CNG, T.30 §4.3.3.2).
const (
	cedLowest, cedHighest = 2080.0, 2120.0
	cngLowest, cngHighest = 1062.0, 1138.0
	cedWindows            = 40 // 800 ms
	cngWindows            = 19 // 400 ms
)

// fax counts the windows of fax tones. Gaps count against them.
func (t *tones) fax(f float64) {
	count(&t.answered, cedLowest <= f && f <= cedHighest)
	count(&t.calling, cngLowest <= f && f <= cngHighest)
}

func count(n *int, yes bool) {
	if yes {
		*n++
	} else if *n > 0 {
		*n--
	}
}
