package mediastream

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Codes of Twilio's REST API that are acted upon.
const (
	codeNotFound = 20404 // no such call, or no longer
	codeTooMany  = 20429 // too many requests at a time: never processed
	codeBadState = 21220 // the call is not in progress
)

// RESTError is a request that a carrier's REST API refused, or that did not
// get there.
type RESTError struct {
	Status  int    // of HTTP; 0 if there was no answer
	Code    int    // the carrier's; 0 if it did not say
	Message string // the carrier's
	Err     error  // what went wrong on the way; nil if the carrier refused

	unsent bool          // the carrier cannot have seen the request
	after  time.Duration // when the carrier wants to be asked again; 0: it does not say
}

// Error says what the carrier said.
func (e *RESTError) Error() string {
	switch {
	case e.Err != nil && e.Status != 0:
		return fmt.Sprintf("status %d: %v", e.Status, e.Err)
	case e.Err != nil:
		return e.Err.Error()
	case e.Code != 0:
		return strings.TrimSuffix(fmt.Sprintf("status %d: %d: %s", e.Status, e.Code, e.Message), ": ")
	}
	return strings.TrimSuffix(fmt.Sprintf("status %d: %s", e.Status, e.Message), ": ")
}

// Unwrap returns Err.
func (e *RESTError) Unwrap() error { return e.Err }

// Gone tells that the call does not exist, or no longer.
func (e *RESTError) Gone() bool { return e.Status == http.StatusNotFound || e.Code == codeNotFound }

// retryable tells whether to ask again may help and does no harm; repeat: it
// would do none if the request had been processed.
func (e *RESTError) retryable(repeat bool) bool {
	if e.unsent || e.Status == http.StatusTooManyRequests || e.Code == codeTooMany {
		return true
	}
	return repeat && e.doubtful()
}

// doubtful tells that the request may have been carried out.
func (e *RESTError) doubtful() bool {
	refused := e.Status/100 == 3 || e.Status/100 == 4
	return !e.unsent && !refused
}

// readRESTError reads a refusal. The older form has status where the newer has
// httpStatusCode; HTTP's own is as good.
func readRESTError(response *http.Response, text []byte) *RESTError {
	e := &RESTError{Status: response.StatusCode, after: retryAfter(response.Header)}
	var body struct{ Code, Message json.RawMessage }
	if json.Unmarshal(text, &body) == nil {
		e.Code, e.Message = looseInt(body.Code), short(loose(body.Message))
	}
	if e.Message == "" {
		e.Message = http.StatusText(e.Status)
	}
	return e
}

// short returns text in one line of bounded length.
func short(text string) string {
	const most = 300
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
