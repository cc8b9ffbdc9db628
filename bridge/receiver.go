package bridge

import (
	"fmt"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/bridge/playout"
	"github.com/callgw/callgw/realtime"
)

// receiver takes what comes from the session, on the session's reader
// goroutine. What must not be overtaken happens here: audio, and the end of it
// when the caller begins to speak. All else goes to the call's own goroutine.
type receiver Call

// Audio queues one delta of the agent's audio.
func (r *receiver) Audio(d realtime.AudioDelta) {
	c := (*Call)(r)
	if c.failed.Load() || c.callee.message.unheard(d.ResponseID) {
		return
	}
	if c.watch != nil && c.watch.suspicious(d.Audio) {
		c.post(func() { c.wrongAudio() })
		c.watch = &formatWatch{}
		return
	}
	kept, err := c.queue.Write(d.ResponseID, d.ItemID, d.ContentIndex, c.formats.down(d.ItemID, d.Audio))
	if err != nil {
		c.End(fmt.Errorf("bridge: %w: %w", media.ProviderLost, err))
		return
	}
	if kept {
		c.turns.delta(time.Now())
		c.firstOnce.Do(func() { close(c.firstAudio) })
	}
}

// Event books in the ledger what an event means for it, and hands it on.
func (r *receiver) Event(e realtime.Event) {
	c := (*Call)(r)
	at := time.Now()
	switch e := e.(type) {
	case realtime.ResponseCreated:
		c.turns.created()
		c.begins(e.Response)
	case realtime.OutputItemAdded:
		c.promise(e)
	case realtime.AudioDone:
		c.finishItem(e)
	case realtime.ResponseDone:
		c.queue.End(e.Response.ID)
	case realtime.SpeechStarted:
		c.bargeIn(at)
	}
	if matters(e) {
		c.post(func() { c.handle(e, at) })
	}
}

// matters reports whether the call's own goroutine has to see an event. Captions
// come in bursts of hundreds, and it makes nothing of them.
func matters(e realtime.Event) bool {
	switch e := e.(type) {
	case realtime.Unknown:
		return e.Err != nil
	case realtime.TranscriptDelta, realtime.TextDelta, realtime.TranscriptionDelta,
		realtime.ItemAdded, realtime.ItemDone, realtime.OutputItemAdded, realtime.OutputItemDone,
		realtime.AudioDone, realtime.TextDone, realtime.FunctionCallArgumentsDone, realtime.RateLimitsUpdated,
		realtime.InputCommitted:
		return false
	}
	return true
}

// finishItem books the end of an item's audio.
func (c *Call) finishItem(e realtime.AudioDone) {
	if tail := c.formats.tail(e.ItemID); len(tail) > 0 {
		// A full queue has ended the call already.
		_, _ = c.queue.Write([]byte(e.ResponseID), []byte(e.ItemID), e.ContentIndex, tail)
	}
	c.queue.EndItem(playout.Ref{ResponseID: e.ResponseID, ItemID: e.ItemID, ContentIndex: e.ContentIndex})
}

// promise books an item that is going to speak. An item that comes after its
// response was interrupted will never be heard: the model must not believe that
// it was.
func (c *Call) promise(e realtime.OutputItemAdded) {
	if e.Item.Type != "message" {
		return
	}
	if c.callee.message.unheard([]byte(e.ResponseID)) || !c.queue.Item(e.ResponseID, e.Item.ID) {
		c.unsay(e.Item.ID)
	}
}
