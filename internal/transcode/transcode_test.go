package transcode_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/transcode"
	"github.com/zaf/g711"
	"pgregory.net/rapid"
)

var (
	laws  = []media.Codec{media.PCMU, media.PCMA}
	rates = []int{8000, 16000, 24000}
)

// each runs a test for every law at every rate.
func each(t *testing.T, test func(t *testing.T, law media.Codec, rate int)) {
	for _, law := range laws {
		for _, rate := range rates {
			t.Run(fmt.Sprintf("%v at %d", law, rate), func(t *testing.T) { test(t, law, rate) })
		}
	}
}

func decoder(t testing.TB, law media.Codec, rate int) *transcode.Decoder {
	t.Helper()
	d, err := transcode.NewDecoder(law, rate)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func encoder(t testing.TB, law media.Codec, rate int) *transcode.Encoder {
	t.Helper()
	e, err := transcode.NewEncoder(law, rate)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// decode and encode convert a whole stream.
func decode(t testing.TB, law media.Codec, rate int, audio []byte) []byte {
	d := decoder(t, law, rate)
	return d.Flush(d.Append(nil, audio))
}

func encode(t testing.TB, law media.Codec, rate int, pcm []byte) []byte {
	e := encoder(t, law, rate)
	return e.Flush(e.Append(nil, pcm))
}

func linear(law media.Codec, b byte) int16 {
	if law == media.PCMA {
		return g711.DecodeAlawFrame(b)
	}
	return g711.DecodeUlawFrame(b)
}

func samples(pcm []byte) []int16 {
	s := make([]int16, len(pcm)/2)
	for i := range s {
		s[i] = int16(binary.LittleEndian.Uint16(pcm[2*i:]))
	}
	return s
}

func pcm(samples ...int16) []byte {
	var p []byte
	for _, s := range samples {
		p = binary.LittleEndian.AppendUint16(p, uint16(s))
	}
	return p
}

func TestRatesThatAreNone(t *testing.T) {
	for _, rate := range []int{0, -8000, 11025, 22050, 32000, 48000} {
		if _, err := transcode.NewDecoder(media.PCMU, rate); err == nil {
			t.Errorf("a decoder to %d Hz", rate)
		}
		if _, err := transcode.NewEncoder(media.PCMU, rate); err == nil {
			t.Errorf("an encoder from %d Hz", rate)
		}
	}
}

func TestByteCountsAreExact(t *testing.T) {
	each(t, func(t *testing.T, law media.Codec, rate int) {
		ratio := rate / 8000
		withheld := int(transcode.Lookahead * media.SampleRate / time.Second)
		if ratio == 1 {
			withheld = 0
		}
		for _, n := range []int{0, 1, 5, 13, 14, 15, 159, 160, 161, 479, 480, 481, 8000, 12345} {
			d := decoder(t, law, rate)
			out := d.Append(nil, make([]byte, n))
			if got, want := len(out), 2*ratio*max(0, n-withheld); got != want {
				t.Errorf("decode %d bytes: %d at once, want %d", n, got, want)
			}
			if got, want := len(d.Flush(out)), 2*ratio*n; got != want {
				t.Errorf("decode %d bytes: %d in all, want %d", n, got, want)
			}
			for _, beside := range []int{0, 1} { // half a sample at the end makes no difference
				if got, want := len(encode(t, law, rate, make([]byte, 2*n+beside))), (n+ratio-1)/ratio; got != want {
					t.Errorf("encode %d samples and %d byte: %d, want %d", n, beside, got, want)
				}
			}
		}
	})
}

func TestSteadyStateIsFrameForFrame(t *testing.T) {
	each(t, func(t *testing.T, law media.Codec, rate int) {
		d, e := decoder(t, law, rate), encoder(t, law, rate)
		frame := make([]byte, media.FrameBytes)
		wide := make([]byte, 2*media.FrameBytes*rate/8000)
		d.Append(nil, frame)
		e.Append(nil, wide)
		for range 50 {
			if got := len(d.Append(nil, frame)); got != len(wide) {
				t.Fatalf("a frame of G.711 made %d bytes of PCM, want %d", got, len(wide))
			}
			if got := len(e.Append(nil, wide)); got != len(frame) {
				t.Fatalf("a frame of PCM made %d bytes of G.711, want %d", got, len(frame))
			}
		}
	})
}

func TestTheLinesSamplesSurviveInPlace(t *testing.T) {
	each(t, func(t *testing.T, law media.Codec, rate int) {
		var line []byte
		for i := range 2000 {
			line = append(line, byte(i*i>>3))
		}
		wide := samples(decode(t, law, rate, line))
		for k, b := range line {
			if got, want := wide[k*rate/8000], linear(law, b); got != want {
				t.Fatalf("sample %d is %d, want %d", k, got, want)
			}
		}
	})
}

func TestAnImpulseStaysWhereItIsAndIsSymmetric(t *testing.T) {
	for _, rate := range rates[1:] {
		ratio := rate / 8000
		in := make([]int16, 1200)
		in[600] = 32000
		out := encode(t, media.PCMU, rate, pcm(in...))
		peak := 600 / ratio
		for k := range 100 {
			left, right := linear(media.PCMU, out[peak-k]), linear(media.PCMU, out[peak+k])
			if left != right {
				t.Errorf("%d Hz: %d before the peak, %d after it, at a distance of %d", rate, left, right, k)
			}
		}
		if got := linear(media.PCMU, out[peak]); math.Abs(float64(got)-32000/float64(ratio)) > 600 {
			t.Errorf("%d Hz: the peak is %d high", rate, got)
		}
	}
}

func TestAConstantStaysOne(t *testing.T) {
	each(t, func(t *testing.T, law media.Codec, rate int) {
		for _, b := range []byte{0x00, 0x2A, 0x55, 0x80, 0xAA, 0xD5, 0xFF} {
			v := linear(law, b)
			wide := samples(decode(t, law, rate, bytes.Repeat([]byte{b}, 400)))
			edge := 20 * rate / 8000
			for i, got := range wide[edge : len(wide)-edge] {
				if d := int(got) - int(v); d < -1 || d > 1 {
					t.Fatalf("sample %d of constant %d is %d", i, v, got)
				}
			}
			back := encode(t, law, rate, pcm(bytesOf(v, 1200)...))
			for i, got := range back[20 : len(back)-20] {
				if linear(law, got) != v {
					t.Fatalf("byte %d of constant %d is %d", i, v, linear(law, got))
				}
			}
		}
	})
}

func bytesOf(v int16, n int) []int16 {
	s := make([]int16, n)
	for i := range s {
		s[i] = v
	}
	return s
}

func TestOvershootIsClippedNotWrapped(t *testing.T) {
	each(t, func(t *testing.T, law media.Codec, rate int) {
		// A square wave is where a sinc overshoots most.
		loud, soft := byte(0x80), byte(0x00)
		if law == media.PCMA {
			loud, soft = 0xAA, 0x2A
		}
		var line []byte
		for i := range 1600 {
			line = append(line, []byte{loud, soft}[i/16%2])
		}
		ratio := rate / 8000
		wide := samples(decode(t, law, rate, line))
		for i, v := range wide {
			half := i / ratio % 32
			if half > 0 && half < 15 && v < 20000 || half > 16 && half < 31 && v > -20000 {
				t.Fatalf("sample %d is %d", i, v)
			}
		}
		for i := range wide {
			wide[i] = math.MaxInt16
			if i/(16*ratio)%2 == 1 {
				wide[i] = math.MinInt16
			}
		}
		for i, b := range encode(t, law, rate, pcm(wide...)) {
			half := i % 32
			if v := linear(law, b); half > 0 && half < 15 && v < 20000 || half > 16 && half < 31 && v > -20000 {
				t.Fatalf("byte %d is %d", i, v)
			}
		}
	})
}

func TestFlushAndResetBeginANewStream(t *testing.T) {
	each(t, func(t *testing.T, law media.Codec, rate int) {
		noise, speech := bytes.Repeat([]byte{0x13, 0x93, 0x07}, 333), fixture(t)
		d, e := decoder(t, law, rate), encoder(t, law, rate)
		wantPCM := decode(t, law, rate, speech)
		wantLine := encode(t, law, rate, wantPCM)
		for name, end := range map[string]func(){
			"Flush": func() { d.Flush(nil); e.Flush(nil) },
			"Reset": func() { d.Reset(); e.Reset() },
		} {
			d.Append(nil, noise)
			e.Append(nil, noise) // 999 bytes: half a sample is pending
			end()
			if !bytes.Equal(d.Flush(d.Append(nil, speech)), wantPCM) {
				t.Errorf("the decoder remembers after %s", name)
			}
			if !bytes.Equal(e.Flush(e.Append(nil, wantPCM)), wantLine) {
				t.Errorf("the encoder remembers after %s", name)
			}
		}
	})
}

func TestOutputIsAppended(t *testing.T) {
	each(t, func(t *testing.T, law media.Codec, rate int) {
		speech := fixture(t)
		wide := decode(t, law, rate, speech)
		d, e := decoder(t, law, rate), encoder(t, law, rate)
		if got := d.Flush(d.Append([]byte("head"), speech)); !bytes.Equal(got, append([]byte("head"), wide...)) {
			t.Error("the decoder does not append")
		}
		if got := e.Flush(e.Append([]byte("head"), wide)); !bytes.Equal(got, append([]byte("head"), encode(t, law, rate, wide)...)) {
			t.Error("the encoder does not append")
		}
	})
}

// fixture is a spoken sentence, as bytes that every law can read.
func fixture(t testing.TB) []byte {
	t.Helper()
	audio, err := os.ReadFile("../../test/fixtures/caller_hello.ulaw")
	if err != nil {
		t.Fatal(err)
	}
	return audio
}

func TestChunksDoNotMatter(t *testing.T) {
	each(t, func(t *testing.T, law media.Codec, rate int) {
		d, e := decoder(t, law, rate), encoder(t, law, rate)
		rapid.Check(t, func(r *rapid.T) {
			in := rapid.SliceOfN(rapid.Byte(), 0, 1500).Draw(r, "stream")
			sizes := rapid.SliceOfN(rapid.IntRange(0, 700), 1, 20).Draw(r, "sizes")
			var narrow, wide []byte
			for i, rest := 0, in; len(rest) > 0; i++ {
				n := min(sizes[i%len(sizes)]+i/len(sizes), len(rest))
				wide = d.Append(wide, rest[:n])
				narrow = e.Append(narrow, rest[:n])
				rest = rest[n:]
			}
			if !bytes.Equal(d.Flush(wide), decode(t, law, rate, in)) {
				r.Error("the decoder's output depends on how its input is cut")
			}
			if !bytes.Equal(e.Flush(narrow), encode(t, law, rate, in)) {
				r.Error("the encoder's output depends on how its input is cut")
			}
		})
	})
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte("a stream of any bytes at all"), uint16(7), uint16(8), uint8(2))
	f.Add(make([]byte, 3001), uint16(1), uint16(2999), uint8(5))
	f.Add([]byte{1}, uint16(0), uint16(1), uint8(3))
	f.Fuzz(func(t *testing.T, in []byte, first, second uint16, which uint8) {
		law, rate := laws[which%2], rates[which/2%3]
		a := min(int(first), len(in))
		b := min(a+int(second), len(in))
		d, e := decoder(t, law, rate), encoder(t, law, rate)
		var wide, narrow []byte
		for _, part := range [][]byte{in[:a], in[a:b], in[b:]} {
			wide, narrow = d.Append(wide, part), e.Append(narrow, part)
		}
		if wide = d.Flush(wide); !bytes.Equal(wide, decode(t, law, rate, in)) || len(wide) != 2*len(in)*rate/8000 {
			t.Errorf("the decoder split at %d and %d made %d bytes of %d", a, b, len(wide), len(in))
		}
		ratio := rate / 8000
		if narrow = e.Flush(narrow); !bytes.Equal(narrow, encode(t, law, rate, in)) || len(narrow) != (len(in)/2+ratio-1)/ratio {
			t.Errorf("the encoder split at %d and %d made %d bytes of %d", a, b, len(narrow), len(in))
		}
	})
}
