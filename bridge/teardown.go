package bridge

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/mask"
)

// fail ends a call whose model side is gone: with the recording that apologises
// if there is one, else at once.
func (c *Call) fail(cause error) {
	if c.farewell.apology {
		return // it is a consequence of what is being apologised for
	}
	clip := c.cfg.Agent.OnFailure.Audio
	if len(clip) == 0 || c.farewell.cause != nil || c.isEnding() {
		c.End(cause)
		return
	}
	c.farewell = farewell{
		cause: cause, begun: true, apology: true,
		until: time.Now().Add(media.Duration(int64(len(clip))) + goodbyeTimeout),
	}
	if !c.failed.Load() {
		c.silence()
	}
	c.play("on_failure", clip)
	if c.answeredAt.IsZero() {
		c.accept()
	}
}

// teardown ends both sides at the same time, politely for as long as
// Config.Polite, then by cutting them, and returns how long it took until nothing
// was left.
func (c *Call) teardown(sides context.Context, cut context.CancelCauseFunc, legSide, modelSide *sync.WaitGroup) time.Duration {
	began := time.Now()
	c.state.Store(uint32(Ending))
	c.endingSince.Store(began.UnixNano())
	c.note(EventEnding, c.why()...)

	polite, cancel := context.WithTimeout(sides, c.cfg.Polite)
	defer cancel()
	stop := context.AfterFunc(polite, func() { cut(c.cause) })
	defer stop()
	modelSide.Go(func() {
		if s := c.session.Load(); s != nil {
			s.Close()
		}
	})
	legSide.Go(func() {
		if err := c.cfg.Leg.Hangup(polite, c.cause); err != nil {
			c.log.Debug().Err(err).Msg("leg not ended politely")
		}
	})
	modelSide.Wait()
	legSide.Wait()

	c.meters.flush(c)
	return time.Since(began)
}

// conclude tells that nothing of the call is left, after a teardown that took so long.
func (c *Call) conclude(took time.Duration) {
	cause := media.CauseOf(c.cause)
	c.meters.ended(cause, c.answeredAt, took)
	c.meters.refused(c.refusal())
	quality, measured := c.Quality()
	if measured {
		c.note(EventMedia, QualityAttrs(quality)...)
	}
	c.note(EventEnded, append(c.why(), "teardown", took)...)
	l := c.log.WithLevel(severity(cause)).Str("cause", cause.String()).Str("direction", c.Direction()).
		Str("from", mask.Number(c.cfg.Facts.From)).Str("to", mask.Number(c.cfg.Facts.To)).
		Float64("duration_ms", ms(time.Since(c.timeline.start))).Float64("teardown_ms", ms(took)).
		Int64("audio_in_bytes", c.uplink.bytes.Load()).Int64("audio_out_bytes", c.queue.State().Sent)
	if measured {
		l = logQuality(l, quality)
	}
	if r := c.refusal(); r.Status != 0 {
		l = l.Int("sip_status", r.Status).Str("sip_reason", r.Reason)
	}
	if severity(cause) > zerolog.InfoLevel {
		l = l.AnErr("reason", c.cause)
	}
	l.Msg("call ended")
}

// severity is how much an operator should care that a call ended for a cause.
func severity(cause media.Cause) zerolog.Level {
	switch cause {
	case media.Internal:
		return zerolog.ErrorLevel
	case media.ProviderRefused, media.ProviderLost, media.LegFailed, media.MediaTimeout:
		return zerolog.WarnLevel
	}
	return zerolog.InfoLevel
}
