package gateway

import (
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/transcode"
)

// recoded lets a session of one law and a far end of another hear each other.
func recoded(session, far media.Codec, up media.Uplink, down media.Downlink) (media.Uplink, media.Downlink) {
	return &recodedUplink{Uplink: up, from: far, to: session}, &recodedDownlink{Downlink: down, from: session, to: far}
}

// recodedUplink gives what comes in one law on in another.
type recodedUplink struct {
	media.Uplink
	from, to media.Codec
	buffer   []byte // of the leg's reader
}

func (u *recodedUplink) Frame(p []byte) {
	u.buffer = transcode.AppendLaw(u.buffer[:0], p, u.from, u.to)
	u.Uplink.Frame(u.buffer)
}

// recodedDownlink gives what is taken in one law out in another.
type recodedDownlink struct {
	media.Downlink
	from, to media.Codec
	buffer   []byte // of the leg's writer
}

func (d *recodedDownlink) Next(p []byte) int {
	n := d.Downlink.Next(p)
	d.buffer = transcode.AppendLaw(d.buffer[:0], p[:n], d.from, d.to)
	return copy(p, d.buffer)
}
