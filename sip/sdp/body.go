package sdp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

// Body returns the session description in a message's body: the body itself
// when contentType is application/sdp, with whatever parameters, and the first
// such part of a multipart body. It returns nil without an error when there is
// none: an empty body, or parts that are all something else. The error wraps
// ErrUnsupported for other types and ErrMalformed for parts that cannot be told
// apart.
func Body(contentType string, body []byte) ([]byte, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	kind, params := parseType(contentType)
	switch {
	case kind == "application/sdp":
		return body, nil
	case strings.HasPrefix(kind, "multipart/"):
		return part(body, params["boundary"])
	}
	return nil, fmt.Errorf("%w: %.60q", ErrUnsupported, contentType)
}

// parseType is mime.ParseMediaType for peers whose parameters are not well
// formed: the type counts.
func parseType(contentType string) (kind string, params map[string]string) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind, _, _ = strings.Cut(contentType, ";")
		kind = strings.ToLower(strings.TrimSpace(kind))
	}
	return kind, params
}

// part returns the first application/sdp part (RFC 5621 §3).
func part(body []byte, boundary string) ([]byte, error) {
	if boundary == "" {
		return nil, fmt.Errorf("%w: multipart without a boundary", ErrMalformed)
	}
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: multipart: %w", ErrMalformed, err)
		}
		if kind, _ := parseType(p.Header.Get("Content-Type")); kind != "application/sdp" {
			continue
		}
		found, err := io.ReadAll(p)
		if err != nil {
			return nil, fmt.Errorf("%w: multipart: %w", ErrMalformed, err)
		}
		return found, nil
	}
}
