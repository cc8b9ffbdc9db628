package config

import (
	"os"
	"strings"

	"github.com/callgw/callgw/internal/wav"
)

// recording is file for a WAV file that is played to callers: it demands that the
// phone can play it.
func (k *checker) recording(key string, path *string) {
	name := k.quote(key, *path)
	if !k.file(key, path) {
		return
	}
	fail := func(problem string) {
		k.fail(key, name+" cannot be played: "+problem, "convert it with: sox in.wav -r 8000 -c 1 -e mu-law out.wav")
	}
	file, err := os.Open(*path)
	if err != nil {
		k.fail(key, name+" cannot be read", "check its permissions")
		return
	}
	defer file.Close()
	switch audio, err := wav.Read(file); {
	case err != nil:
		// Its remedy is the same as ours.
		problem, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "wav: "), "; convert with")
		fail(problem)
	case len(audio) == 0:
		fail("there is no audio in it")
	}
}
