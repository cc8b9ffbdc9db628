package answering_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/answering"
	"github.com/callgw/callgw/bridge/media"
)

const (
	ms  = time.Millisecond
	sec = time.Second
)

func newDetector(t testing.TB, cfg answering.Config) *answering.Detector {
	t.Helper()
	d, err := answering.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// finding is all that a detector finds out.
type finding struct {
	Verdict answering.Verdict
	Over    answering.End
}

// judge lets a detector hear a signal, a frame at a time, and silence after it.
func judge(t testing.TB, cfg answering.Config, s signal) (f finding, after, over time.Duration) {
	t.Helper()
	d := newDetector(t, cfg)
	audio := encode(cfg.Codec, then(s, silence(12*sec)))
	for ; len(audio) >= media.FrameBytes; audio = audio[media.FrameBytes:] {
		d.Hear(audio[:media.FrameBytes])
	}
	f.Verdict, after = d.Verdict()
	f.Over, over = d.Over()
	return f, after, over
}

func TestWhoHasAnswered(t *testing.T) {
	human := finding{Verdict: answering.Human}
	unknown := finding{Verdict: answering.Unknown}
	fax := finding{Verdict: answering.Fax}
	machine := func(e answering.End) finding { return finding{answering.Machine, e} }
	pickUp := silence(300 * ms)
	cng := then(tone(1100, -15, 500*ms), silence(3*sec))
	busy := func(hz ...float64) signal { return times(6, then(tones(-18, 500*ms, hz...), silence(500*ms))) }
	for name, c := range map[string]struct {
		heard signal
		want  finding
	}{
		"one word":                     {then(pickUp, stop), human},
		"a short sentence":             {then(pickUp, hello), human},
		"a sentence in noise":          {with(then(pickUp, hello, silence(3*sec)), noise(-50, 5*sec)), human},
		"who speaks late":              {then(silence(4*sec), hello), human},
		"a long greeting":              {then(pickUp, greeting(8*sec)), machine(answering.Pause)},
		"a greeting with a beep":       {then(pickUp, greeting(6*sec), silence(400*ms), tone(1000, -15, 400*ms)), machine(answering.Beep)},
		"a late beep":                  {then(pickUp, greeting(6*sec), silence(1800*ms), tone(1400, -20, 200*ms)), machine(answering.Beep)},
		"a beep in noise":              {with(then(pickUp, greeting(6*sec), silence(300*ms), tone(850, -20, 300*ms), silence(4*sec)), noise(-48, 12*sec)), machine(answering.Beep)},
		"a short greeting with a beep": {then(pickUp, hello, silence(300*ms), tone(1000, -15, 500*ms)), machine(answering.Beep)},
		"a beep as a fax has it":       {then(pickUp, hello, silence(300*ms), tone(1100, -15, 500*ms)), machine(answering.Beep)},
		"a tone of another line":       {then(pickUp, greeting(3*sec), silence(200*ms), tone(1000, -55, 500*ms)), machine(answering.Pause)},
		"a beep alone":                 {then(pickUp, tone(1000, -15, 700*ms)), machine(answering.Beep)},
		"a greeting that does not end": {then(pickUp, greeting(31*sec)), machine(answering.Timeout)},
		"nobody":                       {silence(sec), unknown},
		"steady noise":                 {noise(-35, 12*sec), unknown},
		"a fax machine that answers":   {then(pickUp, tone(2100, -15, 3*sec)), fax},
		"an answer with reversals": {then(pickUp, times(6, then(tone(2100, -15, 450*ms),
			tone(2100, -15, 450*ms)[2:]))), fax},
		"a fax machine that calls": {then(silence(sec), times(2, cng)), fax},
		"American ringing":         {times(2, then(tones(-19, 2*sec, 440, 480), silence(4*sec))), unknown},
		"European ringing":         {times(2, then(tone(425, -15, sec), silence(4*sec))), unknown},
		"British ringing":          {times(4, then(tones(-19, 400*ms, 400, 450), silence(200*ms), tones(-19, 400*ms, 400, 450), silence(2*sec))), unknown},
		"American busy":            {busy(480, 620), unknown},
		"European busy":            {busy(425), unknown},
		"a dial tone":              {tones(-18, 8*sec, 350, 440), unknown},
		"keys":                     {then(pickUp, greeting(4*sec), times(4, then(tones(-13, 120*ms, 852, 1336), silence(200*ms)))), machine(answering.Pause)},
		"keys with twist":          {then(pickUp, greeting(4*sec), times(4, then(with(tone(697, -19, 120*ms), tone(1209, -13, 120*ms)), silence(200*ms)))), machine(answering.Pause)},
		"music":                    {then(pickUp, melody(9*sec)), machine(answering.Pause)},
		"special information tones": {
			then(pickUp, greeting(3*sec), tone(950, -15, 330*ms), tone(1400, -15, 330*ms), tone(1800, -15, 330*ms)),
			machine(answering.Pause),
		},
		"a tone with words after it": {
			then(pickUp, greeting(3*sec), silence(200*ms), tone(1000, -15, 300*ms), greeting(3*sec)),
			machine(answering.Pause),
		},
		"a tone that stays": {then(pickUp, greeting(3*sec), silence(200*ms), tone(1000, -15, 5*sec)), machine(answering.Pause)},
		"a chord":           {then(pickUp, greeting(3*sec), silence(200*ms), tones(-20, 500*ms, 523, 659, 784)), machine(answering.Pause)},
		"a tone in bad noise": {
			with(then(pickUp, greeting(3*sec), silence(200*ms), tone(1000, -30, 500*ms), silence(5*sec)), noise(-34, 9*sec)),
			machine(answering.Pause),
		},
		"ringing after an announcement": {
			then(pickUp, greeting(4*sec), silence(300*ms), times(3, then(tone(425, -15, sec), silence(4*sec))), greeting(2*sec)),
			machine(answering.Pause),
		},
	} {
		for _, codec := range []media.Codec{media.PCMU, media.PCMA} {
			t.Run(name+" "+codec.String(), func(t *testing.T) {
				got, after, over := judge(t, answering.Config{Codec: codec}, c.heard)
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("after %v, over after %v (-want +got):\n%s", after, over, diff)
				}
			})
		}
	}
}

