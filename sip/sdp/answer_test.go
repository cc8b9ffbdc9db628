package sdp_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip/sdp"
)

var addresses = cmpopts.EquateComparable(netip.AddrPort{}, netip.Addr{})

func local() sdp.Local {
	return sdp.Local{
		Address: netip.MustParseAddr("192.0.2.1"),
		Port:    30000,
		Origin:  sdp.Origin{ID: 7, Version: 1},
	}
}

// offer returns a description with the given lines after the usual head.
func offer(lines ...string) string {
	return "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n" + strings.Join(lines, "\r\n") + "\r\n"
}

func parse(t *testing.T, body []byte) *sdp.Description {
	t.Helper()
	d, err := sdp.Parse(body)
	if err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	return d
}

func isNotAcceptable(err error) bool { return errors.Is(err, sdp.ErrNotAcceptable) }

func TestAnswerAsWritten(t *testing.T) {
	answer, _, err := sdp.Answer(parse(t, []byte(offer(
		"m=image 4000 udptl t38",
		"m=audio 4002 RTP/AVP 96 118 8 0 97 98",
		"a=rtpmap:96 opus/48000/2",
		"a=rtpmap:118 PcmU/8000",
		"a=rtpmap:97 telephone-event/48000",
		"a=rtpmap:98 telephone-event/8000",
		"a=ptime:30",
		"m=video 4004 RTP/AVP 31",
	))), local())
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"v=0", "o=- 7 1 IN IP4 192.0.2.1", "s=callgw", "c=IN IP4 192.0.2.1", "t=0 0",
		"m=image 0 udptl t38",
		"m=audio 30000 RTP/AVP 118 98",
		"a=rtpmap:118 PCMU/8000",
		"a=rtpmap:98 telephone-event/8000",
		"a=fmtp:98 0-15",
		"a=ptime:30",
		"a=sendrecv",
		"m=video 0 RTP/AVP 31",
		"",
	}, "\r\n")
	if diff := cmp.Diff(want, string(answer)); diff != "" {
		t.Error(diff)
	}
}

func TestAnswerPicksTheCodec(t *testing.T) {
	for _, test := range []struct {
		name    string
		allowed []media.Codec
		lines   []string
		want    sdp.PayloadTypes
	}{
		{"the offer's first without a preference", nil, []string{"m=audio 4000 RTP/AVP 18 8 0"}, sdp.PayloadTypes{Audio: 8}},
		{"the trunk's first with one", []media.Codec{media.PCMU, media.PCMA}, []string{"m=audio 4000 RTP/AVP 18 8 0"}, sdp.PayloadTypes{Audio: 0}},
		{"the trunk's second if need be", []media.Codec{media.PCMU, media.PCMA}, []string{"m=audio 4000 RTP/AVP 18 8"}, sdp.PayloadTypes{Audio: 8}},
		{"a dynamic type", nil, []string{"m=audio 4000 RTP/AVP 120", "a=rtpmap:120 PCMA/8000/1"}, sdp.PayloadTypes{Audio: 120}},
		{"not at another rate", nil, []string{"m=audio 4000 RTP/AVP 120 0", "a=rtpmap:120 PCMU/16000"}, sdp.PayloadTypes{Audio: 0}},
		{"not in stereo", nil, []string{"m=audio 4000 RTP/AVP 120 0", "a=rtpmap:120 PCMU/8000/2"}, sdp.PayloadTypes{Audio: 0}},
		{"a static number mapped to something else", nil, []string{"m=audio 4000 RTP/AVP 0 8", "a=rtpmap:0 foo/8000"}, sdp.PayloadTypes{Audio: 8}},
		{"the first line that can be had", nil, []string{"m=audio 0 RTP/AVP 0", "m=audio 4000 RTP/SAVP 0", "m=audio 4002 RTP/AVP 18", "m=audio 4004 RTP/AVP 8"}, sdp.PayloadTypes{Audio: 8}},
		{"events in any case", nil, []string{"m=audio 4000 RTP/AVP 0 120", "a=rtpmap:120 Telephone-Event/8000"}, sdp.PayloadTypes{Audio: 0, Event: 120, Events: true}},
		{"no events at another rate", nil, []string{"m=audio 4000 RTP/AVP 0 120", "a=rtpmap:120 telephone-event/16000"}, sdp.PayloadTypes{Audio: 0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := local()
			l.Codecs = test.allowed
			body, stream, err := sdp.Answer(parse(t, []byte(offer(test.lines...))), l)
			if err != nil {
				t.Fatal(err)
			}
			valid(t, body)
			if diff := cmp.Diff(test.want, stream.Send); diff != "" {
				t.Error(diff)
			}
			if stream.Receive != stream.Send {
				t.Errorf("Receive %v differs from Send", stream.Receive)
			}
		})
	}
}

