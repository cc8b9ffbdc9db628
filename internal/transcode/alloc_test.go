package transcode_test

import (
	"fmt"
	"testing"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/transcode"
)

func TestFramesDoNotAllocate(t *testing.T) {
	each(t, func(t *testing.T, law media.Codec, rate int) {
		d, e := decoder(t, law, rate), encoder(t, law, rate)
		frame := make([]byte, media.FrameBytes)
		wide := make([]byte, 2*media.FrameBytes*rate/8000)
		out := make([]byte, 0, 2*len(wide))
		for name, step := range map[string]func(){
			"decoding":          func() { d.Append(out, frame) },
			"encoding":          func() { e.Append(out, wide) },
			"encoding odd bits": func() { e.Append(out, wide[:len(wide)-1]) },
			"flushing":          func() { d.Flush(out); e.Flush(out) },
			"recoding":          func() { transcode.AppendLaw(out, frame, law, media.PCMA-law) },
		} {
			if n := testing.AllocsPerRun(100, step); n != 0 {
				t.Errorf("%s: %v allocations per frame, want 0", name, n)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for _, rate := range rates {
		b.Run(fmt.Sprint(rate), func(b *testing.B) {
			d := decoder(b, media.PCMU, rate)
			frame, out := make([]byte, media.FrameBytes), make([]byte, 0, 1000)
			b.ReportAllocs()
			for b.Loop() {
				d.Append(out, frame)
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, rate := range rates {
		b.Run(fmt.Sprint(rate), func(b *testing.B) {
			e := encoder(b, media.PCMU, rate)
			wide, out := make([]byte, 2*media.FrameBytes*rate/8000), make([]byte, 0, 1000)
			b.ReportAllocs()
			for b.Loop() {
				e.Append(out, wide)
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		decoder(b, media.PCMU, 24000)
	}
}
