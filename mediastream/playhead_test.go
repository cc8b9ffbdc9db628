package mediastream_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
)

const ms = time.Millisecond

// at returns a moment of the tests' clock.
func at(d time.Duration) time.Time { return time.Unix(1000, 0).Add(d) }

func TestPlayhead(t *testing.T) {
	const second = media.SampleRate
	// With 100 ms of round trip, measured before anything plays.
	measured := func() *mediastream.Playhead {
		p := new(mediastream.Playhead)
		p.Answer(at(100*ms), p.Ask(at(0)))
		return p
	}
	for _, tt := range []struct {
		name string
		play func(p *mediastream.Playhead) (heard int64)
		want int64
	}{
		{"nothing was sent", func(p *mediastream.Playhead) int64 {
			return p.Clear(at(time.Second))
		}, 0},
		{"no echo yet: elapsed time alone, as both travel the same way", func(p *mediastream.Playhead) int64 {
			p.Play(at(time.Second), 0, second)
			return p.Clear(at(1200 * ms))
		}, media.Bytes(200 * ms)},
		{"never beyond what was sent", func(p *mediastream.Playhead) int64 {
			p.Play(at(time.Second), 0, 800)
			return p.Clear(at(9 * time.Second))
		}, 800},
		{"an echo, the time since and the round trip", func(p *mediastream.Playhead) int64 {
			seq := p.Play(at(time.Second), 0, 800)
			p.Play(at(time.Second), 800, second)
			// Sent at 1000, arrived at 1050, played at 1150, echoed at 1200.
			p.Echo(at(1200*ms), 0, seq)
			return p.Clear(at(1230 * ms)) // arrives at 1280
		}, media.Bytes(230 * ms)},
		{"not beyond the next mark and the round trip", func(p *mediastream.Playhead) int64 {
			p.Play(at(time.Second), 0, 800)
			p.Play(at(time.Second), 800, second)
			return p.Clear(at(1500 * ms)) // the first mark should be back since 1200
		}, 800 + media.Bytes(100*ms)},
		{"a carrier that has run dry begins anew", func(p *mediastream.Playhead) int64 {
			seq := p.Play(at(time.Second), 0, 800)
			p.Echo(at(1200*ms), 0, seq)
			p.Play(at(5*time.Second), 800, second)
			return p.Clear(at(5040 * ms))
		}, 800 + media.Bytes(40*ms)},
		{"dry by the clock, the last echo still under way", func(p *mediastream.Playhead) int64 {
			p.Play(at(time.Second), 0, 800)
			p.Play(at(1150*ms), 800, second)
			return p.Clear(at(1190 * ms))
		}, 800 + media.Bytes(40*ms)},
		{"a second flush finds nothing", func(p *mediastream.Playhead) int64 {
			p.Play(at(time.Second), 0, second)
			p.Clear(at(1200 * ms))
			return p.Clear(at(1400 * ms))
		}, media.Bytes(200 * ms)},
		{"after a flush a new playout begins where the stream is", func(p *mediastream.Playhead) int64 {
			p.Play(at(time.Second), 0, second)
			p.Clear(at(1200 * ms))
			p.Play(at(2*time.Second), second+500, second)
			return p.Clear(at(2050 * ms))
		}, second + 500 + media.Bytes(50*ms)},
		{"echoes of what was flushed mean nothing", func(p *mediastream.Playhead) int64 {
			seq := p.Play(at(time.Second), 0, second)
			p.Clear(at(1200 * ms))
			if heard, news := p.Echo(at(1300*ms), 0, seq); news || heard != media.Bytes(200*ms) {
				t.Errorf("echo: %d, %v", heard, news)
			}
			return p.Clear(at(1400 * ms))
		}, media.Bytes(200 * ms)},
		{"an echo stands for those before it", func(p *mediastream.Playhead) int64 {
			p.Play(at(time.Second), 0, 800)
			seq := p.Play(at(time.Second), 800, 800)
			p.Play(at(time.Second), 1600, 800)
			heard, _ := p.Echo(at(1300*ms), 0, seq)
			return heard
		}, 1600},
		{"a late echo moves the clock in part", func(p *mediastream.Playhead) int64 {
			first := p.Play(at(time.Second), 0, 800)
			second := p.Play(at(time.Second), 800, 800)
			p.Play(at(time.Second), 1600, 8000)
			p.Echo(at(1200*ms), 0, first)
			p.Echo(at(1340*ms), 0, second) // 40 ms late, of which 10 count
			return p.Clear(at(1340 * ms))
		}, media.Bytes(330 * ms)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := measured()
			// The carrier's 50 ms one way: a clear sent at t arrives as late as
			// the audio sent at t does.
			if got := tt.play(p); got != tt.want {
				t.Errorf("heard %d (%v), want %d (%v)", got, media.Duration(got), tt.want, media.Duration(tt.want))
			}
		})
	}
}

