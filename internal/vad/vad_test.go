package vad_test

import (
	"math"
	"os"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/vad"
	"github.com/google/go-cmp/cmp"
	"github.com/zaf/g711"
)

func TestLevelAgreesWithAnIndependentDecoder(t *testing.T) {
	decode := map[media.Codec]func(byte) int16{media.PCMU: g711.DecodeUlawFrame, media.PCMA: g711.DecodeAlawFrame}
	for codec, linear := range decode {
		for b := range 256 {
			v := float64(linear(byte(b)))
			want := vad.Quiet
			if v != 0 {
				want = max(want, 20*math.Log10(math.Abs(v)/32768))
			}
			if got := vad.Level(codec, []byte{byte(b)}); math.Abs(got-want) > 0.001 {
				t.Errorf("%v %#02x: level %.3f, want %.3f", codec, b, got, want)
			}
		}
	}
}

func TestLevelOfPCM16(t *testing.T) {
	tests := map[string]struct {
		frame []byte
		want  float64
	}{
		"empty":             {nil, vad.Quiet},
		"silence":           {make([]byte, 320), vad.Quiet},
		"full scale":        {[]byte{0x00, 0x80}, 0},
		"half scale":        {[]byte{0x00, 0x40, 0x00, 0xC0}, -6.0206},
		"odd byte dropped":  {[]byte{0x00, 0x80, 0x12}, 0},
		"below the bottom":  {[]byte{1, 0}, vad.Quiet},
		"mixed with nought": {[]byte{0x00, 0x80, 0, 0}, -3.0103},
	}
	for name, test := range tests {
		if got := vad.LevelPCM16(test.frame); math.Abs(got-test.want) > 0.001 {
			t.Errorf("%s: level %.4f, want %.4f", name, got, test.want)
		}
	}
}

type change struct {
	Change vad.Change
	At     int64
}

// run is n frames at one level.
type run struct {
	n     int
	level float64
}

func detect(cfg vad.Config, runs ...run) []change {
	d := vad.New(cfg)
	var changes []change
	for _, r := range runs {
		for range r.n {
			if c, at := d.Frame(r.level); c != vad.None {
				changes = append(changes, change{c, at})
			}
		}
	}
	return changes
}