// TestVerdictsComeInTime holds the times that Config promises: whoever waits for a
// verdict waits no longer.
func TestVerdictsComeInTime(t *testing.T) {
	const lead = 400 * ms
	word := time.Duration(len(stop)) * sec / media.SampleRate
	for name, c := range map[string]struct {
		cfg   answering.Config
		heard signal
		want  answering.Verdict
		after time.Duration
	}{
		"a human":               {answering.Config{}, then(silence(lead), stop), answering.Human, lead + word + 1200*ms},
		"a human, impatiently":  {answering.Config{SpeechEnd: 600 * ms}, then(silence(lead), stop), answering.Human, lead + word + 600*ms},
		"a machine":             {answering.Config{}, then(silence(lead), greeting(9*sec)), answering.Machine, lead + 2400*ms},
		"a machine, with doubt": {answering.Config{Speech: 4 * sec}, then(silence(lead), greeting(9*sec)), answering.Machine, lead + 4*sec},
		"nobody":                {answering.Config{}, nil, answering.Unknown, 5 * sec},
		"nobody, impatiently":   {answering.Config{Silence: 2 * sec}, nil, answering.Unknown, 2 * sec},
		"time is up": {
			answering.Config{Timeout: 3 * sec, Speech: 6 * sec},
			then(silence(lead), greeting(9*sec)),
			answering.Unknown, 3 * sec,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, after, _ := judge(t, c.cfg, c.heard)
			if got.Verdict != c.want {
				t.Fatalf("the verdict is %v", got.Verdict)
			}
			// Words begin and end softly.
			if early, late := c.after-250*ms, c.after+250*ms; after < early || after > late {
				t.Errorf("known after %v, not about %v", after, c.after)
			}
		})
	}
}

// TestRingingIsNotTheEndOfAMessage lets a machine pass the call on: between two
// rings there are 4 s.
func TestRingingIsNotTheEndOfAMessage(t *testing.T) {
	ringing := then(greeting(4*sec), silence(300*ms), times(3, then(tone(425, -15, sec), silence(4*sec))))
	got, _, over := judge(t, answering.Config{}, ringing)
	if last := time.Duration(len(ringing))*sec/media.SampleRate - 4*sec; got.Over != answering.Pause || over < last+4*sec {
		t.Errorf("%v, over after %v; the last ring ends after %v", got, over, last)
	}
}

