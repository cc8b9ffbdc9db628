package sdp_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	pion "github.com/pion/sdp/v3"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/contract"
	"github.com/callgw/callgw/sip/sdp"
)

// message returns the content type and body of a carrier's INVITE.
func message(t *testing.T, name string) (contentType string, body []byte) {
	t.Helper()
	b := contract.File(t, "sip/carriers/"+name+".sip")
	head, body, ok := bytes.Cut(b, []byte("\r\n\r\n"))
	if !ok {
		t.Fatalf("%s has no end of headers", name)
	}
	for line := range strings.SplitSeq(string(head), "\r\n") {
		if key, value, _ := strings.Cut(line, ":"); strings.EqualFold(key, "Content-Type") {
			contentType = strings.TrimSpace(value)
		}
	}
	return contentType, body
}

func TestCarriersOffersAreAnswered(t *testing.T) {
	remote := func(port uint16) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.29"), port) }
	types := func(audio, event uint8) sdp.PayloadTypes {
		return sdp.PayloadTypes{Audio: audio, Event: event, Events: event != 0}
	}
	frame := 20 * time.Millisecond
	for _, test := range []struct {
		name  string
		codec media.Codec
		types sdp.PayloadTypes
		port  uint16
		dir   sdp.Direction
	}{
		{"twilio_trunk", media.PCMU, types(0, 101), 33340, sdp.SendRecv},
		{"cisco_phone_c_after_m", media.PCMU, types(0, 101), 20096, sdp.SendRecv},
		{"cisco_uccx_lower_case_codec", media.PCMU, types(0, 96), 52790, sdp.SendOnly},
		{"dialpad_charset", media.PCMU, types(0, 101), 20000, sdp.SendRecv},
		{"audiocodes_teams_codec_list", media.PCMA, types(8, 101), 7028, sdp.SendRecv},
		{"zoiper_event_before_codec", media.PCMU, types(0, 101), 38316, sdp.SendRecv},
		{"doubango_capneg", media.PCMA, types(8, 101), 50224, sdp.SendRecv},
		{"ims_tel_uri", media.PCMA, types(8, 97), 49152, sdp.SendRecv},
		{"sip_i_isup", media.PCMA, types(8, 96), 9092, sdp.SendRecv},
		{"stir_shaken_verstat", media.PCMU, types(0, 101), 14998, sdp.SendRecv},
		{"asterisk_gw", media.PCMU, types(0, 101), 20184, sdp.SendRecv},
		{"asterisk_opus_two_events", media.PCMU, types(0, 102), 14680, sdp.SendRecv},
	} {
		t.Run(test.name, func(t *testing.T) {
			body, err := sdp.Body(message(t, test.name))
			if err != nil {
				t.Fatal(err)
			}
			offer, err := sdp.Parse(body)
			if err != nil {
				t.Fatal(err)
			}
			answer, stream, err := sdp.Answer(offer, local())
			if err != nil {
				t.Fatal(err)
			}
			want := sdp.Stream{
				Codec: test.codec, Send: test.types, Receive: test.types,
				Ptime: frame, Direction: test.dir, Remote: remote(test.port), Host: "127.0.0.29",
			}
			if diff := cmp.Diff(want, stream, addresses, cmpopts.IgnoreFields(sdp.Stream{}, "RTCP", "RTCPMux")); diff != "" {
				t.Error(diff)
			}
			valid(t, answer)
			if got := parse(t, answer); len(got.Media) != len(offer.Media) {
				t.Errorf("%d m= lines answered of %d", len(got.Media), len(offer.Media))
			}
		})
	}
}

func TestCarriersOffersWithoutCommonAudioAreRefused(t *testing.T) {
	for _, name := range []string{
		"teams_bypass_ice_lite_srtp", "pjsip_app_srtp_256_first", "freeswitch_srtp_seven_suites", "whatsapp_opus_only",
	} {
		t.Run(name, func(t *testing.T) {
			body, err := sdp.Body(message(t, name))
			if err != nil {
				t.Fatal(err)
			}
			offer, err := sdp.Parse(body)
			if err != nil {
				t.Fatal(err)
			}
			if len(offer.Media[0].Crypto) == 0 {
				t.Error("no crypto attributes read")
			}
			if _, _, err := sdp.Answer(offer, local()); !isNotAcceptable(err) {
				t.Errorf("Answer() = %v", err)
			}
		})
	}
}

func TestInviteWithoutBodyHasNoOffer(t *testing.T) {
	body, err := sdp.Body(message(t, "freeswitch_late_offer"))
	if body != nil || err != nil {
		t.Errorf("Body() = %q, %v", body, err)
	}
}

// valid fails the test unless pion's strict reader takes the description.
func valid(t *testing.T, body []byte) {
	t.Helper()
	var d pion.SessionDescription
	if err := d.Unmarshal(body); err != nil {
		t.Errorf("pion refuses it: %v\n%s", err, body)
	}
}
