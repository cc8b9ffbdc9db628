package caller

import (
	"context"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/bridge/pacer"
	"github.com/callgw/callgw/internal/phone"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/rtp"
)

// dialSIP places a SIP call from a user agent of its own.
func dialSIP(ctx context.Context, cfg Config) (*Call, error) {
	ports, err := rtp.NewPorts(rtp.PortsConfig{})
	if err != nil {
		return nil, err
	}
	clock := pacer.New(pacer.Config{Shards: 1})
	agent, err := sip.NewServer(sip.Config{
		Listen: []sip.Listen{{Network: "udp", Addr: ":0"}, {Network: "tcp", Addr: ":0"}},
		Codecs: cfg.Codecs,
		Ports:  ports,
		Pacer:  clock,
		Handler: func(ctx context.Context, c *sip.Call) {
			// Nobody calls a phone that only dials; what its refusal meets with
			// does not matter.
			_ = c.Hangup(ctx, media.Rejected)
		},
		UserAgent: "callgw-phone",
		Log:       cfg.Log,
	})
	if err != nil {
		return nil, err
	}
	var parts group
	parts.run(ctx, clock.Run, agent.Run)
	call, err := agent.Dial(ctx, cfg.dial())
	if err != nil {
		parts.release()
		return nil, err
	}
	return &Call{
		Phone:   phone.New(phone.Config{Codec: call.Codec(), Observe: cfg.Observe}),
		line:    call,
		release: parts.release,
	}, nil
}

// dial returns what a SIP call is placed with.
func (cfg Config) dial() sip.Dial {
	out := cfg.SIP
	out.To, out.From = cfg.Target, cfg.From
	rang, heard := false, false
	out.OnState = func(status int) {
		if status >= 180 && !rang && cfg.Ringing != nil {
			rang = true
			cfg.Ringing()
		}
	}
	out.Early = func(media.Codec) media.Uplink {
		if !heard && cfg.Early != nil {
			heard = true
			cfg.Early()
		}
		return nil // a phone listens when it is answered
	}
	return out
}
