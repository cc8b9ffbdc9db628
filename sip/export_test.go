package sip

import (
	"time"

	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge/media"
)

// Transactions returns how many transactions are known, server and client.
func (s *Server) Transactions() (server, client int) {
	s.serverTxs.mu.Lock()
	server = len(s.serverTxs.m)
	s.serverTxs.mu.Unlock()
	s.clientTxs.mu.Lock()
	client = len(s.clientTxs.m)
	s.clientTxs.mu.Unlock()
	return server, client
}

// Former returns how many trunks are kept that were replaced or removed.
func (s *Server) Former() int { return len(s.trunks.now.Load().former) }

// Socket is where a call's RTP comes and goes.
type Socket = socket

// OpenRTP makes open give the calls their RTP sockets.
func (s *Server) OpenRTP(open func() (Socket, error)) { s.openRTP = open }

// ParseExpires reads a value of Session-Expires.
func ParseExpires(value string) (interval time.Duration, refresher string, ok bool) {
	e, ok := parseExpires(value)
	return e.interval, e.refresher, ok
}

// ParseRAck reads a value of RAck.
func ParseRAck(value string) (rseq, cseq uint32, method string, ok bool) {
	r, ok := parseRAck(value)
	return r.rseq, r.cseq, r.method, ok
}

// NewPassageTo returns a way to a phone whose keys can be pressed.
func NewPassageTo(far interface {
	SendDigit(d media.Digit, duration time.Duration) error
}, law media.Codec, log zerolog.Logger,
) interface {
	media.KeyUplink
	media.Downlink
} {
	return newPassage(far, law, log)
}

// NewPassage returns a way between two phones.
func NewPassage() interface {
	media.Uplink
	media.Downlink
} {
	return newPassage(nil, media.PCMU, zerolog.Nop())
}

// ParseReplaces reads a Replaces header.
func ParseReplaces(value string) (callID, local, remote string, ok bool) {
	id, _, ok := parseReplaces(value)
	return id.callID, id.local, id.remote, ok
}

// ParseFragment reads the status line of a message/sipfrag body.
func ParseFragment(body string) (*StatusError, bool) { return parseFragment(body) }

// ObserveCall makes the series of a trunk's calls.
func ObserveCall(m *Metrics, trunk string) {
	m.rtp(trunk)
	m.recoded(trunk)
}

// InfoDuration reads how long the key of an INFO is pressed.
func InfoDuration(body string) time.Duration { return infoDuration(body) }