func TestMarksThatDoNotComeBackAreGivenUp(t *testing.T) {
	p := new(mediastream.Playhead)
	p.Answer(at(100*ms), p.Ask(at(0)))
	p.Play(at(time.Second), 0, 800)
	late := p.Play(at(time.Second), 800, 800)
	// Expected back at 1200 and 1300 ms.
	for _, tt := range []struct {
		after time.Duration
		heard int64
		lost  int
	}{{1300 * ms, 0, 0}, {3200 * ms, 0, 0}, {3201 * ms, 800, 1}, {3300 * ms, 800, 0}} {
		if heard, lost := p.Overdue(at(tt.after)); heard != tt.heard || lost != tt.lost {
			t.Errorf("after %v: heard %d, lost %d; want %d, %d", tt.after, heard, lost, tt.heard, tt.lost)
		}
	}
	if heard, news := p.Echo(at(3300*ms), 0, late); heard != 1600 || !news {
		t.Errorf("a mark that came late: %d, %v", heard, news)
	}
	if heard, lost := p.Overdue(at(time.Hour)); heard != 1600 || lost != 0 || !p.Idle() {
		t.Errorf("in the end: %d, %d", heard, lost)
	}
}

func TestAFirstEchoShortensTheRoundTrip(t *testing.T) {
	p := new(mediastream.Playhead)
	p.Answer(at(500*ms), p.Ask(at(0))) // met with a delay of 400 ms
	seq := p.Play(at(time.Second), 0, 800)
	p.Play(at(time.Second), 800, 8000)
	p.Echo(at(1200*ms), 0, seq) // after 100 ms of audio and 100 ms of travel
	if got := p.RoundTrip(); got != 100*ms {
		t.Errorf("round trip %v", got)
	}
	if got, want := p.Clear(at(1250*ms)), media.Bytes(250*ms); got != want {
		t.Errorf("heard %d, want %d", got, want)
	}
}

func TestRoundTripIsTheLeastOfTheLatest(t *testing.T) {
	p := new(mediastream.Playhead)
	for i := range 20 {
		trip := 50*ms + time.Duration(i)*ms
		sent := at(time.Duration(i) * time.Second)
		if got := p.Answer(sent.Add(trip), p.Ask(sent)); got != trip {
			t.Errorf("probe %d: %v, want %v", i, got, trip)
		}
	}
	if got, want := p.RoundTrip(), 62*ms; got != want {
		t.Errorf("%v, want %v", got, want)
	}
	lost := p.Ask(at(time.Minute))
	p.Ask(at(2 * time.Minute))
	if got := p.Answer(at(3*time.Minute), lost); got != 0 {
		t.Errorf("an old probe's answer counts as %v", got)
	}
}

// TestPlayheadInvariants drives a playhead with everything that can happen, in
// any order and at any time.
func TestPlayheadInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := new(mediastream.Playhead)
		now := at(0)
		var taken, heard int64
		var marks, probes []uint64
		var gens []uint64
		report := func(pos int64) {
			if pos < heard || pos > taken {
				t.Fatalf("heard %d after %d of %d", pos, heard, taken)
			}
			heard = pos
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				if pos := p.Position(now); pos < heard || pos > taken {
					t.Fatalf("position %d, heard %d of %d", pos, heard, taken)
				}
				if b := p.Buffered(now); b < 0 || b > taken {
					t.Fatalf("%d bytes buffered of %d", b, taken)
				}
			},
			"wait": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.Int64Range(0, int64(400*ms)).Draw(t, "wait")))
			},
			"play": func(t *rapid.T) {
				n := rapid.Int64Range(1, 800).Draw(t, "bytes")
				marks, gens = append(marks, p.Play(now, taken, n)), append(gens, p.Gen())
				taken += n
			},
			"skip": func(t *rapid.T) {
				// Taken and thrown away, as after a flush.
				if p.Idle() {
					taken += rapid.Int64Range(0, 159).Draw(t, "bytes")
				}
			},
			"echo": func(t *rapid.T) {
				if len(marks) == 0 {
					return
				}
				i := rapid.IntRange(0, len(marks)-1).Draw(t, "mark")
				if pos, news := p.Echo(now, gens[i], marks[i]); news {
					report(pos)
				}
			},
			"ask": func(t *rapid.T) {
				if p.Idle() {
					probes = append(probes, p.Ask(now))
				}
			},
			"answer": func(t *rapid.T) {
				if len(probes) > 0 {
					p.Answer(now, rapid.SampledFrom(probes).Draw(t, "probe"))
				}
			},
			"give up": func(*rapid.T) {
				pos, _ := p.Overdue(now)
				report(pos)
			},
			"clear": func(*rapid.T) { report(p.Clear(now)) },
		})
	})
}
