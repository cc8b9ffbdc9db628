package sdp_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip/sdp"
)

// securing returns a local side with that policy and a secret of its own.
func securing(policy sdp.SRTP) sdp.Local {
	l := local()
	l.SRTP, l.Secret = policy, sdp.NewSecret()
	return l
}

// inline returns a key parameter of n bytes that begin with first.
func inline(first byte, n int) string {
	b := make([]byte, n)
	b[0] = first
	return "inline:" + base64.StdEncoding.EncodeToString(b)
}

const (
	avp     = "m=audio 4000 RTP/AVP 0"
	savp    = "m=audio 4000 RTP/SAVP 0"
	sha180  = "AES_CM_128_HMAC_SHA1_80"
	sha132  = "AES_CM_128_HMAC_SHA1_32"
	gcm128  = "AEAD_AES_128_GCM"
	gcm256  = "AEAD_AES_256_GCM"
	aes256  = "AES_256_CM_HMAC_SHA1_80"
	aes256s = "AES_256_CM_HMAC_SHA1_32"
)

func crypto(tag int, suite, key string) string {
	return fmt.Sprintf("a=crypto:%d %s %s", tag, suite, key)
}

func TestCarriersOffersOfSRTPAreAnswered(t *testing.T) {
	for _, test := range []struct {
		name  string
		codec media.Codec
		tag   int
		suite sdp.Suite
		mux   bool
	}{
		{"freeswitch_srtp_seven_suites", media.PCMA, 5, sdp.AESCM128HMACSHA180, false},
		{"pjsip_app_srtp_256_first", media.PCMA, 3, sdp.AESCM128HMACSHA180, false},
		{"teams_bypass_ice_lite_srtp", media.PCMU, 1, sdp.AESCM128HMACSHA180, true},
	} {
		for _, policy := range []sdp.SRTP{sdp.SRTPOptional, sdp.SRTPRequired} {
			t.Run(test.name+" "+policy.String(), func(t *testing.T) {
				body, err := sdp.Body(message(t, test.name))
				if err != nil {
					t.Fatal(err)
				}
				answer, stream, err := sdp.Answer(parse(t, body), securing(policy))
				if err != nil {
					t.Fatal(err)
				}
				valid(t, answer)
				if stream.Codec != test.codec || stream.Security.Suite != test.suite || stream.RTCPMux != test.mux {
					t.Errorf("%v, %v, mux %v", stream.Codec, stream.Security.Suite, stream.RTCPMux)
				}
				m := parse(t, answer).Media[0]
				if m.Proto != "RTP/SAVP" || m.RTCPMux != test.mux || len(m.Crypto) != 1 {
					t.Fatalf("answered\n%s", answer)
				}
				if c := m.Crypto[0]; c.Tag != test.tag || c.Suite != test.suite.String() || c.Params != "" {
					t.Errorf("answered %d %s %q", c.Tag, c.Suite, c.Params)
				}
				if !strings.Contains(string(body), " inline:"+text(stream.Security.Suite, stream.Security.Receive)) {
					t.Error("the peer's key is not that of its offer")
				}
				if stream.Security.Send.Equal(stream.Security.Receive) {
					t.Error("both sides have one key")
				}
			})
		}
	}
}

