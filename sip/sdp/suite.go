package sdp

import "strings"

// Suite is an SRTP crypto suite. The zero value is none.
type Suite uint8

// The suites, in the order in which offers name them.
const (
	AEADAES256GCM      Suite = iota + 1 // RFC 7714
	AEADAES128GCM                       // RFC 7714
	AESCM128HMACSHA180                  // RFC 4568 §6.2.1
	AESCM128HMACSHA132                  // RFC 4568 §6.2.2
	AES256CMHMACSHA180                  // RFC 6188
	AES256CMHMACSHA132                  // RFC 6188
)

// offeredSuites is how many of the suites an offer names. More lines make an
// INVITE over UDP too long, and whoever has RFC 6188's has those of RFC 4568.
const offeredSuites = AESCM128HMACSHA132

var suites = [...]struct {
	name      string
	key, salt int // bytes
}{
	AEADAES256GCM:      {"AEAD_AES_256_GCM", 32, 12},
	AEADAES128GCM:      {"AEAD_AES_128_GCM", 16, 12},
	AESCM128HMACSHA180: {"AES_CM_128_HMAC_SHA1_80", 16, 14},
	AESCM128HMACSHA132: {"AES_CM_128_HMAC_SHA1_32", 16, 14},
	AES256CMHMACSHA180: {"AES_256_CM_HMAC_SHA1_80", 32, 14},
	AES256CMHMACSHA132: {"AES_256_CM_HMAC_SHA1_32", 32, 14},
}

// parseSuite returns the suite of that registered name, in any case: RFC 4568 §9.2
// names them by ABNF's literals (RFC 5234 §2.3).
func parseSuite(name string) (Suite, bool) {
	for i := range suites {
		if i > 0 && strings.EqualFold(suites[i].name, name) {
			return Suite(i), true
		}
	}
	return 0, false
}

func (s Suite) known() bool { return 0 < s && int(s) < len(suites) }

// String returns the suite's registered name, "none" for the zero value.
func (s Suite) String() string {
	if !s.known() {
		return "none"
	}
	return suites[s].name
}

// bytes returns the length of master key and salt together.
func (s Suite) bytes() int {
	if !s.known() {
		return 0
	}
	return suites[s].key + suites[s].salt
}

// Split returns the master key and the master salt that k holds for the suite,
// nil when it is not a key of that suite's length.
func (s Suite) Split(k Key) (key, salt []byte) {
	if !s.known() || len(k.material) != s.bytes() {
		return nil, nil
	}
	n := suites[s].key
	return []byte(k.material[:n]), []byte(k.material[n:])
}