func TestNotAcceptable(t *testing.T) {
	for _, test := range []struct {
		name  string
		lines []string
	}{
		{"no media", nil},
		{"no audio", []string{"m=video 4000 RTP/AVP 31"}},
		{"audio switched off", []string{"m=audio 0 RTP/AVP 0"}},
		{"no common codec", []string{"m=audio 4000 RTP/AVP 18 9"}},
		{"no formats", []string{"m=audio 4000 RTP/AVP"}},
		{"only SRTP", []string{"m=audio 4000 RTP/SAVP 0"}},
		{"only DTLS", []string{"m=audio 4000 UDP/TLS/RTP/SAVPF 0"}},
		{"another transport", []string{"m=audio 4000 TCP/RTP/AVP 0"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, _, err := sdp.Answer(parse(t, []byte(offer(test.lines...))), local()); !isNotAcceptable(err) {
				t.Errorf("Answer() = %v", err)
			}
		})
	}
}

func TestAnswersDirection(t *testing.T) {
	const zeros, six = "c=IN IP4 0.0.0.0", "c=IN IP6 ::"
	for _, test := range []struct {
		name  string
		ours  sdp.Direction
		lines []string
		want  sdp.Direction
		hold  bool
	}{
		{"none is both", sdp.SendRecv, nil, sdp.SendRecv, false},
		{"both", sdp.SendRecv, []string{"a=sendrecv"}, sdp.SendRecv, false},
		{"hold with music", sdp.SendRecv, []string{"a=sendonly"}, sdp.RecvOnly, true},
		{"listener", sdp.SendRecv, []string{"a=recvonly"}, sdp.SendOnly, false},
		{"hold", sdp.SendRecv, []string{"a=inactive"}, sdp.Inactive, true},
		{"old hold", sdp.SendRecv, []string{zeros}, sdp.RecvOnly, true},
		{"old hold in IPv6", sdp.SendRecv, []string{six}, sdp.RecvOnly, true},
		{"old hold of a listener", sdp.SendRecv, []string{zeros, "a=recvonly"}, sdp.Inactive, true},
		{"both sides hold", sdp.SendOnly, []string{"a=sendonly"}, sdp.Inactive, true},
		{"this side holds", sdp.SendOnly, []string{"a=sendrecv"}, sdp.SendOnly, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := local()
			l.Direction = test.ours
			body, stream, err := sdp.Answer(parse(t, []byte(offer(append([]string{"m=audio 4000 RTP/AVP 0"}, test.lines...)...))), l)
			if err != nil {
				t.Fatal(err)
			}
			if stream.Direction != test.want || stream.OnHold() != test.hold {
				t.Errorf("direction %v, hold %v", stream.Direction, stream.OnHold())
			}
			if got := parse(t, body).Media[0].Direction; got != test.want {
				t.Errorf("answered %v", got)
			}
		})
	}
}

func TestSessionLevelDirectionHoldsUnlessTheLineSays(t *testing.T) {
	body := strings.Replace(offer("m=audio 4000 RTP/AVP 0", "m=audio 4002 RTP/AVP 0", "a=sendrecv"), "t=0 0\r\n", "t=0 0\r\na=inactive\r\n", 1)
	d := parse(t, []byte(body))
	if d.Media[0].Direction != sdp.Inactive || d.Media[1].Direction != sdp.SendRecv {
		t.Errorf("directions %v, %v", d.Media[0].Direction, d.Media[1].Direction)
	}
}

