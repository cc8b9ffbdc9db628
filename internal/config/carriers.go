package config

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"time"
)

// StreamSettings are what every carrier of media streams has.
type StreamSettings struct {
	// Validate demands that every request be signed. Default true.
	Validate bool `yaml:"validate"`
	// Lead is how much audio is kept ahead of the caller's ear: more rides out
	// worse networks. 100ms to 2s, default 300ms.
	Lead time.Duration `yaml:"lead"`
	// MediaTimeout ends a call whose socket says nothing at all for so long. Default
	// 30s; 0: never.
	MediaTimeout time.Duration `yaml:"media_timeout"`
}

// SetDefaults sets the defaults.
func (s *StreamSettings) SetDefaults() {
	*s = StreamSettings{Validate: true, Lead: 300 * time.Millisecond, MediaTimeout: defaultMediaTimeout}
}

const (
	minLead = 100 * time.Millisecond
	maxLead = 2 * time.Second
)

// check reports what is wrong with the times.
func (s *StreamSettings) check(k *checker, key string) {
	if s.Lead < minLead || s.Lead > maxLead {
		k.fail(key+".lead", k.quote(key+".lead", s.Lead.String())+" is not within 100ms to 2s", "use 300ms unless the network needs more")
	}
	checkMediaTimeout(k, key+".media_timeout", s.MediaTimeout)
}

// SignalWire is one space of SignalWire.
type SignalWire struct {
	// SigningKey is what the space signs with.
	SigningKey Secret `yaml:"signing_key"`
	// Space, Project and APIToken authorise call control by REST: hang-up and
	// transfer. All or none.
	Space          string `yaml:"space"` // such as example.signalwire.com
	Project        string `yaml:"project"`
	APIToken       Secret `yaml:"api_token"`
	StreamSettings `yaml:",inline"`
}

// Controls tells that calls can be controlled by REST.
func (s *SignalWire) Controls() bool { return s.Space != "" && s.Project != "" && s.APIToken != "" }

// Telnyx is one account of Telnyx.
type Telnyx struct {
	// PublicKey is what its signatures are checked with, in base64.
	PublicKey string `yaml:"public_key"`
	// APIKey authorises Call Control: its applications, and the hang-up of
	// TeXML's. Default: the socket's end ends the call.
	APIKey         Secret `yaml:"api_key"`
	StreamSettings `yaml:",inline"`
}

// Plivo is one account of Plivo.
type Plivo struct {
	// AuthToken is what Plivo signs with.
	AuthToken Secret `yaml:"auth_token"`
	// AuthID, if set, authorises with AuthToken hang-up and transfer by its API.
	// Default: the socket's end ends the call.
	AuthID         string `yaml:"auth_id"`
	StreamSettings `yaml:",inline"`
}

// Vonage is one account of Vonage.
type Vonage struct {
	// SignatureSecret is what Vonage signs with.
	SignatureSecret Secret `yaml:"signature_secret"`
	// ApplicationID and PrivateKey authorise hang-up and transfer by the Voice
	// API. Both or none.
	ApplicationID string `yaml:"application_id"`
	// PrivateKey is the application's, PEM.
	PrivateKey Secret `yaml:"private_key"`
	// RESTURL is the API's origin, for regions and tests. Default: Vonage's.
	RESTURL        URL `yaml:"rest_url"`
	StreamSettings `yaml:",inline"`
}

// Controls tells that calls can be controlled by the API.
func (v *Vonage) Controls() bool { return v.ApplicationID != "" && v.PrivateKey != "" }

// Jambonz is one account of a jambonz server.
type Jambonz struct {
	// WebhookSecret is what the server signs with.
	WebhookSecret Secret `yaml:"webhook_secret"`
	// AccountSID and APIKey authorise hang-up and transfer by the server's API.
	// Both or none.
	AccountSID string `yaml:"account_sid"`
	APIKey     Secret `yaml:"api_key"`
	// RESTURL is the API's origin, with what precedes /v1 in its paths. Default:
	// jambonz.cloud's.
	RESTURL        URL `yaml:"rest_url"`
	StreamSettings `yaml:",inline"`
}

// Controls tells that calls can be controlled by the API.
func (j *Jambonz) Controls() bool { return j.AccountSID != "" && j.APIKey != "" }

// Asterisk is Asterisk servers whose channel driver chan_websocket connects to
// this gateway.
type Asterisk struct {
	// Password lets them in, whatever the user's name.
	Password       Secret `yaml:"password"`
	StreamSettings `yaml:",inline"`
}

// Generic is programs, and phones in a browser, that speak Twilio's protocol.
type Generic struct {
	// Token lets them in.
	Token Secret `yaml:"token"`
	// Phone serves such a phone at /phone. Default false.
	Phone          bool `yaml:"phone"`
	StreamSettings `yaml:",inline"`
}

// StreamCarrier is one of the carriers but Twilio, as all of them are.
type StreamCarrier struct {
	Name    string
	Secrets []string
	StreamSettings
}

