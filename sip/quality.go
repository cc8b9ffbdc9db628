package sip

import "github.com/callgw/callgw/bridge/media"

// Quality returns how the call's audio came through the network so far.
func (c *Call) Quality() media.Quality {
	s := c.Stats()
	return media.Quality{
		Packets: s.Received, Filled: s.Filled,
		Lost: s.Lost, Jitter: s.Jitter, MOS: s.MOS,
		Timed: s.Timed, RoundTrip: s.RoundTrip,
		Reported: s.Reported, RemoteLoss: s.RemoteLoss, RemoteJitter: s.RemoteJitter, RemoteMOS: s.RemoteMOS,
	}
}
