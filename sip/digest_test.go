package sip_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	gosip "github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/siptest"
)

// The examples of RFC 7616 §3.9.1, and of RFC 2617 §3.5, which is MD5 too.
func TestDigestVectors(t *testing.T) {
	const newer = `Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", ` +
		`nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", `
	const older = `Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", ` +
		`qop=auth, nc=00000001, cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41"`
	for name, c := range map[string]struct {
		realm, authorization, password string
		want                           bool
	}{
		"RFC 7616 MD5":       {"http-auth@example.org", newer + `algorithm=MD5, response="8ca523f5e9506fed4657c9700eebdbec"`, "Circle of Life", true},
		"RFC 7616 SHA-256":   {"http-auth@example.org", newer + `algorithm=SHA-256, response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"`, "Circle of Life", true},
		"capitals":           {"http-auth@example.org", newer + `algorithm=sha-256, response="753927FA0E85D155564E2E272A28D1802CA10DAF4496794697CF8DB5856CB6C1"`, "Circle of Life", true},
		"RFC 2617":           {"testrealm@host.com", older, "Circle Of Life", true},
		"wrong password":     {"testrealm@host.com", older, "Circle of Life", false},
		"other algorithm":    {"http-auth@example.org", newer + `algorithm=SHA-512-256, response="x"`, "Circle of Life", false},
		"session algorithm":  {"http-auth@example.org", newer + `algorithm=MD5-sess, response="x"`, "Circle of Life", false},
		"auth-int":           {"testrealm@host.com", strings.Replace(older, "qop=auth", "qop=auth-int", 1), "Circle Of Life", false},
		"count below 1":      {"testrealm@host.com", strings.Replace(older, "nc=00000001", "nc=-1", 1), "Circle Of Life", false},
		"without own nonce":  {"testrealm@host.com", strings.Replace(older, `cnonce="0a4f113b"`, `cnonce=""`, 1), "Circle Of Life", false},
		"hashed user":        {"testrealm@host.com", older + ", userhash=true", "Circle Of Life", false},
		"nobody's user name": {"testrealm@host.com", strings.Replace(older, "Mufasa", "Scar", 1), "Circle Of Life", false},
	} {
		if got := sip.NewGuard(c.realm).Fits(c.authorization, "GET", "Mufasa", c.password); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// answer makes the Authorization header for a challenge that came.
func answer(t *testing.T, challenge siptest.Message, algorithm string, tweak ...func(*digest.Options)) string {
	t.Helper()
	for _, h := range challenge.GetHeaders("WWW-Authenticate") {
		c, err := digest.ParseChallenge(h.Value())
		if err != nil {
			t.Fatal(err)
		}
		if c.Algorithm != algorithm {
			continue
		}
		o := digest.Options{Method: "INVITE", URI: "sip:+14155550123@" + gateway, Username: "lab", Password: "secret", Count: 1}
		for _, f := range tweak {
			f(&o)
		}
		credentials, err := digest.Digest(c, o)
		if err != nil {
			t.Fatal(err)
		}
		return "Authorization: " + credentials.String()
	}
	t.Fatalf("no challenge for %s in:\n%s", algorithm, challenge.Raw)
	return ""
}

// withPassword makes a trunk of callers that know one, from anywhere.
func withPassword(cfg *sip.Config) {
	cfg.AcceptUnknown = false
	cfg.Silent = true
	cfg.Trunks = []sip.Trunk{{Name: "lab", Caller: sip.Credentials{Username: "lab", Password: "secret"}}}
}

func TestCallerWithAPassword(t *testing.T) {
	for _, algorithm := range []string{"SHA-256", "MD5"} {
		bubble(t, into(&record{}), func(r *rig) {
			p := r.peer()
			d := p.Call()
			d.Invite(offer())
			challenge := p.Expect("401 INVITE")
			d.AckFailure(challenge)
			if got := challenge.GetHeaders("WWW-Authenticate")[0].Value(); !strings.Contains(got, "SHA-256") || !strings.Contains(got, `qop="auth"`) {
				t.Errorf("first comes %s", got) // RFC 8760 §2.4: best first
			}
			credentials := answer(t, challenge, algorithm)
			d.Invite(offer(), credentials)
			d.Again(offer(), credentials) // a repetition is no replay
			p.Expect("180 INVITE")
			ok := p.Skip("200 INVITE")
			d.Learn(ok)
			d.Ack()
			if c := <-r.calls; c.Trunk() != "lab" {
				t.Errorf("trunk %q", c.Trunk())
			}
			d.Request("BYE") // within the dialog nothing is challenged
			p.Skip("200 BYE")
		}, withPassword)
	}
}

func TestAnswersThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		tweak func(*digest.Options)
		wait  time.Duration
		want  string
		stale bool
	}{
		"wrong password":  {func(o *digest.Options) { o.Password = "guess" }, 0, "403 INVITE", false},
		"unknown user":    {func(o *digest.Options) { o.Username = "root" }, 0, "403 INVITE", false},
		"another method":  {func(o *digest.Options) { o.Method = "REGISTER" }, 0, "403 INVITE", false},
		"after its time":  {func(*digest.Options) {}, 2 * time.Minute, "401 INVITE", true},
		"within its time": {func(*digest.Options) {}, 59 * time.Second, "180 INVITE", false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				p := r.peer()
				d := p.Call()
				d.Invite(offer())
				credentials := answer(t, p.Expect("401 INVITE"), "SHA-256", c.tweak)
				time.Sleep(c.wait)
				d.Invite(offer(), credentials)
				m := p.Expect(c.want)
				if hs := m.GetHeaders("WWW-Authenticate"); len(hs) > 0 && strings.Contains(hs[0].Value(), "stale=true") != c.stale {
					t.Error(hs[0].Value())
				}
				if c.want == "180 INVITE" {
					p.Skip("200 INVITE")
				}
			}, withPassword)
		})
	}
}

