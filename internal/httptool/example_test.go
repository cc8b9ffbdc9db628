package httptool_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/callgw/callgw/internal/httptool"
)

// An endpoint serves a tool only to those who know the secret.
func ExampleVerifyRequest() {
	endpoint := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := httptool.VerifyRequest("the secret", r); err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"degrees":22}`)
	})

	body := `{"name":"get_weather"}`
	for _, secret := range []string{"the secret", "a guess"} {
		r := httptest.NewRequest(http.MethodPost, "/weather", strings.NewReader(body))
		r.Header.Set(httptool.SignatureHeader, httptool.Sign(secret, []byte(body), time.Now()))
		w := httptest.NewRecorder()
		endpoint.ServeHTTP(w, r)
		fmt.Println(w.Code, strings.TrimSpace(w.Body.String()))
	}
	// Output:
	// 200 {"degrees":22}
	// 401 httptool: signature: does not match
}
