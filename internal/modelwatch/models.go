package modelwatch

import (
	"encoding/json"
	"fmt"
	"time"
)

// maxUnix is the end of the year 9999: what is later is no date in seconds.
const maxUnix = 253402300799

// ParseModels reads the answer to GET /v1/models: when each model is shut down,
// the zero time if that is not announced. A date that cannot be read is none: the
// other models' count all the same.
func ParseModels(body []byte) (map[string]time.Time, error) {
	var list struct {
		Models []struct {
			ID       string          `json:"id"`
			Shutdown json.RawMessage `json:"shutdown_date"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("modelwatch: list of models: %w", err)
	}
	dates := make(map[string]time.Time, len(list.Models))
	for _, m := range list.Models {
		dates[m.ID] = date(m.Shutdown)
	}
	return dates, nil
}

// date reads a date, a time (RFC 3339) or Unix seconds.
func date(raw json.RawMessage) time.Time {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		for _, layout := range []string{time.DateOnly, time.RFC3339} {
			if t, err := time.Parse(layout, text); err == nil {
				return t.UTC()
			}
		}
		return time.Time{}
	}
	var seconds float64
	if json.Unmarshal(raw, &seconds) != nil || seconds < 1 || seconds > maxUnix {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}
