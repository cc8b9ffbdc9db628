package bridge

import (
	"slices"

	"github.com/zaf/g711"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/bridge/playout"
)

// play queues a µ-law recording of ours, named for the timeline.
func (c *Call) play(name string, ulaw []byte) {
	audio := ulaw
	if c.cfg.Leg.Codec() == media.PCMA {
		audio = slices.Clone(ulaw)
		for i, b := range audio {
			audio[i] = g711.Ulaw2AlawFrame(b)
		}
	}
	ref := playout.Ref{ItemID: name}
	if _, err := c.queue.Write(nil, []byte(name), 0, audio); err != nil {
		c.log.Error().Err(err).Str("recording", name).Msg("recording not played")
		return
	}
	c.queue.EndItem(ref)
	c.queue.End("")
	c.firstOnce.Do(func() { close(c.firstAudio) })
}
