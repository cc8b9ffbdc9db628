package bridge

import (
	"math"

	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge/media"
)

// Quality returns how the caller's audio, and the agent's, came through the network
// so far. ok is false for legs that do not measure and while nothing has come.
func (c *Call) Quality() (q media.Quality, ok bool) {
	leg, ok := c.cfg.Leg.(Measurer)
	if !ok {
		return media.Quality{}, false
	}
	q = leg.Quality()
	return q, q.Packets > 0
}

// QualityAttrs returns what is known of q: keys and values in turn.
func QualityAttrs(q media.Quality) []any {
	attrs := []any{"packets", q.Packets, "filled", q.Filled}
	if q.MOS > 0 {
		attrs = append(attrs, "lost", q.Lost, "loss", rounded(q.Loss(), 4), "jitter", q.Jitter, "mos", rounded(q.MOS, 2))
	}
	if q.Timed {
		attrs = append(attrs, "round_trip", q.RoundTrip)
	}
	if q.Reported {
		attrs = append(attrs, "remote_loss", rounded(q.RemoteLoss, 4), "remote_jitter", q.RemoteJitter, "remote_mos", rounded(q.RemoteMOS, 2))
	}
	return attrs
}

// logQuality adds what matters most of it to a line of the log.
func logQuality(l *zerolog.Event, q media.Quality) *zerolog.Event {
	if q.MOS > 0 {
		l = l.Float64("loss", rounded(q.Loss(), 4)).Float64("jitter_ms", ms(q.Jitter)).Float64("mos", rounded(q.MOS, 2))
	}
	if q.Timed {
		l = l.Float64("round_trip_ms", ms(q.RoundTrip))
	}
	if q.Reported {
		l = l.Float64("remote_loss", rounded(q.RemoteLoss, 4)).Float64("remote_mos", rounded(q.RemoteMOS, 2))
	}
	return l
}

// rounded returns v with so many decimals.
func rounded(v float64, decimals int) float64 {
	unit := math.Pow10(decimals)
	return math.Round(v*unit) / unit
}
