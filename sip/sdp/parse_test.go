package sdp_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	pion "github.com/pion/sdp/v3"

	"github.com/callgw/callgw/sip/sdp"
)

func TestMalformed(t *testing.T) {
	for _, test := range []struct{ name, body string }{
		{"nothing", ""},
		{"blank", "\r\n\r\n"},
		{"not SDP", "{\"hello\": 1}"},
		{"another version", strings.Replace(offer(), "v=0", "v=1", 1)},
		{"no version", strings.TrimPrefix(offer("m=audio 4000 RTP/AVP 0"), "v=0\r\n")},
		{"no origin", "v=0\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 127.0.0.1\r\n"},
		{"short origin", strings.Replace(offer(), "o=- 1 1 IN", "o=- 1 IN", 1)},
		{"no connection", strings.Replace(offer("m=audio 4000 RTP/AVP 0"), "c=IN IP4 198.51.100.7\r\n", "", 1)},
		{"short connection", offer("m=audio 4000 RTP/AVP 0", "c=IN IP4")},
		{"no transport", offer("m=audio 4000")},
		{"no port", offer("m=audio x RTP/AVP 0")},
		{"port beyond 65535", offer("m=audio 65536 RTP/AVP 0")},
		{"a line without a type", offer("m=audio 4000 RTP/AVP 0", "hello world")},
		{"endless media", offer(strings.Repeat("m=audio 4000 RTP/AVP 0\r\n", 100))},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := sdp.Parse([]byte(test.body)); !errors.Is(err, sdp.ErrMalformed) {
				t.Errorf("Parse() = %v", err)
			}
		})
	}
}

func TestTolerated(t *testing.T) {
	for _, test := range []struct{ name, body string }{
		{"bare line feeds", strings.ReplaceAll(offer("m=audio 4000 RTP/AVP 0"), "\r\n", "\n")},
		{"blank lines at the end", offer("m=audio 4000 RTP/AVP 0") + "\r\n\r\n"},
		{"no s= and no t=", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n"},
		{"spaces in the user name", strings.Replace(offer("m=audio 4000 RTP/AVP 0"), "o=- ", "o=My Phone ", 1)},
		{"ids beyond 64 bits", strings.Replace(offer("m=audio 4000 RTP/AVP 0"), "o=- 1 1", "o=- 99999999999999999999999 x1", 1)},
		{"an unknown bandwidth", offer("b=FOO:1", "m=audio 4000 RTP/AVP 0", "b=BAR:2")},
		{"attributes before c=", offer("m=audio 4000 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "c=IN IP4 127.0.0.1")},
		{"trailing blanks", offer("m=audio 4000 RTP/AVP 0  ", "a=sendrecv ")},
		{"formats that are no number", offer("m=audio 4000 RTP/AVP foo 0 300")},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, _, err := sdp.Answer(parse(t, []byte(test.body)), local()); err != nil {
				t.Error(err)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(offer("m=audio 4000 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000", "a=ptime:20")))
	f.Add([]byte(offer("m=image 4000 udptl t38", "m=audio 4002/2 RTP/SAVP 8", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AA|2^31", "a=rtcp:1 IN IP6 ::1")))
	f.Add([]byte(offer("a=sendonly", "m=audio 1 RTP/AVP 0", "c=IN IP4 0.0.0.0", "a=maxptime:NaN")))
	f.Add([]byte("v=0\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := sdp.Parse(body)
		if err != nil {
			if !errors.Is(err, sdp.ErrMalformed) {
				t.Fatalf("Parse() = %v", err)
			}
			return
		}
		again, err := sdp.Parse(sdp.Offer(local(), d))
		if err != nil {
			t.Fatalf("our offer: %v", err)
		}
		if len(again.Media) < len(d.Media) {
			t.Fatalf("%d m= lines became %d", len(d.Media), len(again.Media))
		}
		answer, stream, err := sdp.Answer(d, local())
		if err != nil {
			if !isNotAcceptable(err) {
				t.Fatalf("Answer() = %v", err)
			}
			return
		}
		if stream.Ptime <= 0 || stream.Ptime%(10*time.Millisecond) != 0 {
			t.Fatalf("ptime %v", stream.Ptime)
		}
		back, err := sdp.Parse(answer)
		if err != nil {
			t.Fatalf("our answer: %v\n%s", err, answer)
		}
		if len(back.Media) != len(d.Media) {
			t.Fatalf("%d m= lines answered of %d", len(back.Media), len(d.Media))
		}
		accepted := 0
		for _, m := range back.Media {
			if m.Port != 0 {
				accepted++
			}
		}
		if accepted != 1 {
			t.Fatalf("%d lines accepted", accepted)
		}
		var strict pion.SessionDescription
		if strict.Unmarshal(body) == nil {
			// What pion takes is not read differently here.
			if len(strict.MediaDescriptions) != len(d.Media) {
				t.Fatalf("pion sees %d m= lines, we %d", len(strict.MediaDescriptions), len(d.Media))
			}
		}
	})
}
