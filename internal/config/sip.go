package config

import (
	"fmt"
	"net/netip"

	"github.com/callgw/callgw/bridge/media"
)

// SIP is calls from carriers and PBXes.
type SIP struct {
	// Listen is where signalling is taken. Default: UDP and TCP port 5060 of
	// every address if there are trunks, else nothing: no SIP.
	Listen []Listen `yaml:"listen"`
	// ExternalIP is advertised in Contact and SDP. Default: the address that
	// faces the peer.
	ExternalIP netip.Addr `yaml:"external_ip"`
	RTP        RTP        `yaml:"rtp"`
	// Trunks by name are who may call.
	Trunks map[string]*Trunk `yaml:"trunks"`
}

// RTP is the audio of SIP calls.
type RTP struct {
	// Ports are what calls take, two each. Default 20000-29999.
	Ports PortRange `yaml:"ports"`
}

// Trunk is a peer, known by its addresses.
type Trunk struct {
	// From are the networks or addresses that its calls come from. Required.
	From []netip.Prefix `yaml:"from"`
	// Codecs are what is spoken with it, best first. Default pcmu, pcma.
	Codecs []media.Codec `yaml:"codecs"`
}

// SetDefaults sets the defaults.
func (s *SIP) SetDefaults() { s.RTP.Ports = PortRange{20000, 29999} }

func (s *SIP) complete() {
	for _, trunk := range s.Trunks {
		if trunk.Codecs == nil {
			trunk.Codecs = []media.Codec{media.PCMU, media.PCMA}
		}
	}
}

func (s *SIP) check(k *checker, calls int) {
	for i, l := range s.Listen {
		if sentence := refused("sip.listen[]", l.Network); sentence != "" {
			key := k.at("sip.listen", i)
			k.fail(key, k.quote(key, l.String())+" "+sentence, "use udp:// or tcp://")
		}
	}
	owner := map[netip.Prefix]string{}
	for _, name := range sortedKeys(s.Trunks) {
		s.Trunks[name].check(k, "sip.trunks."+name, name, owner)
	}
	switch {
	case len(s.Trunks) > 0 && len(s.Listen) == 0:
		k.fail("sip.listen", "an empty list, but there are trunks", "listen somewhere, or remove the trunks")
	case len(s.Trunks) == 0 && len(s.Listen) > 0:
		k.warn("sip.listen", "no trunk may call: every call is refused", "add one to sip.trunks, or remove sip.listen")
	case len(s.Trunks) > 0 && s.RTP.Ports.Pairs() < calls:
		k.warn("sip.rtp.ports", fmt.Sprintf("enough for %d calls at a time, calls.max is %d", s.RTP.Ports.Pairs(), calls), "widen the range: each call takes two ports")
	}
}

func (t *Trunk) check(k *checker, key, name string, owner map[netip.Prefix]string) {
	if len(t.From) == 0 {
		k.fail(key+".from", "missing: nothing tells this trunk's calls", "list the networks they come from, such as [203.0.113.0/24]")
	}
	for i, prefix := range t.From {
		at := k.at(key+".from", i)
		if other, taken := owner[prefix]; taken {
			k.fail(at, k.quote(at, prefix.String())+" belongs to trunk "+other+" too", "leave it to one of them")
		}
		owner[prefix] = name
		if prefix.Bits() == 0 {
			k.warn(at, "takes calls from everyone", "list your carrier's networks")
		}
	}
	if t.Codecs != nil && len(t.Codecs) == 0 {
		k.fail(key+".codecs", "an empty list", "name pcmu or pcma, or remove the key")
	}
}