func TestReplays(t *testing.T) {
	bubble(t, into(&record{}), func(r *rig) {
		p, thief := r.peer(), r.peer()
		d := p.Call()
		d.Invite(offer())
		challenge := p.Expect("401 INVITE")
		first := answer(t, challenge, "MD5")
		second := answer(t, challenge, "MD5", func(o *digest.Options) { o.Count = 2 })

		// Whoever heard it cannot use it from elsewhere.
		thief.Call().Invite(offer(), first)
		thief.Expect("401 INVITE")

		d.Invite(offer(), first)
		p.Skip("200 INVITE")
		again := p.Call()
		again.Invite(offer(), first)
		if m := p.Skip("401 INVITE"); !strings.Contains(m.Raw, "stale=true") {
			t.Error("a replay is not told to be stale")
		}
		counted := p.Call()
		counted.Invite(offer(), second)
		p.Skip("200 INVITE")
		counted = p.Call()
		counted.Invite(offer(), first)
		p.Skip("401 INVITE")
	}, withPassword)
}

func TestGuessingIsSlow(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p, other := r.peer(), r.peer()
		guess := func(p *siptest.Peer, password string) (siptest.Message, bool) {
			d := p.Call()
			d.Invite(offer())
			credentials := answer(t, p.Expect("401 INVITE"), "MD5", func(o *digest.Options) { o.Password = password })
			time.Sleep(time.Second) // not to meet the limit of messages first
			d.Invite(offer(), credentials)
			return p.Next(5 * time.Second)
		}
		answered := 0
		for range 100 {
			if _, ok := guess(p, "guess"); ok {
				answered++
			}
		}
		// 8 at once, then one in 30 s.
		if answered < 15 || answered > 30 {
			t.Errorf("%d of 100 guesses in 10 minutes were answered", answered)
		}
		if m, ok := guess(other, "secret"); !ok || m.Response().StatusCode >= 300 {
			t.Error("one source's guesses lock out another")
		}
		time.Sleep(10 * time.Minute)
		if m, ok := guess(p, "secret"); !ok || m.Response().StatusCode >= 300 {
			t.Error("locked out for ever")
		}
	}, withPassword)
}

