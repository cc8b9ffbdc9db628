package load_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"
)

// peersVariable makes the binary the callers and the provider of another one.
const peersVariable = "CALLGW_LOAD_PEERS"

var (
	window    = flag.Duration("load.window", 5*time.Second, "how long the calls are measured once all are answered")
	stormRate = flag.Int("load.rate", 50, "calls that a storm begins per second")
	stormTime = flag.Duration("load.storm", 4*time.Second, "how long a storm begins calls")
)

func TestMain(m *testing.M) {
	if os.Getenv(peersVariable) != "" {
		if err := servePeers(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "peers:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}
