package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/internal/gateway"
)

// TestDocumentedSnippetsWork loads every yaml block of the documentation and runs
// every sh block, in a directory whose callgw.yaml is the yaml block before it.
func TestDocumentedSnippetsWork(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "sk-test")
	t.Setenv("TWILIO_AUTH_TOKEN", "token")
	t.Setenv("TWILIO_AUTH_TOKEN_NEW", "token2")
	t.Setenv("PBX_PASSWORD", "secret")
	t.Setenv("LAB_PASSWORD", "secret")
	admin := serveForDocs(t)
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range documents(t) {
		t.Run(filepath.Base(doc), func(t *testing.T) {
			blocks := fenced(t, doc)
			dir := siteOf(t)
			t.Chdir(dir)
			for _, b := range blocks {
				switch b.language {
				case "yaml":
					loadBlock(t, dir, b.text)
				case "sh":
					for _, line := range strings.Split(b.text, "\n") {
						runLine(t, line, string(makefile), admin)
					}
				case "text", "":
				default:
					t.Errorf("a block of %s: no test knows how to try it", b.language)
				}
			}
		})
	}
}

func TestFirstCallNeedsTenLinesAtMost(t *testing.T) {
	n := 0
	for _, b := range fenced(t, "../../README.md") {
		if b.language != "yaml" {
			continue
		}
		n++
		if lines := strings.Count(b.text, "\n"); lines > 10 {
			t.Errorf("%d lines:\n%s", lines, b.text)
		}
	}
	if n != 2 {
		t.Errorf("%d configurations, want one for Twilio and one for SIP", n)
	}
}

// TestDocumentedCommandsExist is about commands in running text and tables.
func TestDocumentedCommandsExist(t *testing.T) {
	mention := regexp.MustCompile("`callgw ([a-z ]+)")
	for _, doc := range documents(t) {
		source, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range mention.FindAllStringSubmatch(string(source), -1) {
			words := strings.Fields(match[1])
			if _, rest, err := newRoot().Find(words); err != nil || len(rest) > 0 {
				t.Errorf("%s: there is no command callgw %s", filepath.Base(doc), match[1])
			}
		}
	}
}

func TestEveryCommandIsDocumented(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, cmd := range newRoot().Commands() {
		if !strings.Contains(string(readme), "| `"+cmd.CommandPath()) && cmd.Name() != "help" {
			t.Errorf("%s is not in README.md's table", cmd.CommandPath())
		}
	}
}

// documents are the paths of README.md, CONTRIBUTING.md and what is in docs.
func documents(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no documentation found: %v", err)
	}
	paths = append(paths, "../../README.md", "../../CONTRIBUTING.md")
	for i, path := range paths {
		if paths[i], err = filepath.Abs(path); err != nil {
			t.Fatal(err)
		}
	}
	return paths
}

type block struct{ language, text string }

var fence = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")

func fenced(t *testing.T, path string) []block {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	for _, match := range fence.FindAllStringSubmatch(string(source), -1) {
		blocks = append(blocks, block{match[1], match[2]})
	}
	return blocks
}

// siteOf returns a directory with the files that the documentation's
// configurations name, and an empty callgw.yaml.
func siteOf(t *testing.T) string {
	t.Helper()
	wav, err := os.ReadFile("../../test/fixtures/caller_hello.wav")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string][]byte{
		"callgw.yaml": nil, "hello.wav": wav, "sorry.wav": wav, "fullchain.pem": nil, "privkey.pem": nil, "partner-ca.pem": nil,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func loadBlock(t *testing.T, dir, text string) {
	t.Helper()
	path := filepath.Join(dir, "callgw.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, warnings, err := config.Load(path, os.LookupEnv)
	if err != nil {
		t.Errorf("%v\n%s", err, text)
	}
	for _, w := range warnings {
		if w.Key == "" {
			continue // of the whole, and this is an excerpt
		}
		t.Errorf("%s\n%s", config.Line(path, w), text)
	}
}

// dry are the commands that are run as they stand. The others serve, call or
// ask the world outside; scripts run them, here only their flags are tried.
var dry = map[string]bool{"route": true, "version": true, "check": true}

func runLine(t *testing.T, line, makefile, admin string) {
	t.Helper()
	line, _, _ = strings.Cut(line, " # ")
	words := strings.Fields(line)
	if len(words) == 0 {
		return
	}
	switch words[0] {
	case "export", "cd", "git":
	case "make":
		for _, target := range words[1:] {
			if !strings.Contains(makefile, "\n"+target+":") {
				t.Errorf("%s: there is no such target", line)
			}
		}
	case "callgw":
		args := words[1:]
		if !dry[args[0]] || strings.Contains(line, "--online") {
			args = append(args, "--help")
		}
		var out bytes.Buffer
		if status := run(t.Context(), args, &out, &out); status != exitOK {
			t.Errorf("%s: exit status %d\n%s", line, status, out.String())
		}
	case "curl":
		method, body := http.MethodGet, ""
		if words[1] == "-X" {
			method = words[2]
		}
		if _, rest, ok := strings.Cut(line, " -d '"); ok {
			body, _, _ = strings.Cut(rest, "'")
		}
		askAdmin(t, method, strings.Replace(words[len(words)-1], "http://127.0.0.1:9090", admin, 1), body)
	default:
		t.Errorf("%s: no test knows how to try %s", line, words[0])
	}
}

// askAdmin fails if the gateway has no such path, or not by this method, or if the
// body is not as it should be.
func askAdmin(t *testing.T, method, url, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	known := resp.StatusCode == http.StatusNotFound && bytes.Contains(text, []byte("no such call")) ||
		bytes.Contains(text, []byte("no credentials for the carrier's REST API"))
	if resp.StatusCode != http.StatusOK && !known {
		t.Errorf("%s %s: %s: %s", method, url, resp.Status, text)
	}
}

// serveForDocs runs a gateway until the test ends and returns its URL for
// operators.
func serveForDocs(t *testing.T) string {
	t.Helper()
	cfg, err := demoConfig("token")
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(cfg, gateway.Options{Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1)
	go func() { served <- g.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return g.URL("admin")
}
