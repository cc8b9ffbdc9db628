package config_test

import (
	"strings"
	"testing"

	"github.com/callgw/callgw/internal/config"
)

func TestPropertiesAreReadAsStrictlyAsTheFile(t *testing.T) {
	p, err := config.Properties([]byte(`{"voice": "cedar", "turn_detection": {"type": "semantic_vad", "eagerness": "low"}}`))
	if err != nil || p.Voice != "cedar" || p.TurnDetection.Eagerness != "low" {
		t.Errorf("%+v, %v", p, err)
	}
	for body, want := range map[string]string{
		`{"voize": "x"}`:       "did you mean voice?",
		`{"speed": "fast"}`:    "speed",
		`not an object`:        "",
		`{"voice": "${HOME}"}`: "HOME",
	} {
		if _, err := config.Properties([]byte(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", body, err, want)
		}
	}
}