// Carriers returns the carriers that are configured, but for Twilio.
func (m *MediaStreams) Carriers() []StreamCarrier {
	var carriers []StreamCarrier
	for _, c := range m.others() {
		carriers = append(carriers, StreamCarrier{c.name, []string{c.secret}, *c.settings})
	}
	return carriers
}

// otherCarrier is what is checked of a carrier.
type otherCarrier struct {
	name     string
	key      string // of its secret
	secret   string
	remedy   string // where to find it
	webhook  bool
	settings *StreamSettings
}

// others returns the carriers that are configured, but for Twilio.
func (m *MediaStreams) others() []otherCarrier {
	var all []otherCarrier
	if c := m.SignalWire; c != nil {
		all = append(all, otherCarrier{"signalwire", "signing_key", c.SigningKey.Reveal(), "copy the signing key from the space's API page", true, &c.StreamSettings})
	}
	if c := m.Telnyx; c != nil {
		all = append(all, otherCarrier{"telnyx", "public_key", c.PublicKey, "copy the public key from Keys & Credentials in Telnyx's portal", true, &c.StreamSettings})
	}
	if c := m.Plivo; c != nil {
		all = append(all, otherCarrier{"plivo", "auth_token", c.AuthToken.Reveal(), "copy the auth token from Plivo's console", true, &c.StreamSettings})
	}
	if c := m.Vonage; c != nil {
		all = append(all, otherCarrier{"vonage", "signature_secret", c.SignatureSecret.Reveal(), "copy the signature secret from the settings of Vonage's dashboard", true, &c.StreamSettings})
	}
	if c := m.Jambonz; c != nil {
		all = append(all, otherCarrier{"jambonz", "webhook_secret", c.WebhookSecret.Reveal(), "copy the webhook secret from the account's page in jambonz", true, &c.StreamSettings})
	}
	if c := m.Asterisk; c != nil {
		all = append(all, otherCarrier{"asterisk", "password", c.Password.Reveal(), "choose one, and write it in websocket_client.conf too", false, &c.StreamSettings})
	}
	if c := m.Generic; c != nil {
		all = append(all, otherCarrier{"generic", "token", c.Token.Reveal(), "choose one, and give it to the programs that connect", false, &c.StreamSettings})
	}
	return all
}

// checkEmpty reports carriers whose key stands there with nothing below it.
func (m *MediaStreams) checkEmpty(k *checker) {
	on := map[string]bool{"twilio": m.Twilio != nil}
	for _, c := range m.others() {
		on[c.name] = true
	}
	for _, name := range legs[1:] { // all but sip
		if key := "media_streams." + name; k.doc.Has(key) && !on[name] {
			k.fail(key, "nothing stands below it", "write "+name+": {} for its defaults, or remove it")
		}
	}
}

func (m *MediaStreams) checkOthers(k *checker, http *HTTP) {
	asked := m.Twilio != nil // which asks for it itself
	for _, c := range m.others() {
		key := "media_streams." + c.name
		if c.webhook && http.PublicURL == "" && !asked {
			asked = true
			k.fail("http.public_url", "missing: "+key+" builds stream URLs from it", "write the URL under which "+c.name+" reaches this gateway, such as https://voice.example.com")
		}
		switch {
		case c.settings.Validate && c.secret == "":
			k.fail(key+"."+c.key, "missing, and validate is on", c.remedy)
		case !c.settings.Validate && (c.webhook || !http.private()):
			k.warn(key+".validate", "off: anyone who finds the URL can place calls", "turn it on outside of tests")
		}
		c.settings.check(k, key)
	}
	if g := m.Generic; g != nil && g.Phone && !http.secure() {
		k.warn("media_streams.generic.phone", "browsers open the microphone for pages over https only", "put a proxy with a certificate in front and set http.public_url, or set http.tls")
	}
	if t := m.Telnyx; t != nil && t.PublicKey != "" {
		if key, err := base64.StdEncoding.DecodeString(t.PublicKey); err != nil || len(key) != ed25519.PublicKeySize {
			k.fail("media_streams.telnyx.public_key", fmt.Sprintf("not the base64 of %d bytes", ed25519.PublicKeySize), "copy the public key from Keys & Credentials in Telnyx's portal")
		}
	}
	m.Vonage.check(k)
	if j := m.Jambonz; j != nil {
		checkOrigin(k, "media_streams.jambonz.rest_url", j.RESTURL, "https://jambonz.example.com/api")
		if !j.Controls() && (j.AccountSID != "" || j.APIKey != "") {
			k.fail("media_streams.jambonz", "account_sid and api_key belong together", "set both, or none")
		}
	}
	if s := m.SignalWire; s != nil && !s.Controls() && (s.Space != "" || s.Project != "" || s.APIToken != "") {
		k.fail("media_streams.signalwire", "space, project and api_token belong together", "set all three, or none")
	}
}
