package mask_test

import (
	"testing"

	"github.com/callgw/callgw/internal/mask"
)

func TestNumber(t *testing.T) {
	for in, want := range map[string]string{
		"+14155550123":                 "+1415***0123",
		"004930123456":                 "00493***3456",
		"12345678":                     "12***5678",
		"1234567":                      "***",
		"100":                          "***",
		"anonymous":                    "anonymous",
		"":                             "",
		"sip:+14155550123@example.com": "sip:+1415***0123@example.com",
		"tel:+14155550123":             "tel:+1415***0123",
		"client:alice":                 "client:alice",
	} {
		if got := mask.Number(in); got != want {
			t.Errorf("Number(%q) = %q, want %q", in, got, want)
		}
	}
}
