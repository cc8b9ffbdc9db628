package httptool_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/callgw/callgw/internal/httptool"
)

func TestCallsAtTheSameTimeKeepTheirOwnAnswers(t *testing.T) {
	base, client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Arguments json.RawMessage `json:"arguments"`
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		_, _ = w.Write(body.Arguments)
	})
	tool := tool(t, httptool.Config{URL: base, Client: client, Secret: secret})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 10 {
				want := fmt.Sprintf(`{"n":%d}`, 100*i+j)
				if got, err := tool.Call(t.Context(), with(want)); err != nil || got != want {
					t.Errorf("output %s, %v, want %s", got, err, want)
				}
			}
		})
	}
	wg.Wait()
}
