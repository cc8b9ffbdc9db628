package gateway_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/callgw/callgw/internal/gateway"
)

func TestACallOutIsRememberedForItsTransfer(t *testing.T) {
	var o gateway.Origins
	now := time.Unix(1e9, 0)
	o.Keep("CA1", "dialler", now)
	if agent, ok := o.Take("CA1", now.Add(11*time.Minute)); !ok || agent != "dialler" {
		t.Errorf("%q, %t", agent, ok)
	}
	if _, ok := o.Take("CA1", now); ok {
		t.Error("it has come back twice")
	}
	o.Keep("CA2", "dialler", now)
	if _, ok := o.Take("CA2", now.Add(time.Hour)); ok {
		t.Error("nobody rings for an hour")
	}
	const many = 5000
	for i := range many {
		o.Keep(strconv.Itoa(i), "dialler", now.Add(time.Duration(i)))
	}
	kept := 0
	for i := range many {
		if _, ok := o.Take(strconv.Itoa(i), now.Add(time.Minute)); ok {
			kept++
		} else if kept > 0 {
			t.Fatalf("call %d is forgotten, an older one is not", i)
		}
	}
	if kept != 4096 {
		t.Errorf("%d are kept", kept)
	}
}
