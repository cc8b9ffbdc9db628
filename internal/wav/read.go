package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/zaf/g711"
)

// Format tags of the WAVE format chunk (RFC 2361 §A).
const (
	formatPCM   = 1
	formatALaw  = 6
	formatMuLaw = 7
)

// MaxBytes bounds what Read accepts: an hour of 16-bit audio.
const MaxBytes = 64 << 20

// ErrNotWAV says that a file is not a WAV file at all.
var ErrNotWAV = errors.New("wav: not a RIFF/WAVE file")

// Read returns the audio of a WAV file as µ-law. The file is mono at 8 kHz, as
// µ-law, A-law or 16-bit PCM; others are refused with an error that says how to
// convert them.
func Read(r io.Reader) ([]byte, error) {
	file, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("wav: %w", err)
	}
	if len(file) > MaxBytes {
		return nil, fmt.Errorf("wav: longer than %d bytes", MaxBytes)
	}
	if len(file) < 12 || string(file[:4]) != "RIFF" || string(file[8:12]) != "WAVE" {
		return nil, ErrNotWAV
	}
	var format []byte
	for chunks := file[12:]; len(chunks) >= 8; {
		id, size := string(chunks[:4]), int(binary.LittleEndian.Uint32(chunks[4:8]))
		body := chunks[8:]
		// Recorders that were cut off leave a size of 0 or beyond the end.
		cut := size > len(body) || size < 0
		if cut {
			size = len(body)
		}
		switch id {
		case "fmt ":
			format = body[:size]
		case "data":
			return decode(format, body[:size])
		}
		if cut {
			break
		}
		chunks = body[min(size+size&1, len(body)):]
	}
	return nil, errors.New("wav: no audio: the data chunk is missing")
}

func decode(format, data []byte) ([]byte, error) {
	if len(format) < 16 {
		return nil, errors.New("wav: the format chunk is missing before the data")
	}
	tag := binary.LittleEndian.Uint16(format)
	channels := binary.LittleEndian.Uint16(format[2:])
	rate := binary.LittleEndian.Uint32(format[4:])
	bits := binary.LittleEndian.Uint16(format[14:])
	if channels != 1 || rate != 8000 {
		return nil, fmt.Errorf("wav: %d channels at %d Hz: mono at 8000 Hz is needed; convert with: sox in.wav -r 8000 -c 1 -e mu-law out.wav",
			channels, rate)
	}
	switch {
	case tag == formatMuLaw && bits == 8:
		return data, nil
	case tag == formatALaw && bits == 8:
		return g711.Alaw2Ulaw(data), nil
	case tag == formatPCM && bits == 16:
		return g711.EncodeUlaw(data[:len(data)&^1]), nil
	}
	return nil, fmt.Errorf("wav: format %d with %d bits: µ-law, A-law or 16-bit PCM is needed; convert with: sox in.wav -r 8000 -c 1 -e mu-law out.wav",
		tag, bits)
}
