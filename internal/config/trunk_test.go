package config_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/config"
)

func TestTrunksOfAllKinds(t *testing.T) {
	c := load(t, `
sip:
  unknown: silent
  trunks:
    carrier: {from: [203.0.113.0/24], country: 49, max_calls: 30, calls_per_second: 5, strip: [X-Internal]}
    lab: {username: lab, password: "${SECRET}"}
    out: {server: "sips:carrier.example.com", login: {username: me, password: "${SECRET}"}, srtp: required, keepalive: 30s}
    pbx: {register: {server: "sip:pbx.example.com;transport=tcp", username: "100", password: "${SECRET}"}}
`)
	if c.SIP.Unknown != "silent" || c.SIP.Realm != "callgw" {
		t.Errorf("got %+v", c.SIP)
	}
	want := &config.Register{
		Server: "sip:pbx.example.com;transport=tcp", Username: "100", User: "100", Password: "verysecret", Expires: 5 * time.Minute,
	}
	if diff := cmp.Diff(want, c.SIP.Trunks["pbx"].Register); diff != "" {
		t.Error(diff)
	}
	carrier := c.SIP.Trunks["carrier"]
	if carrier.Country != "49" || carrier.SRTP != "off" || carrier.Codecs[0] != media.PCMU {
		t.Errorf("got %+v", carrier)
	}
}

func TestReadableKeysAreWarnedOf(t *testing.T) {
	const path = "testdata/warned/srtp.yaml"
	_, warnings, err := config.Load(path, nothing)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/warned/srtp.golden", lines(path, warnings))
}
