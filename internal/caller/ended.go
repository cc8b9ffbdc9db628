package caller

import (
	"fmt"
	"strings"

	"github.com/callgw/callgw/bridge/media"
)

// ended says of a call that is over how that came.
func ended(err error) error {
	switch media.CauseOf(err) {
	case media.CallerHungUp, media.Transferred:
		return &hungUp{err}
	}
	return fmt.Errorf("the call ended: %w", err)
}

// hungUp says that the far end ended the call properly.
type hungUp struct{ err error }

// Error names the reason that the gateway gave, in a BYE or with the end of its
// stream.
func (h *hungUp) Error() string {
	for _, cause := range media.Causes() {
		// Seen from here the far end is who calls, whatever it says.
		if cause != media.CallerHungUp && strings.Contains(h.err.Error(), cause.String()) {
			return "the gateway hung up: " + cause.String()
		}
	}
	return "the gateway hung up"
}

func (h *hungUp) Unwrap() error { return h.err }
