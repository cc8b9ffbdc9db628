package mediastream_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/callgw/callgw/internal/contract"
	"github.com/callgw/callgw/mediastream"
)

// signatures are fixtures of our own. Two are computed independently, by
//
//	printf %s "$STRING" | openssl dgst -sha1 -hmac secret -binary | base64
var signatures = []struct {
	name, url string
	form      url.Values
	signature string
	valid     bool
}{
	{
		"form sorted by name, not by name and value", "https://voice.example.com/twilio/voice",
		url.Values{"ReasonConferenceEnded": {"x"}, "Reason": {"z"}},
		"KdUUflM7k4Nr8YycB+B4WsYz9dI=", true,
	},
	{
		"repeated values once, in order", "https://voice.example.com/twilio/voice",
		url.Values{"E": {"b", "a", "b"}},
		mediastream.Sign("secret", "https://voice.example.com/twilio/voiceEaEb", nil), true,
	},
	{"upgrade", "wss://voice.example.com/twilio/media", nil, "V7cpeLrFkE75QfPMlj9UYqaIeC4=", true},
	{
		"signed with the default port", "wss://voice.example.com/twilio/media", nil,
		mediastream.Sign("secret", "wss://voice.example.com:443/twilio/media", nil), true,
	},
	{
		"signed without the port", "https://voice.example.com:8443/twilio/voice", nil,
		mediastream.Sign("secret", "https://voice.example.com/twilio/voice", nil), true,
	},
	{
		"IPv6 literal", "https://[2001:db8::1]/twilio/voice", nil,
		mediastream.Sign("secret", "https://[2001:db8::1]:443/twilio/voice", nil), true,
	},
	{
		"apostrophe escaped by the carrier", "https://voice.example.com/twilio/voice?n=O'Hara", nil,
		mediastream.Sign("secret", "https://voice.example.com/twilio/voice?n=O%27Hara", nil), true,
	},
	{
		"https instead of wss", "https://voice.example.com/twilio/media", nil,
		mediastream.Sign("secret", "wss://voice.example.com/twilio/media", nil), false,
	},
	{
		"another port than the default one", "https://voice.example.com/twilio/voice", nil,
		mediastream.Sign("secret", "https://voice.example.com:8443/twilio/voice", nil), false,
	},
	{
		"a parameter too many", "https://voice.example.com/twilio/voice",
		url.Values{"a": {"b"}},
		mediastream.Sign("secret", "https://voice.example.com/twilio/voice", nil), false,
	},
	{
		"an empty key", "https://voice.example.com/twilio/voice", nil,
		mediastream.Sign("", "https://voice.example.com/twilio/voice", nil), false,
	},
	{"nothing", "https://voice.example.com/twilio/voice", nil, "", false},
	{"no base64", "https://voice.example.com/twilio/voice", nil, "%%%", false},
}

func TestSignatures(t *testing.T) {
	for _, tt := range signatures {
		t.Run(tt.name, func(t *testing.T) {
			for _, tokens := range [][]string{{"secret"}, {"other", "secret"}, {"", "secret"}} {
				if got := mediastream.ValidSignature(tokens, tt.url, tt.form, tt.signature); got != tt.valid {
					t.Errorf("with tokens %q: valid = %v, want %v", tokens, got, tt.valid)
				}
			}
			if mediastream.ValidSignature([]string{"", "other"}, tt.url, tt.form, tt.signature) {
				t.Error("valid without the token")
			}
		})
	}
}

func TestPublishedSignatureVectors(t *testing.T) {
	type vector struct {
		ID        string
		Token     string                     `json:"auth_token"`
		URL       string                     `json:"validate_url"`
		Params    map[string]json.RawMessage `json:"params"`
		Body      *string
		RawForm   *string `json:"raw_form"`
		Signature string  `json:"expected_signature"`
		Valid     bool
	}
	var file struct {
		Official []vector
		Derived  []vector `json:"derived_websocket"`
	}
	if err := json.Unmarshal(contract.File(t, "twilio-signature-vectors.json"), &file); err != nil {
		t.Fatal(err)
	}
	vectors := append(file.Official, file.Derived...)
	if len(vectors) != 24 {
		t.Errorf("%d vectors, want 24", len(vectors))
	}
	for _, v := range vectors {
		t.Run(v.ID, func(t *testing.T) {
			tokens := []string{"another", v.Token}
			if v.Body != nil {
				if got := mediastream.ValidBodySignature(tokens, v.URL, []byte(*v.Body), v.Signature); got != v.Valid {
					t.Errorf("valid = %v, want %v", got, v.Valid)
				}
				if mediastream.ValidBodySignature(tokens, v.URL, []byte(*v.Body+" "), v.Signature) {
					t.Error("valid with another body")
				}
				return
			}
			form := url.Values{}
			for name, raw := range v.Params {
				var one string
				var many []string
				if json.Unmarshal(raw, &one) == nil {
					many = []string{one}
				} else if err := json.Unmarshal(raw, &many); err != nil {
					t.Fatal(err)
				}
				form[name] = many
			}
			if v.RawForm != nil {
				var err error
				if form, err = url.ParseQuery(*v.RawForm); err != nil {
					t.Fatal(err)
				}
			}
			if got := mediastream.ValidSignature(tokens, v.URL, form, v.Signature); got != v.Valid {
				t.Errorf("valid = %v, want %v", got, v.Valid)
			}
			if mediastream.ValidSignature([]string{"another"}, v.URL, form, v.Signature) {
				t.Error("valid with another token")
			}
		})
	}
}
