package interop_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/wav"
)

const baresipModules = "/usr/lib/baresip/modules"

// baresip is one that runs, plays 440 Hz and is told what to do.
type baresip struct {
	t      *testing.T
	dir    string
	addr   string // where it is called
	conn   net.Conn
	events chan string // types of what it tells, with what goes along

	mu  sync.Mutex
	out bytes.Buffer
}

// baresipConfig is how one differs.
type baresipConfig struct {
	account string // parameters of its account, such as ";answermode=auto"
	secure  string // a directory with cert.pem and key.pem: TLS and SRTP; "" for none
}

// statusLine is what it says ten times a second.
var statusLine = regexp.MustCompile(`\[\d+:\d+:\d+\] +audio=\S+ \(bit/s\)\s*`)

// startBaresip runs one until the test ends.
func startBaresip(t *testing.T, cfg baresipConfig) *baresip {
	t.Helper()
	program := peer(t, "baresip")
	dir, port, control := t.TempDir(), freePort(t), freePort(t)
	b := &baresip{t: t, dir: dir, addr: fmt.Sprintf("127.0.0.1:%d", port), events: make(chan string, 1000)}
	account := fmt.Sprintf("<sip:phone@%s>;regint=0;audio_codecs=PCMU/8000/1%s\n", b.addr, cfg.account)
	extra := ""
	if cfg.secure != "" {
		if _, err := os.Stat(filepath.Join(baresipModules, "srtp.so")); err != nil {
			missing(t, "baresip's SRTP module")
		}
		cert, key := filepath.Join(cfg.secure, "cert.pem"), filepath.Join(cfg.secure, "key.pem")
		account = fmt.Sprintf("<sip:phone@%s;transport=tls>;regint=0;audio_codecs=PCMU/8000/1;mediaenc=srtp-mand%s\n", b.addr, cfg.account)
		extra = fmt.Sprintf("sip_cafile %s\nsip_certificate %s\nmodule srtp.so\n", cert, join(t, filepath.Join(dir, "both.pem"), cert, key))
		b.addr = fmt.Sprintf("127.0.0.1:%d", port+1) // TLS is one above
	}
	said := filepath.Join(dir, "said.wav")
	for name, text := range map[string]string{
		"said.wav": string(linearWAV(tone(440, 10*time.Second))),
		"contacts": "",
		"accounts": account,
		// aufile of baresip 1.0 only plays; sndfile is what records.
		"config": fmt.Sprintf(`sip_listen 127.0.0.1:%d
net_interface 127.0.0.1
ctrl_tcp_listen 127.0.0.1:%d
audio_source aufile,%s
audio_player aubridge,nowhere
audio_alert aubridge,nowhere
snd_path %s
module_path %s
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
%s`, port, control, said, dir, baresipModules, extra),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, "-f", dir)
	cmd.Stdout, cmd.Stderr = b, b
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // it is stopped by a signal
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		kill := time.AfterFunc(3*time.Second, func() { _ = cmd.Process.Kill() })
		<-exited
		kill.Stop()
		if t.Failed() {
			t.Logf("baresip:\n%s", statusLine.ReplaceAllString(b.said(), ""))
		}
	})
	eventually(t, "baresip listens", func() bool {
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(control)))
		b.conn = conn
		return err == nil
	})
	var reading sync.WaitGroup
	reading.Go(b.listen)
	t.Cleanup(func() {
		b.conn.Close()
		reading.Wait()
	})
	return b
}

// Write takes what it says on its terminal.
func (b *baresip) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.Write(p)
}

func (b *baresip) said() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.String()
}

// listen reads netstrings, each with a JSON object.
func (b *baresip) listen() {
	r := bufio.NewReader(b.conn)
	for {
		length, err := r.ReadString(':')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
		if err != nil {
			return
		}
		text := make([]byte, n+1) // and a comma
		if _, err := io.ReadFull(r, text); err != nil {
			return
		}
		var told struct{ Type, Param string }
		if json.Unmarshal(text[:n], &told) == nil && told.Type != "" {
			b.events <- told.Type + " " + told.Param
		}
	}
}

// do gives a command, such as "hold".
func (b *baresip) do(command, params string) {
	b.t.Helper()
	text, err := json.Marshal(map[string]string{"command": command, "params": params})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(b.conn, "%d:%s,", len(text), text); err != nil {
		b.t.Fatalf("baresip: %s: %v", command, err)
	}
}

// await reads until it tells an event that begins like that.
func (b *baresip) await(want string) string {
	b.t.Helper()
	timeout := time.After(20 * time.Second)
	var seen []string
	for {
		select {
		case event := <-b.events:
			if strings.HasPrefix(event, want) {
				return event
			}
			seen = append(seen, event)
		case <-timeout:
			b.t.Fatalf("baresip did not tell %s, but %q", want, seen)
		}
	}
}

// talks waits until the call has lasted that long by its own clock.
func (b *baresip) talks(d time.Duration) {
	b.t.Helper()
	eventually(b.t, "baresip talks for "+d.String(), func() bool {
		return strings.Contains(b.said(), fmt.Sprintf("[0:00:%02d]", int(d/time.Second)))
	})
}

// heard is how much of what it has recorded is at that frequency, most of it.
func (b *baresip) heard(hertz float64) float64 {
	b.t.Helper()
	heard := b.wrote("dec")
	s := share(heard, hertz)
	if len(heard) < media.SampleRate || s < mostly {
		b.t.Errorf("baresip recorded %v, %.0f %% of it the gateway's tone", media.Duration(int64(len(heard))), 100*s)
	}
	return s
}

// wrote is what it has recorded of its only call, which is over: what it has heard,
// "dec", or said, "enc". The file is complete a moment after the call.
func (b *baresip) wrote(what string) (audio []byte) {
	b.t.Helper()
	eventually(b.t, "baresip has recorded", func() bool {
		recordings, err := filepath.Glob(filepath.Join(b.dir, "dump-*-"+what+".wav"))
		if err != nil || len(recordings) != 1 {
			return false
		}
		file, err := os.Open(recordings[0])
		if err != nil {
			return false
		}
		defer file.Close()
		audio, err = wav.Read(file)
		return err == nil && len(audio) > 0
	})
	return audio
}

// eventually waits until ok, for 20 s.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for range 1000 {
		if ok() {
			return
		}
		<-ticker.C
	}
	t.Fatalf("it did not come about in 20 s: %s", what)
}