func TestTrunkOfAddressesWithAPassword(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p, stranger := r.peer(), r.peer()
		p.Call().Request("OPTIONS") // asks nobody to pay
		p.Expect("200 OPTIONS")
		d := p.Call()
		d.Invite(offer())
		d.Invite(offer(), answer(t, p.Expect("401 INVITE"), "SHA-256"))
		p.Skip("200 INVITE")
		stranger.Call().Invite(offer())
		stranger.ExpectNothing(time.Minute)
	}, withPassword, func(cfg *sip.Config) {
		cfg.Trunks[0].From = []netip.Prefix{netip.MustParsePrefix("10.0.1.1/32")}
	})
}

func TestChallengesToOurRequests(t *testing.T) {
	const realm = `Digest realm="pbx", nonce="n"`
	for name, c := range map[string]struct {
		status     int
		challenges []string
		want       string // in the answer; "": there is none
	}{
		"first that is known":     {401, []string{realm + ", algorithm=TURTLE", realm + ", algorithm=SHA-256, qop=\"auth\"", realm + ", algorithm=MD5"}, "SHA-256"},
		"of two, one is enough":   {401, []string{realm + ", algorithm=MD5", realm + ", algorithm=SHA-256"}, "MD5"},
		"auth beside auth-int":    {401, []string{realm + `, qop="auth-int, auth"`}, "qop=auth"},
		"auth-int alone":          {401, []string{realm + `, qop="auth-int"`}, ""},
		"session algorithm":       {401, []string{realm + ", algorithm=MD5-sess"}, ""},
		"Basic":                   {401, []string{`Basic realm="pbx"`}, ""},
		"no nonce":                {401, []string{`Digest realm="pbx"`}, ""},
		"garbage":                 {401, []string{`Digest "`}, ""},
		"no challenge":            {401, nil, ""},
		"something else than 401": {403, []string{realm}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			req := gosip.NewRequest(gosip.BYE, gosip.Uri{Scheme: "sip", Host: "10.0.1.1"})
			req.AppendHeader(&gosip.CSeqHeader{SeqNo: 7, MethodName: gosip.BYE})
			req.AppendHeader(gosip.NewHeader("Authorization", "an older one"))
			res := gosip.NewResponseFromRequest(req, c.status, "", nil)
			for _, challenge := range c.challenges {
				res.AppendHeader(gosip.NewHeader("WWW-Authenticate", challenge))
			}
			next := sip.Answered(req, res, sip.Credentials{Username: "lab", Password: "secret"})
			if next == nil {
				if c.want != "" {
					t.Error("no answer")
				}
				return
			}
			hs := next.GetHeaders("Authorization")
			if len(hs) != 1 || c.want == "" || !strings.Contains(hs[0].Value(), c.want) || next.CSeq().SeqNo != 8 {
				t.Errorf("got:\n%s", next)
			}
			if sip.Answered(req, res, sip.Credentials{}) != nil {
				t.Error("an answer without a password")
			}
		})
	}
}

func TestDialIsChallenged(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		proxy := siptest.Registrar{Realm: "proxy", User: "lab", Password: "secret", QOP: "auth", Algorithm: "SHA-256", Proxy: true}
		done := r.dial(context.Background(), sip.Dial{Trunk: "lab"})
		first := p.Expect("INVITE")
		if proxy.Take(p, first) != 407 {
			t.Fatal("no challenge")
		}
		p.Expect("ACK")
		second := p.Expect("INVITE")
		if !proxy.Right(second) || second.CSeq().SeqNo != 2 || second.CallID().Value() != first.CallID().Value() {
			t.Errorf("got:\n%s", second.Raw)
		}
		p.Reply(second, 200, "OK", offer())
		ack := p.Expect("ACK")
		if len(ack.GetHeaders("Proxy-Authorization")) != 1 || ack.CSeq().SeqNo != 2 {
			t.Errorf("got:\n%s", ack.Raw) // RFC 3261 §22.1
		}
		d := <-done
		if d.err != nil {
			t.Fatal(d.err)
		}
		go d.call.Hangup(context.Background(), media.AgentHungUp)
		bye := p.Expect("BYE")
		proxy.Take(p, bye)
		bye = p.Expect("BYE")
		if !proxy.Right(bye) || bye.CSeq().SeqNo != 4 {
			t.Errorf("got:\n%s", bye.Raw)
		}
		p.Reply(bye, 200, "OK")
	}, loginLab)
}

