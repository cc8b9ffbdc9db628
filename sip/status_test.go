package sip_test

import (
	"testing"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
)

func TestARefusalHasTheCauseThatItNames(t *testing.T) {
	for _, test := range []struct {
		status int
		reason string
		want   media.Cause
	}{
		{486, "", media.Busy},
		{600, "", media.Busy},
		{480, "", media.NoAnswer},
		{404, "", media.NoRoute},
		{488, "", media.NotAcceptable},
		{403, "", media.Rejected},
		{603, "", media.Rejected},
		{500, "", media.LegFailed},
		{503, "", media.LegFailed},
		{504, "", media.LegFailed},
		{603, `Q.850;cause=17;text="User busy"`, media.Busy},
		{480, "q.850 ; text=x ; cause = 1", media.NoRoute},
		{500, "Q.850;cause=19", media.NoAnswer},
		{404, "Q.850;cause=34", media.LegFailed},
		{503, "Q.850;cause=88", media.NotAcceptable},
		{486, "Q.850;cause=16", media.Busy},
		{486, "SIP;cause=19", media.Busy},
		{486, "Q.850;cause=x", media.Busy},
		{486, "Q.850", media.Busy},
	} {
		e := &sip.StatusError{Status: test.status, Header: test.reason}
		if got := e.Cause(); got != test.want {
			t.Errorf("%d with %q: %v, want %v", test.status, test.reason, got, test.want)
		}
	}
}
