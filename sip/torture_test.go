package sip_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/netip"
	"os"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/callgw/callgw/internal/contract"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/siptest"
)

// torture is what the messages of RFC 4475 and RFC 5118 are answered with.
// "" means not at all: those are responses to nothing.
var torture = map[string]string{
	// RFC 4475 §3.1.1: valid, however unusual.
	"wsinv":   "481 INVITE", // has a To tag, of a dialog that is not known
	"intmeth": "501 !interesting-Method0123456789_*+`.%indeed'~", "esc01": "200 INVITE", "escnull": "405 REGISTER",
	"esc02": "501 RE%47IST%45R", "lwsdisp": "200 OPTIONS", "longreq": "200 INVITE", "dblreq": "405 REGISTER",
	"semiuri": "200 OPTIONS", "transports": "200 OPTIONS", "mpart01": "405 MESSAGE", "unreason": "", "noreason": "",
	// §3.1.2: invalid.
	"badinv01": "400 ?", "clerr": "400 INVITE", "ncl": "400 INVITE", "scalar02": "400 ?", "scalarlg": "",
	"quotbal": "400 INVITE", "ltgtruri": "400 INVITE", "lwsruri": "400 INVITE", "lwsstart": "400 INVITE", "trws": "400 OPTIONS",
	"escruri": "200 INVITE", "baddate": "200 INVITE", "regbadct": "405 REGISTER", "badaspec": "400 OPTIONS", "baddn": "400 OPTIONS",
	"badvers": "505 OPTIONS", "mismatch01": "400 INVITE", "mismatch02": "400 INVITE", "bigcode": "",
	// §3.2: transactions. §3.3: what the application is to say.
	"badbranch": "200 OPTIONS", "insuf": "400 INVITE", "unkscm": "416 OPTIONS", "novelsc": "416 OPTIONS", "unksm2": "405 REGISTER",
	"bext01": "420 OPTIONS", "invut": "415 INVITE", "regaut01": "405 REGISTER", "multi01": "400 INVITE", "mcl01": "400 OPTIONS",
	"bcast": "", "zeromf": "200 OPTIONS", "cparam01": "405 REGISTER", "cparam02": "405 REGISTER", "regescrt": "405 REGISTER",
	"sdp01": "406 INVITE", // takes nothing that could describe a session
	// §3.4: from before RFC 3261.
	"inv2543": "200 INVITE",
	// RFC 5118: IPv6.
	"ipv6-good": "405 REGISTER", "ipv6-bad": "400 REGISTER", "port-ambiguous": "405 REGISTER", "port-unambiguous": "405 REGISTER",
	"ipv6-correct-abnf-2-colons": "200 OPTIONS", "ipv6-bug-abnf-3-colons": "200 OPTIONS",
	"via-received-param-with-delim": "481 BYE", "via-received-param-no-delim": "200 OPTIONS",
	"mult-ip-in-header": "481 BYE", "mult-ip-in-sdp": "200 INVITE", "ipv4-mapped-ipv6": "488 INVITE",
	"ipv6-in-sdp": "400 INVITE", // its Content-Length is beyond its end
}

// tortureVia are the ports of top Vias that are not 5060.
var tortureVia = map[string]uint16{"quotbal": 5050, "ipv4-mapped-ipv6": 19823, "mult-ip-in-header": 6050}

func TestTorture(t *testing.T) {
	for _, dir := range []string{"rfc4475", "rfc5118"} {
		files, err := os.ReadDir(path.Join(contract.Dir(t), "sip", dir))
		if err != nil {
			t.Skip("contract data absent: ", err)
		}
		for _, file := range files {
			name := strings.TrimSuffix(file.Name(), ".dat")
			data := contract.File(t, path.Join("sip", dir, file.Name()))
			t.Run(name, func(t *testing.T) {
				want, ok := torture[name]
				if !ok {
					t.Fatal("nothing is said of what this message is answered with")
				}
				bubble(t, nil, func(r *rig) {
					port := tortureVia[name]
					if port == 0 {
						port = 5060
					}
					p := r.peerAt(port)
					p.SendRaw(data)
					if final := p.final(time.Second); final != want {
						t.Errorf("answered with %q, want %q", final, want)
					}
					r.alive()
				})
			})
		}
	}
}