// TestEveryBeepIsHeard tries the beeps that machines have.
func TestEveryBeepIsHeard(t *testing.T) {
	for _, hz := range []float64{350, 480, 600, 620, 850, 1000, 1004, 1100, 1400, 1650, 2000, 2100} {
		for _, db := range []float64{-8, -20, -35} {
			for _, d := range []time.Duration{125 * ms, 200 * ms, 500 * ms, 700 * ms, 1500 * ms} {
				ends := then(silence(250*ms), greeting(4*sec), silence(350*ms), tone(hz, db, d))
				got, _, over := judge(t, answering.Config{}, ends)
				if want := (finding{answering.Machine, answering.Beep}); got != want {
					t.Errorf("%v Hz at %v dBFS for %v: %v", hz, db, d, got)
					continue
				}
				took := over - time.Duration(len(ends))*sec/media.SampleRate
				if took > 250*ms {
					t.Errorf("%v Hz at %v dBFS for %v: known %v after its end", hz, db, d, took)
				}
			}
		}
	}
}

// TestAVerdictIsFinal feeds noise, tones and silence at random: a verdict is told
// once and does not change, and no more is told than there is to tell.
func TestAVerdictIsFinal(t *testing.T) {
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 7))
		d := newDetector(t, answering.Config{})
		var seen finding
		news := 0
		for range 60 {
			length := time.Duration(20+random.IntN(1500)) * ms
			var s signal
			switch random.IntN(4) {
			case 0:
				s = silence(length)
			case 1:
				s = tone(float64(300+random.IntN(2000)), float64(-40+random.IntN(35)), length)
			case 2:
				s = noise(float64(-60+random.IntN(45)), length)
			case 3:
				s = hello
			}
			audio := encode(media.PCMU, s)
			for len(audio) > 0 {
				n := min(1+random.IntN(400), len(audio))
				told := d.Hear(audio[:n])
				audio = audio[n:]
				v, _ := d.Verdict()
				e, _ := d.Over()
				if seen.Verdict != answering.Undecided && v != seen.Verdict || seen.Over != answering.Running && e != seen.Over {
					t.Fatalf("seed %d: %v became %v, %v", seed, seen, v, e)
				}
				if changed := (finding{v, e}) != seen; changed != told {
					t.Fatalf("seed %d: %v to %v %v: told: %v", seed, seen, v, e, told)
				}
				if told {
					news++
				}
				seen = finding{v, e}
			}
		}
		if !d.Done() || news == 0 || news > 2 {
			t.Errorf("seed %d: %v after a minute, told %d times", seed, seen, news)
		}
	}
}

func TestWhatIsOutOfBoundsIsRefused(t *testing.T) {
	for _, cfg := range []answering.Config{
		{Speech: 999 * ms},
		{Speech: 7 * sec},
		{SpeechEnd: -1},
		{SpeechEnd: 6 * sec},
		{Silence: sec},
		{Silence: 11 * sec},
		{MessagePause: 100 * ms},
		{Timeout: sec},
		{Timeout: time.Minute},
	} {
		if _, err := answering.New(cfg); err == nil {
			t.Errorf("%+v is taken", cfg)
		}
	}
}

func TestHearingAllocatesNothing(t *testing.T) {
	audio := encode(media.PCMU, greeting(3*sec))
	d := newDetector(t, answering.Config{})
	if n := testing.AllocsPerRun(20, func() { d.Hear(audio[:media.FrameBytes]) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func BenchmarkFrame(b *testing.B) {
	audio := encode(media.PCMU, hello)[:media.FrameBytes]
	d := newDetector(b, answering.Config{})
	b.ReportAllocs()
	for b.Loop() {
		if d.Done() {
			d = newDetector(b, answering.Config{})
		}
		d.Hear(audio)
	}
}

func FuzzHear(f *testing.F) {
	f.Add(encode(media.PCMU, hello[:1600]), uint8(0), uint16(160))
	f.Add(encode(media.PCMA, tone(2100, -10, 200*ms)), uint8(1), uint16(7))
	f.Add([]byte{0x00, 0xFF, 0x80, 0x7F}, uint8(0), uint16(1))
	f.Fuzz(func(t *testing.T, audio []byte, codec uint8, piece uint16) {
		d := newDetector(t, answering.Config{Codec: media.Codec(codec & 1)})
		for len(audio) > 0 {
			n := min(int(piece)+1, len(audio))
			d.Hear(audio[:n])
			audio = audio[n:]
		}
		if v, after := d.Verdict(); v != answering.Undecided && after <= 0 {
			t.Errorf("%v after %v", v, after)
		}
	})
}
