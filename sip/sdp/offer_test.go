package sdp_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip/sdp"
)

func TestOfferAsWritten(t *testing.T) {
	body := sdp.Offer(local(), nil)
	valid(t, body)
	want := strings.Join([]string{
		"v=0", "o=- 7 1 IN IP4 192.0.2.1", "s=callgw", "c=IN IP4 192.0.2.1", "t=0 0",
		"m=audio 30000 RTP/AVP 0 8 101",
		"a=rtpmap:0 PCMU/8000",
		"a=rtpmap:8 PCMA/8000",
		"a=rtpmap:101 telephone-event/8000",
		"a=fmtp:101 0-15",
		"a=ptime:20",
		"a=sendrecv",
		"",
	}, "\r\n")
	if diff := cmp.Diff(want, string(body)); diff != "" {
		t.Error(diff)
	}
}

func TestLaterOfferKeepsTheLines(t *testing.T) {
	l := local()
	l.Origin = l.Origin.Next()
	l.Codecs = []media.Codec{media.PCMA}
	l.Direction = sdp.SendOnly
	l.EventType = 96
	previous := parse(t, []byte(offer("m=image 4000 udptl t38", "m=audio 4002 RTP/AVPF 8 96", "a=rtpmap:96 telephone-event/8000", "m=audio 4004 RTP/AVP 8")))
	body := sdp.Offer(l, previous)
	want := strings.Join([]string{
		"v=0", "o=- 7 2 IN IP4 192.0.2.1", "s=callgw", "c=IN IP4 192.0.2.1", "t=0 0",
		"m=image 0 udptl t38",
		"m=audio 30000 RTP/AVPF 8 96",
		"a=rtpmap:8 PCMA/8000",
		"a=rtpmap:96 telephone-event/8000",
		"a=fmtp:96 0-15",
		"a=ptime:20",
		"a=sendonly",
		"m=audio 0 RTP/AVP 8",
		"",
	}, "\r\n")
	if diff := cmp.Diff(want, string(body)); diff != "" {
		t.Error(diff)
	}
}

func TestLaterOfferAddsItsLineWhenNoneServes(t *testing.T) {
	body := sdp.Offer(local(), parse(t, []byte(offer("m=audio 0 RTP/AVP 18"))))
	d := parse(t, body)
	if len(d.Media) != 2 || d.Media[0].Port != 0 || d.Media[1].Port != 30000 {
		t.Errorf("%s", body)
	}
}

func TestAccept(t *testing.T) {
	ours := sdp.PayloadTypes{Audio: 0, Event: 101, Events: true}
	alaw := sdp.PayloadTypes{Audio: 8, Event: 101, Events: true}
	for _, test := range []struct {
		name          string
		codecs        []media.Codec
		lines         []string
		send, receive sdp.PayloadTypes
	}{
		{"one codec", nil, []string{"m=audio 4000 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000"}, alaw, alaw},
		{"the answer's first of several", []media.Codec{media.PCMU, media.PCMA}, []string{"m=audio 4000 RTP/AVP 8 0 101", "a=rtpmap:101 telephone-event/8000"}, alaw, alaw},
		{"only what was offered", []media.Codec{media.PCMU}, []string{"m=audio 4000 RTP/AVP 8 0 101", "a=rtpmap:101 telephone-event/8000"}, ours, ours},
		{"numbered anew", nil, []string{"m=audio 4000 RTP/AVP 118 97", "a=rtpmap:118 pcmu/8000", "a=rtpmap:97 telephone-event/8000"}, sdp.PayloadTypes{Audio: 118, Event: 97, Events: true}, ours},
		{"without events", nil, []string{"m=audio 4000 RTP/AVP 0"}, sdp.PayloadTypes{Audio: 0}, sdp.PayloadTypes{Audio: 0, Event: 101}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := local()
			l.Codecs = test.codecs
			stream, err := sdp.Accept(l, parse(t, []byte(offer(append(test.lines, "a=ptime:30", "a=sendonly")...))))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.send, stream.Send); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.receive, stream.Receive); diff != "" {
				t.Error(diff)
			}
			if stream.Ptime != 30*time.Millisecond || stream.Direction != sdp.RecvOnly || stream.Remote != netip.MustParseAddrPort("198.51.100.7:4000") {
				t.Errorf("stream %+v", stream)
			}
		})
	}
}

