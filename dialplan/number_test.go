package dialplan_test

import (
	"testing"

	"github.com/callgw/callgw/dialplan"
)

func TestNumber(t *testing.T) {
	for in, want := range map[string]string{
		"+1 (415) 555-0100":                           "+14155550100",
		"+14155550100":                                "+14155550100",
		" 0211/555.01 00 ":                            "02115550100",
		"sip:+14155550100@carrier.example.com":        "+14155550100",
		"SIPS:alice:secret@example.com;transport=tls": "alice",
		"sip:+1-415-555-0100;npdi@[2001:db8::1]:5060": "+14155550100",
		"sip:%2b14155550100@example.com":              "+14155550100",
		"sip:example.com":                             "",
		"tel:+1-415-555-0100;ext=7":                   "+14155550100",
		"client:alice-b":                              "client:alice-b",
		"john.doe":                                    "john.doe",
		"*21#":                                        "*21#",
		"-":                                           "-",
		"":                                            "",
	} {
		if got := dialplan.Number(in); got != want {
			t.Errorf("Number(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWithheld(t *testing.T) {
	for from, want := range map[string]bool{
		"": true, "Anonymous": true, "RESTRICTED": true, "+266696687": true, "sip:anonymous@anonymous.invalid": true,
		"sip:caller1@anonymous.invalid": true, "sip:unknown@carrier.example.com": true,
		"+14155550100": false, "anonymous2": false, "sip:alice@example.com": false,
	} {
		if got := dialplan.Withheld(from); got != want {
			t.Errorf("Withheld(%q) = %v, want %v", from, got, want)
		}
	}
}
