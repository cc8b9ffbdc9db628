package sip

import "github.com/callgw/callgw/bridge/media"

// Between returns what lies between a phone of the law wire and up and down, which speak
// law.
func Between(wire, law media.Codec, up media.Uplink, down media.Downlink) (media.Uplink, media.Downlink) {
	u, d := &uplink{}, &downlink{}
	u.attach(up, law)
	d.attach(down, law)
	u.speaks(wire)
	d.hears(wire)
	return u, d
}
