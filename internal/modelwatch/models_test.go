package modelwatch_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/internal/modelwatch"
)

func TestDatesOfModels(t *testing.T) {
	day := time.Date(2027, 1, 20, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		member string
		want   time.Time
	}{
		"a date":              {`,"shutdown_date":"2027-01-20"`, day},
		"a time":              {`,"shutdown_date":"2027-01-20T02:00:00+02:00"`, day},
		"Unix seconds":        {`,"shutdown_date":1800403200`, day},
		"absent":              {``, time.Time{}},
		"null":                {`,"shutdown_date":null`, time.Time{}},
		"empty":               {`,"shutdown_date":""`, time.Time{}},
		"0":                   {`,"shutdown_date":0`, time.Time{}},
		"beyond all calendar": {`,"shutdown_date":1e300`, time.Time{}},
		"milliseconds":        {`,"shutdown_date":1800403200000`, time.Time{}},
		"of another type":     {`,"shutdown_date":{"year":2027}`, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := modelwatch.ParseModels([]byte(`{"object":"list","data":[{"id":"m"` + c.member + `},{"id":"n","created":1}]}`))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]time.Time{"m": c.want, "n": {}}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatIsNoListIsRefused(t *testing.T) {
	for _, body := range []string{``, `<html>`, `[]`, `{"data":{}}`, `{"data":[{"id":1}]}`} {
		if got, err := modelwatch.ParseModels([]byte(body)); err == nil {
			t.Errorf("%q: got %v", body, got)
		}
	}
}

func FuzzParseModels(f *testing.F) {
	f.Add([]byte(`{"object":"list","data":[{"id":"m","shutdown_date":"2027-01-20"},{"id":"n","shutdown_date":1800403200}]}`))
	f.Add([]byte(`{"data":[{"shutdown_date":-1e9}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		dates, err := modelwatch.ParseModels(body)
		if err != nil && dates != nil {
			t.Fatal("both dates and a fault")
		}
		for name, date := range dates {
			if !date.IsZero() && (date.Year() < 0 || date.Year() > 9999) {
				t.Errorf("%q ends at %v", name, date)
			}
		}
	})
}
