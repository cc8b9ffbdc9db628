package mediastream

import (
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// AMD is answering machine detection. The carrier's synchronous kind is not
// offered: whoever answers would hear nothing until it has decided.
type AMD string

// Detection runs beside the stream and is reported when it has decided.
const (
	AMDOff AMD = ""
	// AMDAsync reports who has answered as soon as it is known.
	AMDAsync AMD = "async"
	// AMDAsyncMessageEnd reports a machine when its message is over.
	AMDAsyncMessageEnd AMD = "async_message_end"
)

// AMDTiming is what detection goes by. 0: the carrier's own.
type AMDTiming struct {
	Timeout            time.Duration // of all of it: whole seconds from 3 to 59
	SpeechThreshold    time.Duration // who speaks longer is a machine: 1 s to 6 s
	SpeechEndThreshold time.Duration // silence that ends speech: 500 ms to 5 s
	SilenceTimeout     time.Duration // of who says nothing: 2 s to 10 s
}

// form sets the parameters of detection; its events go to the status URL.
func (a AMD) form(form url.Values, timing AMDTiming, statusURL string) error {
	switch a {
	case AMDOff:
		return nil
	case AMDAsync:
		form.Set("MachineDetection", "Enable")
	case AMDAsyncMessageEnd:
		form.Set("MachineDetection", "DetectMessageEnd")
	default:
		return fmt.Errorf("AMD %q: must be %q or %q", a, AMDAsync, AMDAsyncMessageEnd)
	}
	form.Set("AsyncAmd", "true")
	if statusURL != "" {
		form.Set("AsyncAmdStatusCallback", statusURL)
		form.Set("AsyncAmdStatusCallbackMethod", "POST")
	}
	for _, p := range []struct {
		name     string
		value    time.Duration
		min, max time.Duration
		unit     time.Duration
	}{
		{"MachineDetectionTimeout", timing.Timeout, 3 * time.Second, 59 * time.Second, time.Second},
		{"MachineDetectionSpeechThreshold", timing.SpeechThreshold, time.Second, 6 * time.Second, time.Millisecond},
		{"MachineDetectionSpeechEndThreshold", timing.SpeechEndThreshold, 500 * time.Millisecond, 5 * time.Second, time.Millisecond},
		{"MachineDetectionSilenceTimeout", timing.SilenceTimeout, 2 * time.Second, 10 * time.Second, time.Millisecond},
	} {
		switch {
		case p.value == 0:
		case p.value < p.min || p.value > p.max:
			return fmt.Errorf("%s %v: must be from %v to %v", p.name, p.value, p.min, p.max)
		default:
			form.Set(p.name, strconv.FormatInt(int64((p.value+p.unit-1)/p.unit), 10))
		}
	}
	return nil
}
