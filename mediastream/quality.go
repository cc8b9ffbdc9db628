package mediastream

import "github.com/callgw/callgw/bridge/media"

// Quality returns how the stream's audio came through the network so far. What the
// carrier's own network loses, it does not tell.
func (s *Stream) Quality() media.Quality {
	stats := s.Stats()
	return media.Quality{
		Packets: stats.FramesIn, Filled: media.Duration(int64(stats.SilenceBytes)),
		Timed: stats.RoundTrip > 0, RoundTrip: stats.RoundTrip,
	}
}
