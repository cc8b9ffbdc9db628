package main

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

const (
	hup  = syscall.SIGHUP
	term = syscall.SIGTERM
)

// processes are those of all scripts, by process id.
var processes sync.Map

// process is callgw in the background.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended and its output is read

	mu    sync.Mutex
	lines []string
	more  chan struct{} // closed and replaced with each line
}

// startProcess runs callgw in the script's directory and environment.
func startProcess(ts *testscript.TestScript, args []string) (*process, error) {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "OPENAI_API_KEY", "TWILIO_AUTH_TOKEN", "KEY", "MODEL", "PORT", "REST", "LIVE", "CLOSED"} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	path := ""
	for _, dir := range strings.Split(ts.Getenv("PATH"), ":") {
		if found, err := exec.LookPath(dir + "/callgw"); err == nil {
			path = found
			break
		}
	}
	p := &process{cmd: exec.Command(path, args...), done: make(chan struct{}), more: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = ts.MkAbs("."), env
	reader, writer := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = writer, writer
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	var reading sync.WaitGroup
	reading.Go(func() { p.read(reader) })
	go func() {
		defer close(p.done)
		// How it ended is asked of the process state.
		_ = p.cmd.Wait()
		_ = writer.Close()
		reading.Wait()
	}()
	return p, nil
}

func (p *process) read(r io.Reader) {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		p.mu.Lock()
		p.lines = append(p.lines, lines.Text())
		close(p.more)
		p.more = make(chan struct{})
		p.mu.Unlock()
	}
}

// await returns the groups of the first line that matches.
func (p *process) await(want *regexp.Regexp, within time.Duration) ([]string, error) {
	deadline := time.After(within)
	for seen := 0; ; {
		p.mu.Lock()
		fresh, more := p.lines[seen:], p.more
		p.mu.Unlock()
		for _, line := range fresh {
			seen++
			if match := want.FindStringSubmatch(line); match != nil {
				return match, nil
			}
		}
		if len(fresh) > 0 {
			continue
		}
		select {
		case <-more:
		case <-p.done:
			return nil, fmt.Errorf("it ended without %q:\n%s", want, p.output())
		case <-deadline:
			return nil, fmt.Errorf("no %q within %v:\n%s", want, within, p.output())
		}
	}
}

// wait returns the exit status.
func (p *process) wait(within time.Duration) (int, error) {
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-time.After(within):
		return 0, fmt.Errorf("it still runs after %v:\n%s", within, p.output())
	}
}

// kill ends it if it has not ended.
func (p *process) kill() {
	// It may be gone already.
	_ = p.cmd.Process.Kill()
	<-p.done
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, "\n") + "\n"
}
