package bridge

import (
	"fmt"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime"
)

// handle acts on an event of the session, on the call's own goroutine; at is
// when it arrived.
func (c *Call) handle(e realtime.Event, at time.Time) {
	switch e := e.(type) {
	case realtime.SpeechStarted:
		c.callerStarts(at)
	case realtime.SpeechStopped:
		c.callerStops(e, at)
	case realtime.ResponseCreated:
		if e.Response.Metadata[goodbyeMark] != "" {
			c.farewell.begun = true
		}
	case realtime.FunctionStarted:
		c.functionStarted(e)
	case realtime.FunctionSlow:
		c.functionSlow(e)
	case realtime.FunctionFinished:
		c.functionFinished(e)
	case realtime.SessionUpdated:
		c.differs(e)
	case realtime.TranscriptionDone:
		c.meters.transcription(e.Usage)
		c.transcript("caller", e.ItemID, e.Transcript)
	case realtime.TranscriptDone:
		c.transcript("agent", e.ItemID, e.Transcript)
	case realtime.ResponseDone:
		c.responseDone(e.Response)
	case realtime.ErrorEvent:
		c.sessionError(e.Error)
	case realtime.ProviderRefused, realtime.SessionOpened, realtime.SessionLost, realtime.SessionRestored, realtime.SessionRecycled:
		c.succeed(e)
	case realtime.ConversationCut:
		c.note(EventHistoryCut)
	case realtime.Unknown:
		if e.Err != nil {
			c.meters.sessionError("malformed")
			c.log.Debug().Err(e.Err).Msg("malformed event")
		}
	}
}

// transcript records what was said, where that is wanted.
func (c *Call) transcript(who, itemID, text string) {
	if !c.cfg.Agent.HideTranscripts {
		c.note(EventTranscript, "who", who, "item", itemID, "text", text)
	}
}

// responseDone accounts for a response. A failed one says so nowhere else.
func (c *Call) responseDone(r realtime.Response) {
	defer c.checkQuiet()
	c.meters.response(r.Status)
	c.account(r.Usage)
	e := r.Err()
	if e == nil {
		if r.Status == "completed" {
			c.owed = owed{}
		}
		return
	}
	c.sessionError(*e)
	switch after := e.RetryAfter(); {
	case e.Kind() == realtime.Fatal:
	case after > 0 && after <= c.cfg.ReplyTimeout:
		c.retryAt = time.Now().Add(after)
	default:
		c.retryResponse(time.Now(), e)
	}
}

// sessionError acts on an error that the provider reports. Most of them leave
// the session as it was.
func (c *Call) sessionError(e realtime.ErrorDetail) {
	c.meters.sessionError(codeOf(e))
	if e.Request() == "conversation.item.truncate" {
		c.meters.truncations.refused.Inc()
	}
	c.note(EventError, "code", codeOf(e), "message", e.Message)
	switch e.Kind() {
	case realtime.Benign:
	default: // a fatal one costs the session, which is repaired or tells its end
		c.log.Warn().Str("code", e.Code).Str("param", e.Param).Str("request", e.Request()).
			Msg("provider reports an error")
	}
}

// wrongAudio gives up a session that sends other audio than it agreed to: it
// would be a roar in the caller's ear.
func (c *Call) wrongAudio() {
	if c.failed.Load() {
		return
	}
	c.meters.sessionError("wrong_format")
	c.note(EventError, "code", "wrong_format", "message", "the provider sends PCM as G.711")
	c.silence()
	c.fail(fmt.Errorf("bridge: %w: it sends PCM as %s", media.ProviderLost, c.formats.out))
}