func loginLab(cfg *sip.Config) {
	cfg.Trunks = []sip.Trunk{{Name: "lab", Login: sip.Credentials{Username: "lab", Password: "secret"}}}
}

func TestDialWithAWrongPassword(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		server := siptest.Registrar{Realm: "pbx", User: "lab", Password: "other", QOP: "auth"}
		done := r.dial(context.Background(), sip.Dial{Trunk: "lab"})
		for range 2 {
			server.Take(p, p.Expect("INVITE"))
			p.Expect("ACK")
		}
		if d := <-done; media.CauseOf(d.err) != media.Rejected {
			t.Errorf("Dial() = %v", d.err)
		}
		p.ExpectNothing(time.Minute)
	}, loginLab)
}

// A trunk's password answers its server alone: a hash of it, computed for a stranger's
// nonce, is there to be guessed from.
func TestStrangersGetNoCredentials(t *testing.T) {
	for _, test := range []struct {
		server, proxy string
		answered      bool
	}{
		{"", "", true},
		{"sip:10.0.1.1", "", true},
		{"sip:10.0.9.9", "", false},
		{"sip:pbx.example.com", "", false},
		{"sip:10.0.9.9", "sip:10.0.1.1", true},
	} {
		t.Run(test.server+" "+test.proxy, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				p := r.peer()
				server := siptest.Registrar{Realm: "pbx", User: "lab", Password: "secret", QOP: "auth"}
				done := r.dial(context.Background(), sip.Dial{Trunk: "lab", To: "sip:bob@10.0.1.1"})
				server.Take(p, p.Expect("INVITE"))
				p.Expect("ACK")
				if test.answered {
					second := p.Expect("INVITE")
					if !server.Right(second) {
						t.Errorf("got:\n%s", second.Raw)
					}
					p.Reply(second, 603, "Decline")
					p.Expect("ACK")
				}
				if d := <-done; media.CauseOf(d.err) != media.Rejected {
					t.Errorf("Dial() = %v", d.err)
				}
				p.ExpectNothing(time.Minute)
			}, loginLab, func(cfg *sip.Config) { cfg.Trunks[0].Server, cfg.Trunks[0].Proxy = test.server, test.proxy })
		})
	}
}

func TestCredentialsDoNotPrint(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if got := fmt.Sprintf(verb, sip.Trunk{Caller: sip.Credentials{Username: "u", Password: "secret"}}); strings.Contains(got, "secret") {
			t.Errorf("%s: %s", verb, got)
		}
	}
}

func FuzzAuthorization(f *testing.F) {
	f.Add(`Digest username="lab", realm="callgw", nonce="x.y.z", uri="sip:a", response="0", algorithm=MD5, cnonce="c", qop=auth, nc=00000001`)
	f.Add(`Digest realm="callgw", nonce="", nc=ffffffffff`)
	f.Add(`Digest realm="callgw`)
	guard := sip.NewGuard("callgw")
	f.Fuzz(func(t *testing.T, value string) {
		req := gosip.NewRequest(gosip.INVITE, gosip.Uri{Scheme: "sip", Host: "a"})
		req.AppendHeader(gosip.NewHeader("Authorization", value))
		if guard.Check(req, netip.MustParseAddr("10.0.0.9"), time.Now()) == 3 {
			t.Errorf("%q opens the door", value)
		}
	})
}

func TestWhoKnowsThePasswordIsNotLimited(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite(offer())
		d.Invite(offer(), answer(t, p.Expect("401 INVITE"), "MD5"))
		d.Learn(p.Skip("200 INVITE"))
		d.Ack()
		for range 200 {
			d.Request("OPTIONS")
		}
		if n := count(p); n != 200 {
			t.Errorf("%d of 200 messages were answered", n)
		}
	}, withPassword)
}
