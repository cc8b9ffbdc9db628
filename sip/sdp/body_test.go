package sdp_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/callgw/callgw/sip/sdp"
)

func TestBody(t *testing.T) {
	const description = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n"
	multipart := func(parts ...string) string {
		return "preamble\r\n--b1\r\n" + strings.Join(parts, "\r\n--b1\r\n") + "\r\n--b1--\r\n"
	}
	const isup = "Content-Type: application/isup;version=itu-t92+\r\n\r\n\x01\x00\x60"
	const part = "Content-Type: application/SDP; charset=utf-8\r\nContent-Disposition: session\r\n\r\n" + description
	for _, test := range []struct {
		name, contentType, body string
		want                    string
		err                     error
	}{
		{"plain", "application/sdp", description, description, nil},
		{"with a parameter", "application/sdp;charset=ISO-10646", description, description, nil},
		{"in any case", "Application/SDP ; q=1", description, description, nil},
		{"with a parameter that is none", "application/sdp; =;", description, description, nil},
		{"empty", "application/sdp", "", "", nil},
		{"empty without a type", "", "\r\n", "", nil},
		{"first part", `multipart/mixed;boundary=b1`, multipart(part, isup), description, nil},
		{"second part", `multipart/mixed; boundary="b1"`, multipart(isup, part), description, nil},
		{"no such part", `multipart/mixed;boundary=b1`, multipart(isup), "", nil},
		{"no boundary", `multipart/mixed`, multipart(part), "", sdp.ErrMalformed},
		{"another boundary", `multipart/mixed;boundary=b2`, multipart(part), "", nil},
		{"cut short", `multipart/mixed;boundary=b1`, "--b1\r\nContent-Type: application/sdp\r\n\r\nv=0", "", sdp.ErrMalformed},
		{"something else", "application/isup", "x", "", sdp.ErrUnsupported},
		{"no type", "", description, "", sdp.ErrUnsupported},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := sdp.Body(test.contentType, []byte(test.body))
			if !errors.Is(err, test.err) {
				t.Fatalf("Body() = %v, want %v", err, test.err)
			}
			if strings.TrimSpace(string(got)) != strings.TrimSpace(test.want) {
				t.Errorf("Body() = %q", got)
			}
		})
	}
}
