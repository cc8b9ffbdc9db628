package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets scripts run this binary as callgw.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"callgw": main})
}

// patience is how long a script waits for anything.
const patience = 30 * time.Second

// TestScripts runs the scripts of testdata/script. Beside testscript's own
// commands they know:
//
//	start NAME ARGS...       run callgw ARGS in the background
//	await NAME REGEXP [VAR]  wait for a line of its output; VAR becomes the first group
//	signal NAME SIGNAL       send it HUP, TERM or INT
//	ended NAME STATUS        wait for its end; its output becomes stdout
//	status STATUS ARGS...    run callgw ARGS, which must exit with STATUS
//	http METHOD URL STATUS [BODY]  send a request; the answer's body becomes stdout
//	found REGEXP VAR         VAR becomes the first group in the last stdout
//	freeport VAR             VAR becomes a TCP port that nobody listens on
//
// $FIXTURES is the directory of recordings, $ROOT that of the module.
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("ROOT", root)
			env.Setenv("FIXTURES", filepath.Join(root, "test", "fixtures"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start": cmdStart, "await": cmdAwait, "signal": cmdSignal, "ended": cmdEnded,
			"status": cmdStatus, "http": cmdHTTP, "found": cmdFound, "freeport": cmdFreePort,
		},
		RequireExplicitExec: true,
	})
}

func cmdStart(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME ARGS...")
	}
	p, err := startProcess(ts, args[1:])
	ts.Check(err)
	ts.Setenv("background_"+args[0], strconv.Itoa(p.cmd.Process.Pid))
	processes.Store(p.cmd.Process.Pid, p)
	ts.Defer(func() {
		p.kill()
		processes.Delete(p.cmd.Process.Pid)
	})
}

// named returns a process of the script.
func named(ts *testscript.TestScript, name string) *process {
	pid, err := strconv.Atoi(ts.Getenv("background_" + name))
	if err != nil {
		ts.Fatalf("nothing of the name %s was started", name)
	}
	p, _ := processes.Load(pid)
	return p.(*process)
}

func cmdAwait(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: await NAME REGEXP [VAR]")
	}
	match, err := named(ts, args[0]).await(regexp.MustCompile(args[1]), patience)
	ts.Check(err)
	if len(args) == 3 {
		ts.Setenv(args[2], match[1])
	}
}

func cmdSignal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 || signals[args[1]] == nil {
		ts.Fatalf("usage: signal NAME HUP|TERM|INT")
	}
	ts.Check(named(ts, args[0]).cmd.Process.Signal(signals[args[1]]))
}

func cmdEnded(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ended NAME STATUS")
	}
	p := named(ts, args[0])
	status, err := p.wait(patience)
	ts.Check(err)
	fmt.Fprint(ts.Stdout(), p.output())
	if strconv.Itoa(status) != args[1] {
		ts.Fatalf("exit status %d, want %s:\n%s", status, args[1], p.output())
	}
}

func cmdStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: status STATUS ARGS...")
	}
	status := 0
	if err := ts.Exec("callgw", args[1:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		status = exit.ExitCode()
	}
	if strconv.Itoa(status) != args[0] {
		ts.Fatalf("exit status %d, want %s:\n%s%s", status, args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

func cmdFreePort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: freeport VAR")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	ts.Check(err)
	ts.Check(listener.Close())
	ts.Setenv(args[0], port)
}

func cmdHTTP(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || len(args) > 4 {
		ts.Fatalf("usage: http METHOD URL STATUS [BODY]")
	}
	req, err := http.NewRequest(args[0], args[1], strings.NewReader(strings.Join(args[3:], "")))
	ts.Check(err)
	client := http.Client{Timeout: patience}
	resp, err := client.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	fmt.Fprint(ts.Stdout(), string(body))
	if strconv.Itoa(resp.StatusCode) != args[2] {
		ts.Fatalf("%s %s: status %d, want %s: %s", args[0], args[1], resp.StatusCode, args[2], strings.TrimSpace(string(body)))
	}
}

func cmdFound(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: found REGEXP VAR")
	}
	match := regexp.MustCompile(args[0]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(match) < 2 {
		ts.Fatalf("no %s in\n%s", args[0], ts.ReadFile("stdout"))
	}
	ts.Setenv(args[1], match[1])
}

var signals = map[string]os.Signal{"HUP": hup, "TERM": term, "INT": os.Interrupt}
