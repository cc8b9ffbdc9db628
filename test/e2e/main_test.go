package e2e_test

import (
	"flag"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain lets more calls last at the same time than there are processors: they
// mostly wait.
func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		_ = flag.Set("test.parallel", "16") // a flag of every test binary, and a number
	}
	goleak.VerifyTestMain(m)
}

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// atOnce is how fast either side of a call is closed once its end is decided.
const atOnce = time.Second
