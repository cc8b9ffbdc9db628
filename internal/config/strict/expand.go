package strict

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// maxFile is how long a file may be whose contents stand for ${file:PATH}.
const maxFile = 64 << 10

// expand replaces ${NAME} by the environment's value and ${file:PATH} by the
// file's contents without the line break at its end. $${ stands for ${.
func (o Options) expand(s string) (value string, expanded bool, fault *ValueError) {
	var b strings.Builder
	for {
		i := strings.Index(s, "${")
		if i < 0 {
			b.WriteString(s)
			return b.String(), expanded, nil
		}
		if i > 0 && s[i-1] == '$' {
			b.WriteString(s[:i-1] + "${")
			s = s[i+2:]
			continue
		}
		b.WriteString(s[:i])
		name, rest, ok := strings.Cut(s[i+2:], "}")
		if !ok {
			return "", false, &ValueError{"${ without its }", "close it, or write $${ for ${ itself"}
		}
		value, fault := o.lookUp(name)
		if fault != nil {
			return "", false, fault
		}
		b.WriteString(value)
		s, expanded = rest, true
	}
}

func (o Options) lookUp(name string) (string, *ValueError) {
	if path, ok := strings.CutPrefix(name, "file:"); ok {
		return o.readFile(path)
	}
	if !isVariable(name) {
		return "", &ValueError{fmt.Sprintf("${%s} names neither a variable nor a file", name), "write ${NAME} or ${file:PATH}, or $${ for ${ itself"}
	}
	if o.Env != nil {
		if value, ok := o.Env(name); ok {
			return value, nil
		}
	}
	return "", &ValueError{fmt.Sprintf("${%s} is not set in the environment", name), "set it, or write the value here"}
}

func (o Options) readFile(path string) (string, *ValueError) {
	full := path
	if !filepath.IsAbs(full) {
		full = filepath.Join(o.Dir, path)
	}
	stat, err := os.Stat(full)
	switch {
	case err != nil:
		return "", &ValueError{fmt.Sprintf("${file:%s} cannot be read: %v", path, cause(err)), "check the path; it is relative to this file"}
	case !stat.Mode().IsRegular():
		return "", &ValueError{fmt.Sprintf("${file:%s} is not a file", path), "name a file"}
	}
	f, err := os.Open(full)
	if err != nil {
		return "", &ValueError{fmt.Sprintf("${file:%s} cannot be read: %v", path, cause(err)), "let callgw's user read it"}
	}
	defer f.Close()
	contents, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return "", &ValueError{fmt.Sprintf("${file:%s} cannot be read: %v", path, cause(err)), ""}
	case len(contents) > maxFile:
		return "", &ValueError{fmt.Sprintf("${file:%s} is longer than %d bytes", path, maxFile), "name a shorter file"}
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(contents), "\n"), "\r"), nil
}

// cause leaves out what the message says already: operation and path.
func cause(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

func isVariable(name string) bool {
	for i, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_':
		case '0' <= c && c <= '9' && i > 0:
		default:
			return false
		}
	}
	return name != ""
}
