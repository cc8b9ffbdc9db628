package config

import (
	"regexp"
)

// MediaStreams is calls that come as WebSockets.
type MediaStreams struct {
	// Twilio's Media Streams. Default: none.
	Twilio *Twilio `yaml:"twilio"`
	// The carriers that speak similarly. Default: none.
	SignalWire *SignalWire `yaml:"signalwire"`
	Telnyx     *Telnyx     `yaml:"telnyx"`
	Plivo      *Plivo      `yaml:"plivo"`
	Vonage     *Vonage     `yaml:"vonage"`
	Jambonz    *Jambonz    `yaml:"jambonz"`
	Asterisk   *Asterisk   `yaml:"asterisk"`
	Generic    *Generic    `yaml:"generic"`
}

// Twilio is one account of Twilio.
type Twilio struct {
	// AccountSID, if set, is the only account whose calls are taken.
	AccountSID string `yaml:"account_sid"`
	// AuthToken is what Twilio signs with. Default: TWILIO_AUTH_TOKEN of the
	// environment.
	AuthToken Secret `yaml:"auth_token"`
	// AuthTokenSecondary is accepted too, while tokens are exchanged.
	AuthTokenSecondary Secret `yaml:"auth_token_secondary"`
	// APIKey and APISecret authorise call control by REST: hang-up, transfer and
	// calls out. It takes AccountSID too. Default: AuthToken does.
	APIKey    string `yaml:"api_key"`
	APISecret Secret `yaml:"api_secret"`
	// RESTURL is the API's origin, for regions and tests. Default: Twilio's.
	RESTURL        URL `yaml:"rest_url"`
	StreamSettings `yaml:",inline"`
}

var accountSID = regexp.MustCompile(`^AC[0-9a-f]{32}$`)

func (t *Twilio) complete(env func(string) (string, bool)) {
	if t.AuthToken == "" {
		token, _ := env("TWILIO_AUTH_TOKEN")
		t.AuthToken = Secret(token)
	}
}

// AuthTokens returns the tokens that are set.
func (t *Twilio) AuthTokens() []string {
	var tokens []string
	for _, token := range []Secret{t.AuthToken, t.AuthTokenSecondary} {
		if token != "" {
			tokens = append(tokens, token.Reveal())
		}
	}
	return tokens
}

// Controls tells that calls can be controlled by REST.
func (t *Twilio) Controls() bool {
	return t.AccountSID != "" && (t.APIKey != "" || t.AuthToken != "")
}

func (m *MediaStreams) check(k *checker, http *HTTP) {
	m.checkEmpty(k)
	m.checkOthers(k, http)
	t := m.Twilio
	if t == nil {
		return
	}
	const key = "media_streams.twilio"
	if http.PublicURL == "" {
		k.fail("http.public_url", "missing: media_streams.twilio checks signatures against it and builds stream URLs from it", "write the URL under which Twilio reaches this gateway, such as https://voice.example.com")
	}
	switch {
	case t.Validate && t.AuthToken == "":
		k.fail(key+".auth_token", "missing, and validate is on", `write "${TWILIO_AUTH_TOKEN}" and set it in the environment`)
	case !t.Validate:
		k.warn(key+".validate", "off: anyone who finds the URL can place calls", "turn it on outside of tests")
	}
	if t.AccountSID != "" && !accountSID.MatchString(t.AccountSID) {
		k.fail(key+".account_sid", k.quote(key+".account_sid", t.AccountSID)+" is not AC and 32 hexadecimal digits", "copy it from Twilio's console")
	}
	switch {
	case t.APIKey != "" && t.APISecret == "":
		k.fail(key+".api_secret", "missing: api_key is of no use without it", `write "${TWILIO_API_SECRET}" and set it in the environment`)
	case t.APIKey == "" && t.APISecret != "":
		k.fail(key+".api_key", "missing: api_secret is of no use without it", "write the key's SID, SK and 32 hexadecimal digits")
	case t.APIKey != "" && t.AccountSID == "":
		k.fail(key+".account_sid", "missing: calls are controlled under their account", "copy it from Twilio's console")
	}
	checkOrigin(k, key+".rest_url", t.RESTURL, "https://api.dublin.ie1.twilio.com")
	t.StreamSettings.check(k, key)
}
