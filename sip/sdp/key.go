package sdp

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
)

// hidden is what prints instead of a secret.
const hidden = "[hidden]"

// Key is an SRTP master key with its salt. It never prints.
type Key struct {
	material string // the key, then the salt
}

// parseKey reads the base64 of key and salt for a suite. Peers leave the padding
// out.
func parseKey(suite Suite, text string) (Key, bool) {
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil || len(b) != suite.bytes() {
		return Key{}, false
	}
	return Key{string(b)}, true
}

// inline returns the key parameter of RFC 4568 §6.1.
func (k Key) inline() string {
	return "inline:" + base64.StdEncoding.EncodeToString([]byte(k.material))
}

// Equal reports whether both are the same key.
func (k Key) Equal(other Key) bool {
	return subtle.ConstantTimeCompare([]byte(k.material), []byte(other.material)) == 1
}

// Format hides the key from every verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// Secret is what a call's own SRTP keys are derived from. NewSecret makes one;
// the zero value is none. It never prints.
type Secret struct {
	seed [sha256.Size]byte
}

// NewSecret returns a secret that nobody can guess, for one call.
func NewSecret() Secret {
	var s Secret
	_, _ = rand.Read(s.seed[:]) // never fails: crypto/rand
	return s
}

// Format hides the secret from every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// key returns the key of this side for a suite, by HKDF (RFC 5869): the same as
// long as peer and used are, and independent of all others. No suite's key is
// another's, and a peer that changes its own key makes this side change, too.
func (s Secret) key(suite Suite, peer, used Key) Key {
	context := suite.String() + "\x00" + peer.inline() + "\x00" + used.inline()
	b, err := hkdf.Key(sha256.New, s.seed[:], nil, context, suite.bytes())
	if err != nil {
		panic("sdp: hkdf: " + err.Error()) // only for more than 255 hashes' length
	}
	return Key{string(b)}
}

// key returns this side's key for a suite. The one in use stays while the peer
// keeps its own: the stream goes on where it was. When the peer takes another, as
// one must that moved the call to another address (RFC 4568 §7.1.4), this side does,
// too: a new device knows nothing of the old roll-over counter. Without a peer's
// key, the key is for an offer.
func (l Local) key(suite Suite, peer Key) Key {
	used := l.Security
	if used.Suite == suite && (peer == Key{} || peer.Equal(used.Receive)) {
		return used.Send
	}
	return l.Secret.key(suite, peer, used.Send)
}
