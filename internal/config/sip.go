package config

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"
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
	// Digest are the algorithms by which they do, best first. Default sha-256, md5.
	Digest []string `yaml:"digest"`
	// Unknown is what sources get that no trunk names: 403, or silence. Default
	// reject.
	Unknown string `yaml:"unknown" oneof:"reject silent"`
	RTP     RTP    `yaml:"rtp"`
	// SessionExpires is how long a call lasts that neither side refreshes (RFC
	// 4028). Default 30m; 0: no session timers.
	SessionExpires time.Duration `yaml:"session_expires"`
	// MinSessionExpires is the shortest that peers may ask for. Default 90s.
	MinSessionExpires time.Duration `yaml:"min_session_expires"`
	// MediaTimeout ends a call whose peer sends neither audio nor RTCP for so long,
	// unless it is on hold. Default 30s; 0: never.
	MediaTimeout time.Duration `yaml:"media_timeout"`
	// EarlyMedia rings by 183 with a ringing tone of ours. Default: 180.
	EarlyMedia bool `yaml:"early_media"`
	// TransferTimeout bounds a transfer, until its target has answered. Default 1m.
	TransferTimeout time.Duration `yaml:"transfer_timeout"`
	// ReferStatus is what peers get that ask us to call somebody. Default 405.
	ReferStatus int `yaml:"refer_status"`
	// Trunks by name are who may call. They may change while the gateway runs.
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
	s.Digest = []string{"sha-256", "md5"}
	s.RTP.Ports = PortRange{20000, 29999}
	s.SessionExpires, s.MinSessionExpires = 30*time.Minute, 90*time.Second
	s.MediaTimeout = defaultMediaTimeout
	s.TransferTimeout, s.ReferStatus = time.Minute, 405
}

// needsRestart names the keys, all but the trunks, in which next differs from s.
func (s SIP) needsRestart(next SIP) []string {
	var changed []string
	old, now := reflect.ValueOf(s), reflect.ValueOf(next)
	for i := range old.NumField() {
		key := old.Type().Field(i).Tag.Get("yaml")
		if key != "trunks" && !reflect.DeepEqual(old.Field(i).Interface(), now.Field(i).Interface()) {
			changed = append(changed, "sip."+key)
		}
	}
	return changed
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
	switch {
	case s.MinSessionExpires < time.Second:
		k.fail("sip.min_session_expires", k.quote("sip.min_session_expires", s.MinSessionExpires.String())+" is too short", "write 90s, which RFC 4028 asks for")
	case s.SessionExpires > 0 && s.SessionExpires < s.MinSessionExpires:
		k.fail("sip.session_expires", k.quote("sip.session_expires", s.SessionExpires.String())+" is less than sip.min_session_expires", "write at least that, or 0s for no session timers")
	}
	checkMediaTimeout(k, "sip.media_timeout", s.MediaTimeout)
	if s.TransferTimeout < time.Second {
		k.fail("sip.transfer_timeout", k.quote("sip.transfer_timeout", s.TransferTimeout.String())+" is too short to answer", "write a duration such as 1m")
	}
	if s.ReferStatus < 400 || s.ReferStatus > 699 {
		k.fail("sip.refer_status", fmt.Sprintf("%d does not refuse", s.ReferStatus), "write 405, 403 or 603")
	}
	if len(s.Digest) == 0 {
		k.fail("sip.digest", "an empty list", "name sha-256 or md5, or remove the key")
	}
	for i, name := range s.Digest {
		if at := k.at("sip.digest", i); name != "sha-256" && name != "md5" {
			k.fail(at, k.quote(at, name)+" is not an algorithm that callgw knows", "use sha-256 or md5")
		}
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
