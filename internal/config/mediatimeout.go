package config

import "time"

// defaultMediaTimeout is how long a phone may send nothing.
const defaultMediaTimeout = 30 * time.Second

func checkMediaTimeout(k *checker, key string, timeout time.Duration) {
	if 0 < timeout && timeout < time.Second {
		k.fail(key, k.quote(key, timeout.String())+" ends calls that go well", "write 30s, or 0s for never")
	}
}