func TestDetector(t *testing.T) {
	speech := []change{{vad.Started, 50}, {vad.Stopped, 100}}
	tests := map[string]struct {
		cfg  vad.Config
		in   []run
		want []change
	}{
		"silence is silence":        {in: []run{{500, vad.Quiet}}},
		"speech":                    {in: []run{{50, vad.Quiet}, {50, -20}, {25, vad.Quiet}}, want: speech},
		"not yet over":              {in: []run{{50, vad.Quiet}, {50, -20}, {24, vad.Quiet}}, want: speech[:1]},
		"speech over quiet noise":   {in: []run{{50, -60}, {50, -20}, {25, -60}}, want: speech},
		"speech from the beginning": {in: []run{{50, -20}, {25, -60}}, want: []change{{vad.Started, 0}, {vad.Stopped, 50}}},
		"a click is not speech":     {in: []run{{50, vad.Quiet}, {2, -10}, {50, vad.Quiet}}},
		"clicks far apart":          {in: []run{{50, vad.Quiet}, {2, -10}, {5, vad.Quiet}, {2, -10}, {50, vad.Quiet}}},
		"a broken onset counts": {
			in:   []run{{50, vad.Quiet}, {1, -20}, {1, -80}, {1, -20}, {1, -80}, {1, -20}},
			want: []change{{vad.Started, 50}},
		},
		"a pause within speech": {
			in:   []run{{50, vad.Quiet}, {20, -20}, {20, vad.Quiet}, {10, -20}, {25, vad.Quiet}},
			want: speech,
		},
		"longer hangover bridges a longer pause": {
			cfg:  vad.Config{Hangover: 800 * time.Millisecond},
			in:   []run{{50, vad.Quiet}, {10, -20}, {39, vad.Quiet}, {1, -20}, {40, vad.Quiet}},
			want: speech,
		},
		"hangover rounds up to frames": {
			cfg:  vad.Config{Hangover: 41 * time.Millisecond},
			in:   []run{{50, vad.Quiet}, {50, -20}, {3, vad.Quiet}},
			want: speech,
		},
		"a distant voice is below the gate":  {in: []run{{50, vad.Quiet}, {50, -47}}},
		"but not at a low threshold":         {cfg: vad.Config{Threshold: 0.2}, in: []run{{50, vad.Quiet}, {50, -47}}, want: speech[:1]},
		"a high threshold wants a near one":  {cfg: vad.Config{Threshold: 1}, in: []run{{50, vad.Quiet}, {50, -32}}},
		"thresholds above 1 are 1":           {cfg: vad.Config{Threshold: 7}, in: []run{{50, vad.Quiet}, {50, -28}}, want: speech[:1]},
		"an impatient onset":                 {cfg: vad.Config{Onset: 1}, in: []run{{50, vad.Quiet}, {1, -20}}, want: speech[:1]},
		"an onset longer than its window":    {cfg: vad.Config{Onset: 9, Window: 4}, in: []run{{50, vad.Quiet}, {4, -20}}, want: speech[:1]},
		"noise that grew slowly is not talk": {in: []run{{250, -58}, {250, -52}, {250, -46}, {250, -42}}},
		"talk over loud noise":               {in: []run{{400, -50}, {400, -42}, {50, -22}, {25, -42}}, want: []change{{vad.Started, 800}, {vad.Stopped, 850}}},
		"even the loudest floor leaves room": {in: []run{{3000, -3}, {25, -40}}, want: []change{{vad.Started, 0}, {vad.Stopped, 3000}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, detect(test.cfg, test.in...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSteadyNoiseThatBeganSuddenlyIsAbsorbed(t *testing.T) {
	got := detect(vad.Config{}, run{100, vad.Quiet}, run{2000, -35})
	if len(got) != 2 || got[1].Change != vad.Stopped {
		t.Errorf("changes %v, want the noise taken for speech at first, then for background", got)
	}
}

func TestReset(t *testing.T) {
	d := vad.New(vad.Config{})
	for range 10 {
		d.Frame(-20)
	}
	if !d.Speaking() {
		t.Fatal("no speech after ten loud frames")
	}
	d.Reset()
	if d.Speaking() || d.Frames() != 10 {
		t.Errorf("speaking %v after %d frames, want false after 10", d.Speaking(), d.Frames())
	}
	d.Frame(-20)
	d.Frame(-20)
	if c, at := d.Frame(-20); c != vad.Started || at != 10 {
		t.Errorf("%v at %d, want started at 10", c, at)
	}
}

func TestSpokenClips(t *testing.T) {
	for clip, want := range map[string]int{"caller_hello": 1, "caller_interrupt": 1} {
		audio, err := os.ReadFile("../../test/fixtures/" + clip + ".ulaw")
		if err != nil {
			t.Fatal(err)
		}
		lead := make([]byte, 8000)
		media.PCMU.FillSilence(lead)
		stream := append(append(lead[:4000:4000], audio...), lead...)
		d, turns := vad.New(vad.Config{}), 0
		for ; len(stream) >= media.FrameBytes; stream = stream[media.FrameBytes:] {
			switch c, at := d.Frame(vad.Level(media.PCMU, stream[:media.FrameBytes])); c {
			case vad.Started:
				if at < 25 || at > 30 {
					t.Errorf("%s: speech from frame %d, want just after 25", clip, at)
				}
			case vad.Stopped:
				turns++
			}
		}
		if turns != want || d.Speaking() {
			t.Errorf("%s: %d turns (still speaking: %v), want %d", clip, turns, d.Speaking(), want)
		}
	}
}

func TestFramesDoNotAllocate(t *testing.T) {
	frame, d := make([]byte, media.FrameBytes), vad.New(vad.Config{})
	if n := testing.AllocsPerRun(100, func() { d.Frame(vad.Level(media.PCMU, frame)) }); n != 0 {
		t.Errorf("%v allocations per frame, want 0", n)
	}
}

func BenchmarkFrame(b *testing.B) {
	frame, d := make([]byte, media.FrameBytes), vad.New(vad.Config{})
	b.ReportAllocs()
	for b.Loop() {
		d.Frame(vad.Level(media.PCMU, frame))
	}
}
