package interop_test

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/wav"
)

// linphone is one that runs, plays 440 Hz, records what it hears and is told what to
// do.
type linphone struct {
	t     *testing.T
	dir   string
	addr  string // where it is called
	stdin io.WriteCloser
	stop  func()

	mu   sync.Mutex
	out  bytes.Buffer
	read int // how much of out has been awaited
}

// linphoneConfig is how one differs.
type linphoneConfig struct {
	answers bool   // by itself
	user    string // "" means phone
	sip     string // lines of its section sip
	rest    string // other sections
}

// startLinphone runs one until the test ends.
func startLinphone(t *testing.T, cfg linphoneConfig) *linphone {
	t.Helper()
	program := peer(t, "linphonec")
	dir, port := t.TempDir(), freePort(t)
	l := &linphone{t: t, dir: dir, addr: fmt.Sprintf("127.0.0.1:%d", port)}
	said, heard, config := filepath.Join(dir, "said.wav"), filepath.Join(dir, "heard.wav"), filepath.Join(dir, "linphonerc")
	for _, folder := range []string{".local/share/linphone", ".config/linphone"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil { // without them it does not listen
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		said: string(linearWAV(tone(440, 30*time.Second))),
		config: fmt.Sprintf(`[sip]
sip_port=%d
sip_tcp_port=-1
sip_tls_port=-1
contact=sip:%s@127.0.0.1
use_ipv6=0
use_info=0
use_rfc2833=1
%s
[rtp]
audio_rtp_port=%d
[audio_codec_0]
mime=PCMU
rate=8000
channels=1
enabled=1
[audio_codec_1]
mime=PCMA
rate=8000
channels=1
enabled=1
%s`, port, cmp.Or(cfg.user, "phone"), cfg.sip, freePort(t), cfg.rest),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"-c", config, "-d", "6", "-l", filepath.Join(dir, "log")}
	if cfg.answers {
		args = append(args, "-a")
	}
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+dir, "TERM=dumb")
	cmd.Stdout, cmd.Stderr = l, l
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	l.stdin = stdin
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // what it makes of its end is its own
	}()
	l.stop = sync.OnceFunc(func() {
		_, _ = io.WriteString(stdin, "quit\n") // it may be gone
		kill := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		<-exited
		kill.Stop()
	})
	t.Cleanup(func() {
		l.stop()
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Logf("linphone:\n%s\n%s", l.out.String(), log)
		}
	})
	l.do("soundcard use files")
	l.await("instead of soundcard")
	l.do("play " + said)
	l.do("record " + heard)
	eventually(t, "linphone listens", func() bool { return !free(port) })
	return l
}

// Write takes what it says on its terminal.
func (l *linphone) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(p)
}

// do types a line, such as "pause".
func (l *linphone) do(line string) {
	l.t.Helper()
	if _, err := io.WriteString(l.stdin, line+"\n"); err != nil {
		l.t.Fatalf("linphone: %s: %v", line, err)
	}
}

// await waits until it says so, after what was awaited last.
func (l *linphone) await(want string) {
	l.t.Helper()
	eventually(l.t, "linphone says "+want, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		at := strings.Index(l.out.String()[l.read:], want)
		if at >= 0 {
			l.read += at + len(want)
		}
		return at >= 0
	})
}

// heard stops it, and is how much of what it has recorded is at that frequency, most of
// it.
func (l *linphone) heard(hertz float64) float64 {
	l.t.Helper()
	l.stop()
	file, err := os.Open(filepath.Join(l.dir, "heard.wav"))
	if err != nil {
		l.t.Fatal(err)
	}
	defer file.Close()
	heard, err := wav.Read(file)
	if err != nil {
		l.t.Fatal(err)
	}
	s := share(heard, hertz)
	if len(heard) < media.SampleRate || s < mostly {
		l.t.Errorf("linphone recorded %v, %.0f %% of it the gateway's tone", media.Duration(int64(len(heard))), 100*s)
	}
	return s
}