func TestPtime(t *testing.T) {
	for _, test := range []struct {
		name   string
		prefer time.Duration
		lines  []string
		want   int
	}{
		{"20 without a word", 0, nil, 20},
		{"what the peer asks for", 0, []string{"a=ptime:40"}, 40},
		{"at most 60", 0, []string{"a=ptime:200"}, 60},
		{"multiples of 10", 0, []string{"a=ptime:25"}, 20},
		{"fractions", 0, []string{"a=ptime:30.0"}, 30},
		{"at least 10", 0, []string{"a=ptime:5"}, 10},
		{"the peer's maximum", 0, []string{"a=maxptime:10"}, 10},
		{"a maximum above", 0, []string{"a=maxptime:140"}, 20},
		{"a maximum below what it asks for", 0, []string{"a=ptime:40", "a=maxptime:30"}, 30},
		{"what this side prefers", 30 * time.Millisecond, nil, 30},
		{"the peer goes first", 30 * time.Millisecond, []string{"a=ptime:20"}, 20},
		{"nonsense", 0, []string{"a=ptime:x", "a=maxptime:-3"}, 20},
		{"zero", 0, []string{"a=ptime:0", "a=maxptime:0"}, 20},
		{"infinity", 0, []string{"a=ptime:Inf", "a=maxptime:NaN"}, 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := local()
			l.Ptime = test.prefer
			_, stream, err := sdp.Answer(parse(t, []byte(offer(append([]string{"m=audio 4000 RTP/AVP 0"}, test.lines...)...))), l)
			if err != nil {
				t.Fatal(err)
			}
			if want := time.Duration(test.want) * time.Millisecond; stream.Ptime != want {
				t.Errorf("ptime %v, want %v", stream.Ptime, want)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	for _, test := range []struct {
		name         string
		lines        []string
		remote, rtcp string
	}{
		{"session level", []string{"m=audio 4000 RTP/AVP 0"}, "198.51.100.7:4000", "198.51.100.7:4001"},
		{"media level", []string{"m=audio 4000 RTP/AVP 0", "c=IN IP4 198.51.100.8"}, "198.51.100.8:4000", "198.51.100.8:4001"},
		{"IPv6", []string{"m=audio 4000 RTP/AVP 0", "c=IN IP6 2001:db8::1"}, "[2001:db8::1]:4000", "[2001:db8::1]:4001"},
		{"with a TTL", []string{"m=audio 4000/2 RTP/AVP 0", "c=IN IP4 198.51.100.8/127"}, "198.51.100.8:4000", "198.51.100.8:4001"},
		{"RTCP's own port, before c=", []string{"m=audio 4000 RTP/AVP 0", "a=rtcp:5000", "c=IN IP4 198.51.100.8"}, "198.51.100.8:4000", "198.51.100.8:5000"},
		{"RTCP's own address", []string{"m=audio 4000 RTP/AVP 0", "a=rtcp:5000 IN IP4 198.51.100.9"}, "198.51.100.7:4000", "198.51.100.9:5000"},
		{"RTCP on RTP's port", []string{"m=audio 4000 RTP/AVP 0", "a=rtcp-mux"}, "198.51.100.7:4000", "198.51.100.7:4000"},
		{"a host name", []string{"m=audio 4000 RTP/AVP 0", "c=IN IP4 media.example.test"}, "invalid AddrPort", "invalid AddrPort"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, stream, err := sdp.Answer(parse(t, []byte(offer(test.lines...))), local())
			if err != nil {
				t.Fatal(err)
			}
			if stream.Remote.String() != test.remote || stream.RTCP.String() != test.rtcp {
				t.Errorf("remote %v, rtcp %v", stream.Remote, stream.RTCP)
			}
		})
	}
}

func TestAnswerOverIPv6(t *testing.T) {
	l := local()
	l.Address = netip.MustParseAddr("2001:db8::5")
	body, _, err := sdp.Answer(parse(t, []byte(offer("m=audio 4000 RTP/AVP 0"))), l)
	if err != nil {
		t.Fatal(err)
	}
	valid(t, body)
	if !strings.Contains(string(body), "c=IN IP6 2001:db8::5\r\n") {
		t.Errorf("%s", body)
	}
}

func TestCryptoIsExposed(t *testing.T) {
	d := parse(t, []byte(offer("m=audio 4000 RTP/SAVP 0",
		"a=crypto:1 AEAD_AES_256_GCM_8 inline:AAAA",
		"a=crypto:x bad line",
		"a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:BBBB|2^31|1:1 KDR=1 UNENCRYPTED_SRTCP",
	)))
	want := []sdp.Crypto{
		{Tag: 1, Suite: "AEAD_AES_256_GCM_8", Key: "inline:AAAA"},
		{Tag: 2, Suite: "AES_CM_128_HMAC_SHA1_80", Key: "inline:BBBB|2^31|1:1", Params: "KDR=1 UNENCRYPTED_SRTCP"},
	}
	if diff := cmp.Diff(want, d.Media[0].Crypto); diff != "" {
		t.Error(diff)
	}
	if !d.Media[0].Secure() {
		t.Error("not Secure")
	}
}
