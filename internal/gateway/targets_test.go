package gateway_test

import (
	"testing"

	"github.com/callgw/callgw/internal/gateway"
)

func TestNobodyIsCalledButWhoIsAllowed(t *testing.T) {
	allowed := gateway.Targets([]string{
		"+1415555*", "sip:*@pbx.example.com", "sip:desk?@*.example.org", "sip:sales@pbx.example.net?X-Reason=*", "sips:a.b@pbx.example.com",
	})
	for _, c := range []struct {
		target string
		want   bool
	}{
		{"+14155550100", true},
		{"sip:anna@pbx.example.com", true},
		{"sip:desk1@east.example.org", true},
		{"sip:sales@pbx.example.net?X-Reason=billing", true},
		{"sips:a.b@pbx.example.com", true},

		{"", false},
		{"+1415", false},
		{"+1415555@elsewhere.example", false},
		{"+1415555;phone-context=elsewhere", false},
		{"+1415555 0100", false},
		{"+1415555\n0100", false},
		{"x+14155550100", false},
		{"sips:a-b@pbx.example.com", false},
		{"sip:anna@pbx.example.com.elsewhere", false},
		{"sip:+19005550100@elsewhere;x=@pbx.example.com", false},
		{"sip:x@elsewhere?X-A=@pbx.example.com", false},
		{"sip:x@elsewhere:5060,sip:anna@pbx.example.com", false},
		{"sip:a?@pbx.example.com", false},
		{"sip:desk?@east.example.org", false},
		{"sip:desk1@elsewhere;x=.example.org", false},
		{"sip:desk1@elsewhere?x=.example.org", false},
		{"sip:desk1@elsewhere/.example.org", false},
		{"sip:sales@pbx.example.net?X-Reason=a&Route=sip:elsewhere", false},
		{"sip:sales@pbx.example.net;maddr=elsewhere?X-Reason=a", false},
	} {
		if got := allowed(c.target); got != c.want {
			t.Errorf("%q: %t", c.target, got)
		}
	}
	if gateway.Targets(nil)("") {
		t.Error("where nobody is allowed, somebody is")
	}
}