func TestTortureCutShort(t *testing.T) {
	// Every message up to every tenth byte: survive all, whatever is answered.
	for _, dir := range []string{"rfc4475", "rfc5118"} {
		files, err := os.ReadDir(path.Join(contract.Dir(t), "sip", dir))
		if err != nil {
			t.Skip("contract data absent: ", err)
		}
		bubble(t, nil, func(r *rig) {
			p := r.peer()
			for _, file := range files {
				data := contract.File(t, path.Join("sip", dir, file.Name()))
				for n := 1; n < len(data); n += 10 {
					p.SendRaw(data[:n])
				}
				for _, ok := p.Next(10 * time.Millisecond); ok; _, ok = p.Next(10 * time.Millisecond) {
				}
			}
			r.alive()
		})
	}
}

func TestCarriers(t *testing.T) {
	index := csv.NewReader(strings.NewReader(string(contract.File(t, "sip/carriers/index.csv"))))
	rows, err := index.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		name, expect := row[0], row[1]
		data := contract.File(t, "sip/carriers/"+name+".sip")
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				p := r.peerAt(5060)
				p.SendRaw(data)
				var final siptest.Message
				for m, ok := p.Next(100 * time.Millisecond); ok; m, ok = p.Next(100 * time.Millisecond) {
					final = m
				}
				switch got := final.Short(); got {
				case "200 INVITE":
					if !strings.HasPrefix(expect, "answer") || strings.HasPrefix(expect, "answer with SAVP") {
						t.Errorf("answered, expected %s", expect)
					}
					want := "m=audio 40002 RTP/AVP"
					if strings.Contains(expect, "payload type 102") {
						want = "m=audio 40002 RTP/AVP 0 102"
					}
					if !strings.Contains(string(final.Body()), want) {
						t.Errorf("answered with\n%s", final.Body())
					}
				default:
					status, _, _ := strings.Cut(got, " ")
					if !strings.Contains(expect, status) {
						t.Errorf("%s, expected %s", got, expect)
					}
				}
				r.alive()
			})
		})
	}
}

// script is a peer with what tests of raw messages need.
type script struct{ *siptest.Peer }

// final returns the name of the last message that comes before d of silence.
func (s script) final(d time.Duration) (last string) {
	for m, ok := s.Next(d); ok; m, ok = s.Next(d) {
		if last != "" && m.Short() == last {
			return last // repeated until it is acknowledged
		}
		last = m.Short()
	}
	return last
}

// peerAt joins a phone at that port.
func (r *rig) peerAt(port uint16) script {
	r.peers++
	addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 1, byte(r.peers)}), port)
	return script{siptest.NewPeer(r.t, r.net.Listen(addr.String()), netip.MustParseAddrPort(gateway))}
}

// alive makes an ordinary call.
func (r *rig) alive() {
	r.t.Helper()
	p := r.peer()
	d := p.Call()
	d.Establish()
	d.Request("BYE")
	p.Expect("200 BYE")
}

// FuzzDatagram throws bytes at a server: nothing may panic or hang it.
func FuzzDatagram(f *testing.F) {
	text := siptest.CRLF
	f.Add([]byte(text("INVITE sip:a@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.0.1.1;branch=z9hG4bK1;rport\nFrom: <sip:b@c>;tag=1\nTo: <sip:a@b>\nCall-ID: x\nCSeq: 1 INVITE\nContact: <sip:b@10.0.1.1>\nContent-Length: 0\n\n")))
	f.Add([]byte(text("CANCEL sip:a@10.0.0.1 SIP/2.0\nv: SIP/2.0/UDP 10.0.1.1;branch=z9hG4bK1\nf: <sip:b@c>;tag=1\nt: <sip:a@b>\ni: x\nCSeq: 1 CANCEL\nl: 0\n\n")))
	f.Add([]byte(text("SIP/2.0 200 OK\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK.x\nFrom: <sip:b@c>;tag=1\nTo: <sip:a@b>;tag=2\nCall-ID: x\nCSeq: 1 BYE\nContent-Length: 0\n\n")))
	f.Add([]byte(text("OPTIONS  sip:a SIP/2.0\nVia: SIP/2.0/UDP [::1;branch=\nCSeq: x\nCall-ID:\n\n")))
	f.Add([]byte("\r\n\r\n"))
	f.Add([]byte("\x00\x01\x02\x03"))
	f.Fuzz(func(t *testing.T, data []byte) {
		bubble(t, func(ctx context.Context, c *sip.Call, r *rig) {
			_ = fmt.Sprint(c.From(), c.To(), c.Headers(), c.Header("Supported"), c.ID(), c.Trunk(), c.RemoteAddr(), c.Codec())
			_ = c.Hangup(ctx, nil)
		}, func(r *rig) {
			p := r.peer()
			p.SendRaw(data)
			p.SendRaw(data)
			p.Next(time.Second)
		})
	})
}
