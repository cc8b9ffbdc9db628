package httptool

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// SignatureHeader carries the signature of a request.
const SignatureHeader = "Callgw-Signature"

// DefaultTolerance is how far a signature's time may be from the verifier's.
const DefaultTolerance = 5 * time.Minute

// ErrSignature says that a request was not signed with the secret, or too long
// ago.
var ErrSignature = errors.New("httptool: signature")

// Sign returns the value of [SignatureHeader] for a payload sent at a time. The
// payload is the request's body or, without one, its request URI.
func Sign(secret string, payload []byte, at time.Time) string {
	t := at.Unix()
	return fmt.Sprintf("t=%d,v1=%x", t, digest(secret, t, payload))
}

func digest(secret string, t int64, payload []byte) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write(strconv.AppendInt(nil, t, 10))
	h.Write([]byte{'.'})
	h.Write(payload)
	return h.Sum(nil)
}

// Verify checks the value of [SignatureHeader] against the payload. now is the
// verifier's time, tolerance how far the signature's may be from it, which
// bounds replays; 0 means [DefaultTolerance]. Several v1 are alternatives. Errors
// wrap [ErrSignature].
func Verify(secret, header string, payload []byte, now time.Time, tolerance time.Duration) error {
	if secret == "" {
		return fmt.Errorf("%w: no secret to check it with", ErrSignature)
	}
	if tolerance == 0 {
		tolerance = DefaultTolerance
	}
	var t int64
	var timed bool
	var given [][]byte
	for field := range strings.SplitSeq(header, ",") {
		switch name, value, _ := strings.Cut(strings.TrimSpace(field), "="); name {
		case "t":
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || timed {
				return fmt.Errorf("%w: malformed time", ErrSignature)
			}
			t, timed = n, true
		case "v1":
			if mac, err := hex.DecodeString(value); err == nil {
				given = append(given, mac)
			}
		}
	}
	if !timed || len(given) == 0 {
		return fmt.Errorf("%w: missing or malformed", ErrSignature)
	}
	want, match := digest(secret, t, payload), false
	for _, mac := range given {
		match = match || hmac.Equal(mac, want)
	}
	if !match {
		return fmt.Errorf("%w: does not match", ErrSignature)
	}
	if off := now.Sub(time.Unix(t, 0)); off < -tolerance || off > tolerance {
		return fmt.Errorf("%w: %v off", ErrSignature, off.Round(time.Second))
	}
	return nil
}

// VerifyRequest checks a request as a server receives it, with the default
// tolerance. It reads the body, of at most 1 MiB, and puts it back.
func VerifyRequest(secret string, r *http.Request) error {
	const most = 1 << 20
	payload := []byte(r.RequestURI)
	if r.Body != nil {
		body, err := io.ReadAll(io.LimitReader(r.Body, most+1))
		if err != nil {
			return fmt.Errorf("httptool: read body: %w", err)
		}
		if len(body) > most {
			return fmt.Errorf("%w: a body of more than %d bytes", ErrSignature, most)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if len(body) > 0 {
			payload = body
		}
	}
	return Verify(secret, r.Header.Get(SignatureHeader), payload, time.Now(), 0)
}
