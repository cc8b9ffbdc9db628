package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// SIP is calls from carriers and PBXes.
type SIP struct {
	// Listen is where signalling is taken. Default: UDP and TCP port 5060 of
	// every address if there are trunks, else nothing: no SIP.
	Listen []Listen `yaml:"listen"`
	// ExternalIP is advertised in Contact and SDP. Default: the address that
	// faces the peer.
	ExternalIP netip.Addr `yaml:"external_ip"`
	TLS        SIPTLS     `yaml:"tls"`
	// Realm is what callers prove themselves for. Default callgw.
	Realm string `yaml:"realm"`
	// Unknown is what sources get that no trunk names: 403, or silence. Default
	// reject.
	Unknown string `yaml:"unknown" oneof:"reject silent"`
	RTP     RTP    `yaml:"rtp"`
	// Trunks by name are who may call.
	Trunks map[string]*Trunk `yaml:"trunks"`
}

// RTP is the audio of SIP calls.
type RTP struct {
	// Ports are what calls take, two each. Default 20000-29999.
	Ports PortRange `yaml:"ports"`
}

// SIPTLS is certificates for SIP over TLS, PEM files. They are read again when they
// change.
type SIPTLS struct {
	// Cert and Key are ours. Required by tls:// in listen.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	// CA vouches for the servers that we call. Default: the system's.
	CA string `yaml:"ca"`
}

// SetDefaults sets the defaults.
func (s *SIP) SetDefaults() {
	s.Realm, s.Unknown = "callgw", "reject"
	s.RTP.Ports = PortRange{20000, 29999}
}

func (s *SIP) complete() {
	for _, trunk := range s.Trunks {
		trunk.complete()
	}
}

// claims are what may belong to one trunk only, and whose it is.
type claims struct {
	networks map[netip.Prefix]string
	users    map[string]string
}

func (s *SIP) check(k *checker, calls int) {
	tls := slices.ContainsFunc(s.Listen, func(l Listen) bool { return l.Network == "tls" })
	switch {
	case s.TLS.Cert != "" && s.TLS.Key == "":
		k.fail("sip.tls", "cert without key", "name the key's file too")
	case s.TLS.Cert == "" && s.TLS.Key != "":
		k.fail("sip.tls", "key without cert", "name the certificate's file too")
	case tls && s.TLS.Cert == "":
		k.fail("sip.tls", "sip.listen has tls://, but there is no certificate", "name its files in sip.tls.cert and sip.tls.key")
	}
	k.file("sip.tls.cert", &s.TLS.Cert)
	k.file("sip.tls.key", &s.TLS.Key)
	k.file("sip.tls.ca", &s.TLS.CA)
	if s.Realm == "" || strings.ContainsAny(s.Realm, "\"\\\r\n") {
		k.fail("sip.realm", k.quote("sip.realm", s.Realm)+" is not a realm", "write a name such as voice.example.com")
	}
	seen := &claims{networks: map[netip.Prefix]string{}, users: map[string]string{}}
	for _, name := range sortedKeys(s.Trunks) {
		s.Trunks[name].check(k, "sip.trunks."+name, name, seen, tls)
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
