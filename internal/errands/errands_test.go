package errands_test

import (
	"testing"

	"github.com/callgw/callgw/internal/errands"
)

func TestWhatWasStartedIsWaitedForAndNothingStartsThen(t *testing.T) {
	var g errands.Group
	release, done := make(chan struct{}), false
	if !g.Start(func() { <-release; done = true }) {
		t.Fatal("an open group starts nothing")
	}
	close(release)
	g.Wait()
	if !done {
		t.Error("Wait returned before the end")
	}
	if g.Start(func() { t.Error("a closed group runs something") }) {
		t.Error("a closed group says that it starts something")
	}
}