func TestCarriersOffersInTheClearAreRefusedWhereSRTPIsRequired(t *testing.T) {
	for _, name := range []string{"twilio_trunk", "asterisk_gw", "doubango_capneg", "dialpad_charset", "whatsapp_opus_only"} {
		body, err := sdp.Body(message(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := sdp.Answer(parse(t, body), securing(sdp.SRTPRequired)); !isNotAcceptable(err) {
			t.Errorf("%s: Answer() = %v", name, err)
		}
	}
}

func TestAnswersByPolicy(t *testing.T) {
	const none, refused = 0, -1
	key := inline(7, 30)
	known := crypto(9, sha180, key)
	for _, test := range []struct {
		name                    string
		lines                   []string
		off, optional, required int // the tag of the answer
	}{
		{"in the clear", []string{avp}, none, none, refused},
		{"encrypted", []string{savp, known}, refused, 9, 9},
		{"encrypted with feedback", []string{"m=audio 4000 RTP/SAVPF 0", known}, refused, 9, 9},
		{"opportunistic", []string{avp, known}, none, 9, refused},
		{"opportunistic, unknown suite", []string{avp, crypto(1, "F8_128_HMAC_SHA1_80", key)}, none, none, refused},
		{"encrypted without keys", []string{savp}, refused, refused, refused},
		{"unknown suites first", []string{savp, crypto(1, "AEAD_AES_256_GCM_8", inline(1, 44)), crypto(2, "AES_192_CM_HMAC_SHA1_80", inline(1, 38)), known}, refused, 9, 9},
		{"only unknown suites", []string{savp, crypto(1, "F8_128_HMAC_SHA1_80", key)}, refused, refused, refused},
		{"the peer's order", []string{savp, crypto(4, sha132, key), crypto(5, gcm256, inline(1, 44))}, refused, 4, 4},
		{"RFC 6188 last", []string{savp, crypto(1, aes256, inline(1, 46)), known}, refused, 9, 9},
		{"RFC 6188 alone", []string{savp, crypto(1, aes256s, inline(1, 46)), crypto(2, aes256, inline(1, 46))}, refused, 1, 1},
		{"a lifetime", []string{savp, crypto(1, sha180, key+"|2^20")}, refused, 1, 1},
		{"a lifetime in decimals", []string{savp, crypto(1, sha180, key+"|1048576")}, refused, 1, 1},
		{"an MKI", []string{savp, crypto(1, sha180, key+"|1:4"), known}, refused, 9, 9},
		{"a lifetime and an MKI", []string{savp, crypto(1, sha180, key+"|2^20|1:4"), known}, refused, 9, 9},
		{"two keys", []string{savp, crypto(1, sha180, key+"|2^20|1:4;"+key+"|2^20|2:4"), known}, refused, 9, 9},
		{"two keys without MKI", []string{savp, crypto(1, sha180, key+";"+key), known}, refused, 9, 9},
		{"a short key", []string{savp, crypto(1, sha180, inline(1, 29)), known}, refused, 9, 9},
		{"a long key", []string{savp, crypto(1, sha180, inline(1, 31)), known}, refused, 9, 9},
		{"no base64", []string{savp, crypto(1, sha180, "inline:???"), known}, refused, 9, 9},
		{"no padding", []string{savp, crypto(1, gcm128, strings.TrimRight(inline(1, 28), "="))}, refused, 1, 1},
		{"another key method", []string{savp, crypto(1, sha180, "uri:"+key), known}, refused, 9, 9},
		{"unencrypted RTCP", []string{savp, crypto(1, sha180, key+" UNENCRYPTED_SRTCP"), known}, refused, 9, 9},
		{"a window hint", []string{savp, crypto(1, sha180, key+" WSH=128 -X=1")}, refused, 1, 1},
		{"a transport in lower case", []string{strings.Replace(savp, "RTP/SAVP", "rtp/savp", 1), known}, refused, 9, 9},
		{"lower case", []string{savp, crypto(1, strings.ToLower(sha180), key)}, refused, 1, 1},
		{"DTLS", []string{"m=audio 4000 UDP/TLS/RTP/SAVP 0", known}, refused, refused, refused},
		{"another line in the clear", []string{savp, known, avp}, none, 9, 9},
		{"the first line in the clear", []string{avp, savp, known}, none, 9, 9},
	} {
		for policy, want := range map[sdp.SRTP]int{sdp.SRTPOff: test.off, sdp.SRTPOptional: test.optional, sdp.SRTPRequired: test.required} {
			t.Run(test.name+" "+policy.String(), func(t *testing.T) {
				body, stream, err := sdp.Answer(parse(t, []byte(offer(test.lines...))), securing(policy))
				if want == refused {
					if !isNotAcceptable(err) {
						t.Errorf("Answer() = %v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				valid(t, body)
				tag := none
				for _, m := range parse(t, body).Media {
					for _, c := range m.Crypto {
						tag = c.Tag
					}
				}
				if tag != want || stream.Security.On() != (want != none) {
					t.Errorf("answered tag %d, %v", tag, stream.Security.Suite)
				}
			})
		}
	}
}

func TestWithoutASecretNothingIsEncrypted(t *testing.T) {
	l := local()
	offered := parse(t, []byte(offer(avp, crypto(1, sha180, inline(1, 30)))))
	for _, l.SRTP = range []sdp.SRTP{sdp.SRTPOptional, sdp.SRTPRequired} {
		_, stream, err := sdp.Answer(offered, l)
		if stream.Security.On() || l.SRTP == sdp.SRTPRequired && !isNotAcceptable(err) {
			t.Errorf("%v: Answer() = %v, %v", l.SRTP, stream.Security.Suite, err)
		}
		if c := parse(t, sdp.Offer(l, nil)).Media[0].Crypto; len(c) != 0 {
			t.Errorf("%v: offered %v", l.SRTP, c)
		}
	}
}

func TestOffersByPolicy(t *testing.T) {
	for policy, proto := range map[sdp.SRTP]string{sdp.SRTPOff: "RTP/AVP", sdp.SRTPOptional: "RTP/AVP", sdp.SRTPRequired: "RTP/SAVP"} {
		body := sdp.Offer(securing(policy), nil)
		valid(t, body)
		m := parse(t, body).Media[0]
		var got []string
		for _, c := range m.Crypto {
			got = append(got, c.Suite)
		}
		want := []string{gcm256, gcm128, sha180, sha132}
		if policy == sdp.SRTPOff {
			want = nil
		}
		if diff := cmp.Diff(want, got); diff != "" || m.Proto != proto {
			t.Errorf("%v: %s, %s", policy, m.Proto, diff)
		}
	}
}

// settle lets two sides make a call and returns what each settled.
func settle(t *testing.T, caller, callee sdp.Local) (ours, theirs sdp.Stream, answer *sdp.Description, err error) {
	t.Helper()
	body, theirs, err := sdp.Answer(parse(t, sdp.Offer(caller, nil)), callee)
	if err != nil {
		return ours, theirs, nil, err
	}
	answer = parse(t, body)
	ours, err = sdp.Accept(caller, answer)
	return ours, theirs, answer, err
}

func TestTwoSidesAgreeOnKeys(t *testing.T) {
	const clear, on, refused = "clear", "on", "refused"
	for _, test := range []struct {
		caller, callee sdp.SRTP
		want           string
	}{
		{sdp.SRTPOff, sdp.SRTPOff, clear},
		{sdp.SRTPOff, sdp.SRTPOptional, clear},
		{sdp.SRTPOff, sdp.SRTPRequired, refused},
		{sdp.SRTPOptional, sdp.SRTPOff, clear},
		{sdp.SRTPOptional, sdp.SRTPOptional, on},
		{sdp.SRTPOptional, sdp.SRTPRequired, refused}, // opportunistic is not enough
		{sdp.SRTPRequired, sdp.SRTPOff, refused},
		{sdp.SRTPRequired, sdp.SRTPOptional, on},
		{sdp.SRTPRequired, sdp.SRTPRequired, on},
	} {
		t.Run(test.caller.String()+" calls "+test.callee.String(), func(t *testing.T) {
			ours, theirs, _, err := settle(t, securing(test.caller), securing(test.callee))
			if test.want == refused {
				if !isNotAcceptable(err) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			a, b := ours.Security, theirs.Security
			if a.On() != (test.want == on) || a.Suite != b.Suite || !a.Send.Equal(b.Receive) || !a.Receive.Equal(b.Send) {
				t.Errorf("suites %v, %v, or their keys differ", a.Suite, b.Suite)
			}
		})
	}
}

func TestAnswersWithOtherKeysThanOfferedAreRefused(t *testing.T) {
	good := crypto(int(sdp.AESCM128HMACSHA180), sha180, inline(1, 30))
	for _, test := range []struct {
		name  string
		lines []string
		ok    bool
	}{
		{"one of the offer", []string{savp, good}, true},
		{"in the clear", []string{avp}, false},
		{"no key", []string{savp}, false},
		{"another tag", []string{savp, crypto(1, sha180, inline(1, 30))}, false},
		{"a suite not offered", []string{savp, crypto(int(sdp.AES256CMHMACSHA180), aes256, inline(1, 46))}, false},
		{"two keys", []string{savp, good, good}, false},
		{"a short key", []string{savp, crypto(int(sdp.AESCM128HMACSHA180), sha180, inline(1, 16))}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			stream, err := sdp.Accept(securing(sdp.SRTPRequired), parse(t, []byte(offer(test.lines...))))
			if test.ok != (err == nil) || err != nil && !isNotAcceptable(err) || stream.Security.On() != test.ok {
				t.Errorf("Accept() = %v, %v", stream.Security.Suite, err)
			}
		})
	}
	// Keys that fit nothing are no licence to speak in the clear.
	if _, err := sdp.Accept(securing(sdp.SRTPOptional), parse(t, []byte(offer(avp, crypto(77, sha180, inline(1, 30)))))); !isNotAcceptable(err) {
		t.Errorf("Accept() = %v", err)
	}
}

func TestLaterOffersKeepTheKeys(t *testing.T) {
	line := func(first byte) []byte { return []byte(offer(savp, crypto(1, sha180, inline(first, 30)))) }
	l := securing(sdp.SRTPRequired)
	_, first, err := sdp.Answer(parse(t, line(1)), l)
	if err != nil {
		t.Fatal(err)
	}
	l.Security = first.Security
	_, again, err := sdp.Answer(parse(t, line(1)), l)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first.Security, again.Security); diff != "" {
		t.Errorf("the same offer changed the keys: %s", diff)
	}
	// An offer of ours names the key in use alone.
	mine := parse(t, sdp.Offer(l, parse(t, line(1)))).Media[0]
	if c := mine.Crypto[0]; len(mine.Crypto) != 1 || c.Suite != sha180 || c.Key != "inline:"+text(first.Security.Suite, first.Security.Send) || mine.Proto != "RTP/SAVP" {
		t.Errorf("offered %s, or another key", c.Suite)
	}
	// A peer that takes another key gets another; one that goes back, a third.
	_, moved, err := sdp.Answer(parse(t, line(2)), l)
	if err != nil {
		t.Fatal(err)
	}
	l.Security = moved.Security
	_, back, err := sdp.Answer(parse(t, line(1)), l)
	if err != nil {
		t.Fatal(err)
	}
	if moved.Security.Send.Equal(first.Security.Send) || back.Security.Send.Equal(first.Security.Send) || back.Security.Send.Equal(moved.Security.Send) {
		t.Error("a key was used again")
	}
}

func TestLaterOffersOfACallOutKeepTheKeys(t *testing.T) {
	caller, callee := securing(sdp.SRTPOptional), securing(sdp.SRTPOptional)
	ours, theirs, answer, err := settle(t, caller, callee)
	if err != nil {
		t.Fatal(err)
	}
	caller.Security, callee.Security = ours.Security, theirs.Security
	body, theirs, err := sdp.Answer(parse(t, sdp.Offer(caller, answer)), callee)
	if err != nil {
		t.Fatal(err)
	}
	ours, err = sdp.Accept(caller, parse(t, body))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(caller.Security, ours.Security); diff != "" {
		t.Errorf("the caller's keys changed: %s", diff)
	}
	if diff := cmp.Diff(callee.Security, theirs.Security); diff != "" {
		t.Errorf("the callee's keys changed: %s", diff)
	}
}

func TestLaterOfferInTheClearStaysSo(t *testing.T) {
	m := parse(t, sdp.Offer(securing(sdp.SRTPOptional), parse(t, []byte(offer(avp, "a=rtcp-mux"))))).Media[0]
	if len(m.Crypto) != 0 || m.Proto != "RTP/AVP" || !m.RTCPMux {
		t.Errorf("%+v", m)
	}
}

// text returns a key as a description spells it.
func text(suite sdp.Suite, k sdp.Key) string {
	key, salt := suite.Split(k)
	return base64.StdEncoding.EncodeToString(append(key, salt...))
}

func TestSecretsNeverPrint(t *testing.T) {
	l := securing(sdp.SRTPRequired)
	_, stream, err := sdp.Answer(parse(t, []byte(offer(savp, crypto(1, sha180, inline('K', 30))))), l)
	if err != nil {
		t.Fatal(err)
	}
	l.Security = stream.Security
	key, _ := stream.Security.Suite.Split(stream.Security.Send)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{l, stream, stream.Security, l.Secret, stream.Security.Send, &stream.Security} {
			s := fmt.Sprintf(format, v)
			if strings.Contains(s, string(key)) || strings.Contains(s, fmt.Sprintf("%x", key)) || strings.Contains(s, "K\x00\x00\x00") || strings.Contains(s, "4b0000") {
				t.Errorf("%s of %T prints a secret: %s", format, v, s)
			}
		}
	}
}

func TestParseSRTP(t *testing.T) {
	for _, policy := range []sdp.SRTP{sdp.SRTPOff, sdp.SRTPOptional, sdp.SRTPRequired} {
		if got, err := sdp.ParseSRTP(policy.String()); got != policy || err != nil {
			t.Errorf("ParseSRTP(%v) = %v, %v", policy, got, err)
		}
	}
	if got, err := sdp.ParseSRTP(""); got != sdp.SRTPOff || err != nil {
		t.Errorf("ParseSRTP() = %v, %v", got, err)
	}
	if _, err := sdp.ParseSRTP("yes"); err == nil {
		t.Error("ParseSRTP(yes) = nil")
	}
}

func FuzzCrypto(f *testing.F) {
	for _, s := range []string{
		"1 " + sha180 + " " + inline(1, 30), "2 " + gcm256 + " " + inline(2, 44) + "|2^31",
		"3 " + gcm128 + " inline:", "4 " + aes256 + " " + inline(4, 46) + "|1:4 WSH=64", "5 " + sha132 + " INLINE:x|;",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, attribute string) {
		if strings.ContainsAny(attribute, "\r\n") {
			return
		}
		for _, proto := range []string{avp, savp} {
			offered, err := sdp.Parse([]byte(offer(proto, "a=crypto:"+attribute)))
			if err != nil {
				t.Fatal(err)
			}
			l := securing(sdp.SRTPOptional)
			body, stream, err := sdp.Answer(offered, l)
			if err != nil {
				if proto == avp || !isNotAcceptable(err) {
					t.Fatalf("Answer() = %v", err)
				}
				continue
			}
			keys := parse(t, body).Media[0].Crypto
			if stream.Security.On() != (len(keys) == 1) || proto == savp && !stream.Security.On() {
				t.Fatalf("%v, answered\n%s", stream.Security.Suite, body)
			}
			if !stream.Security.On() {
				continue
			}
			for _, k := range []sdp.Key{stream.Security.Send, stream.Security.Receive} {
				if key, salt := stream.Security.Suite.Split(k); len(key) < 16 || len(salt) < 12 {
					t.Fatalf("key of %d bytes, salt of %d", len(key), len(salt))
				}
			}
		}
	})
}