func TestAcceptRefusesWhatWasNotOffered(t *testing.T) {
	for _, lines := range [][]string{{"m=audio 0 RTP/AVP 0"}, {"m=audio 4000 RTP/AVP 18"}, {"m=audio 4000 RTP/SAVP 0"}, {"m=audio 4000 RTP/AVP 8"}, nil} {
		l := local()
		l.Codecs = []media.Codec{media.PCMU}
		if _, err := sdp.Accept(l, parse(t, []byte(offer(lines...)))); !isNotAcceptable(err) {
			t.Errorf("%q: Accept() = %v", lines, err)
		}
	}
}

func TestOfferAndAnswerOfTwoGatewaysAgree(t *testing.T) {
	caller, callee := local(), local()
	callee.Address, callee.Port = netip.MustParseAddr("192.0.2.2"), 31000
	answer, theirs, err := sdp.Answer(parse(t, sdp.Offer(caller, nil)), callee)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := sdp.Accept(caller, parse(t, answer))
	if err != nil {
		t.Fatal(err)
	}
	if ours.Codec != theirs.Codec || ours.Send != theirs.Receive || ours.Receive != theirs.Send || ours.Ptime != theirs.Ptime {
		t.Errorf("caller %+v\ncallee %+v", ours, theirs)
	}
	if ours.Remote.Port() != callee.Port || theirs.Remote.Port() != caller.Port {
		t.Errorf("ports %v, %v", ours.Remote, theirs.Remote)
	}
}

func TestDirection(t *testing.T) {
	for _, d := range []sdp.Direction{sdp.SendRecv, sdp.SendOnly, sdp.RecvOnly, sdp.Inactive} {
		if r := d.Reverse(); r.Sends() != d.Receives() || r.Receives() != d.Sends() {
			t.Errorf("%v reversed is %v", d, r)
		}
		if d.And(sdp.SendRecv) != d || d.And(sdp.Inactive) != sdp.Inactive {
			t.Errorf("%v and both, none", d)
		}
	}
}

func TestAnswerWithBothLaws(t *testing.T) {
	u := sdp.Law{Codec: media.PCMU, Send: 0, Receive: 0}
	a := sdp.Law{Codec: media.PCMA, Send: 8, Receive: 8}
	for _, test := range []struct {
		name   string
		codecs []media.Codec // offered
		lines  []string
		laws   []sdp.Law
		speaks map[media.Codec]sdp.Law // what is sent, by the law that this side would like
	}{
		{"one", nil, []string{"m=audio 4000 RTP/AVP 8 101"}, []sdp.Law{a}, map[media.Codec]sdp.Law{media.PCMU: a, media.PCMA: a}},
		{"both", nil, []string{"m=audio 4000 RTP/AVP 0 8 101"}, []sdp.Law{u, a}, map[media.Codec]sdp.Law{media.PCMU: u, media.PCMA: a}},
		{"the other first", nil, []string{"m=audio 4000 RTP/AVP 18 8 0"}, []sdp.Law{a, u}, map[media.Codec]sdp.Law{media.PCMU: u, media.PCMA: a}},
		{"more than was offered", []media.Codec{media.PCMA}, []string{"m=audio 4000 RTP/AVP 0 8"}, []sdp.Law{a}, map[media.Codec]sdp.Law{media.PCMU: a, media.PCMA: a}},
		{
			"numbered anew", nil,
			[]string{"m=audio 4000 RTP/AVP 118 8", "a=rtpmap:118 PCMU/8000"},
			[]sdp.Law{{Codec: media.PCMU, Send: 118, Receive: 0}, a},
			map[media.Codec]sdp.Law{media.PCMU: {Codec: media.PCMU, Send: 118, Receive: 0}, media.PCMA: a},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := local()
			l.Codecs = test.codecs
			s, err := sdp.Accept(l, parse(t, []byte(offer(test.lines...))))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.laws, s.Laws); diff != "" {
				t.Error(diff)
			}
			if s.Codec != test.laws[0].Codec {
				t.Errorf("%v is sent, not the answer's first choice", s.Codec)
			}
			for law, want := range test.speaks {
				spoken := s.Speaking(law)
				if got := (sdp.Law{Codec: spoken.Codec, Send: spoken.Send.Audio, Receive: spoken.Receive.Audio}); got != want {
					t.Errorf("who would like %v sends %+v", law, got)
				}
				if diff := cmp.Diff(s.Laws, spoken.Laws); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}
