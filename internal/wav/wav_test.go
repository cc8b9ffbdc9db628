package wav_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/callgw/callgw/internal/wav"
)

// file builds a WAV file by hand, with a chunk that readers must skip.
func file(tag, channels, bits uint16, rate uint32, data []byte) []byte {
	le := binary.LittleEndian
	b := append([]byte("RIFF"), 0, 0, 0, 0)
	b = append(b, "WAVE"...)
	b = append(b, "LIST"...)
	b = le.AppendUint32(b, 3)
	b = append(b, "odd\x00"...)
	b = append(b, "fmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, tag)
	b = le.AppendUint16(b, channels)
	b = le.AppendUint32(b, rate)
	b = le.AppendUint32(b, rate)
	b = le.AppendUint16(b, 1)
	b = le.AppendUint16(b, bits)
	b = append(b, "data"...)
	b = le.AppendUint32(b, uint32(len(data)))
	return append(b, data...)
}

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name string
		file []byte
		want []byte
		err  string
	}{
		{"µ-law passes untouched", file(7, 1, 8, 8000, []byte{0, 0x7F, 0xFF}), []byte{0, 0x7F, 0xFF}, ""},
		{"A-law is transcoded: its least step is above zero", file(6, 1, 8, 8000, []byte{0xD5}), []byte{0xFE}, ""},
		{"PCM is encoded, an odd byte left out", file(1, 1, 16, 8000, []byte{0, 0, 0}), []byte{0xFF}, ""},
		{"a cut file gives what is there", file(7, 1, 8, 8000, []byte{1, 2, 3})[:57], []byte{1}, ""},
		{"stereo", file(7, 2, 8, 8000, nil), nil, "2 channels"},
		{"another rate", file(1, 1, 16, 16000, nil), nil, "sox"},
		{"another format", file(17, 1, 4, 8000, nil), nil, "format 17"},
		{"not a WAV file", []byte("ID3 something else"), nil, "not a RIFF"},
		{"empty", nil, nil, "not a RIFF"},
		{"no data", file(7, 1, 8, 8000, nil)[:20], nil, "data chunk is missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := wav.Read(bytes.NewReader(c.file))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error %v, want one with %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, c.want) {
				t.Errorf("got % x, want % x", got, c.want)
			}
		})
	}
}

func TestWhatIsWrittenReadsBack(t *testing.T) {
	for _, n := range []int{0, 1, 160, 16001} {
		want := bytes.Repeat([]byte{0x55}, n)
		var b bytes.Buffer
		if err := wav.Write(&b, want); err != nil {
			t.Fatal(err)
		}
		if size := binary.LittleEndian.Uint32(b.Bytes()[4:]); int(size) != b.Len()-8 {
			t.Errorf("%d bytes: RIFF size %d of a file of %d", n, size, b.Len())
		}
		got, err := wav.Read(&b)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: read back %d, %v", n, len(got), err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(file(7, 1, 8, 8000, []byte{1, 2, 3}))
	f.Add(file(1, 1, 16, 8000, []byte{1, 2, 3, 4}))
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEdata\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := wav.Read(bytes.NewReader(b)); err == nil && len(got) > len(b) {
			t.Errorf("%d bytes of audio from a file of %d", len(got), len(b))
		}
	})
}
