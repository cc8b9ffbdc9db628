package bridge

import (
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/transcode"
	"github.com/callgw/callgw/realtime"
)

// formats are the audio formats of a session, and the converters where one is
// not the leg's own. The usual call has none: its bytes are not touched.
type formats struct {
	codec   media.Codec
	in, out realtime.AudioFormat

	toSession  *transcode.Decoder // of the leg's reader; nil: none or a law alone
	toLeg      *transcode.Encoder // of the session's reader; nil: none or a law alone
	upBuffer   []byte
	downBuffer []byte
	speaking   string // the item whose tail toLeg still holds
}

// native is the format in which a leg's codec passes through.
func native(c media.Codec) realtime.AudioFormat {
	if c == media.PCMA {
		return realtime.FormatALaw
	}
	return realtime.FormatULaw
}

// law returns the codec of a G.711 format.
func law(f realtime.AudioFormat) media.Codec {
	if f == realtime.FormatALaw {
		return media.PCMA
	}
	return media.PCMU
}

func newFormats(c media.Codec, p realtime.Properties) (*formats, error) {
	f := &formats{codec: c, in: p.InputAudioFormat, out: p.OutputAudioFormat}
	if f.in == "" {
		f.in = native(c)
	}
	if f.out == "" {
		f.out = native(c)
	}
	var err error
	if f.in == realtime.FormatPCM16 {
		if f.toSession, err = transcode.NewDecoder(c, realtime.FormatPCM16.Rate()); err != nil {
			return nil, err
		}
	}
	if f.out == realtime.FormatPCM16 {
		f.toLeg, err = transcode.NewEncoder(c, realtime.FormatPCM16.Rate())
	}
	return f, err
}

// up returns the leg's audio in the session's input format. The result is valid
// until the next call.
func (f *formats) up(p []byte) []byte {
	switch {
	case f.toSession != nil:
		f.upBuffer = f.toSession.Append(f.upBuffer[:0], p)
	case f.in != native(f.codec):
		f.upBuffer = transcode.AppendLaw(f.upBuffer[:0], p, f.codec, law(f.in))
	default:
		return p
	}
	return f.upBuffer
}

// down returns an item's audio in the leg's codec. The result is valid until the
// next call.
func (f *formats) down(itemID, p []byte) []byte {
	switch {
	case f.toLeg != nil:
		if f.speaking != string(itemID) {
			f.toLeg.Reset()
			f.speaking = string(itemID)
		}
		f.downBuffer = f.toLeg.Append(f.downBuffer[:0], p)
	case f.out != native(f.codec):
		f.downBuffer = transcode.AppendLaw(f.downBuffer[:0], p, law(f.out), f.codec)
	default:
		return p
	}
	return f.downBuffer
}

// tail returns what the converter still holds of an item that is complete.
func (f *formats) tail(itemID string) []byte {
	if f.toLeg == nil || f.speaking != itemID {
		return nil
	}
	f.speaking = ""
	f.downBuffer = f.toLeg.Flush(f.downBuffer[:0])
	return f.downBuffer
}
