package rules_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/callgw/callgw"
)

// pkg is a package of this module, named by its path within it.
type pkg struct {
	Dir         string
	ImportPath  string
	Name        string
	Doc         string
	GoFiles     []string
	Imports     []string
	Deps        []string // transitive
	TestGoFiles []string
	XTestFiles  []string `json:"XTestGoFiles"`
}

// path is the package's path within the module, "." for its root.
func (p pkg) path() string { return within(p.ImportPath) }

// own returns those of paths that are of this module, as paths within it.
func own(paths []string) []string {
	var list []string
	for _, path := range paths {
		if strings.HasPrefix(path, module+"/") {
			list = append(list, within(path))
		}
	}
	return list
}

func within(path string) string {
	rest, _ := strings.CutPrefix(path, module+"/")
	return rest
}

var listed = sync.OnceValues(func() ([]pkg, error) {
	cmd := exec.Command("go", "list", "-json=Dir,ImportPath,Name,Doc,GoFiles,Imports,Deps,TestGoFiles,XTestGoFiles", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var list []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
})

// packages returns every package of the module.
func packages(t *testing.T) []pkg {
	t.Helper()
	list, err := listed()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// named returns one of them.
func named(t *testing.T, path string) pkg {
	t.Helper()
	for _, p := range packages(t) {
		if p.path() == path {
			return p
		}
	}
	t.Fatalf("there is no package %s", path)
	return pkg{}
}

// walk calls f with each file of the repository that is kept in it, by its path
// from the root.
func walk(t *testing.T, f func(path string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			switch entry.Name() {
			case ".git", "bin", "dist":
				return fs.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		f(filepath.ToSlash(rel))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// parse reads a Go file, by its path from the root.
func parse(t *testing.T, path string) (*token.FileSet, *ast.File) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, filepath.Join(root, path), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return fset, file
}

// uses returns the lines of a file that use one of the names of a package of
// the standard library.
func uses(fset *token.FileSet, file *ast.File, library string, names ...string) []int {
	var lines []int
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := selector.X.(*ast.Ident); ok && x.Name == library && x.Obj == nil {
			for _, name := range names {
				if selector.Sel.Name == name {
					lines = append(lines, fset.Position(n.Pos()).Line)
				}
			}
		}
		return true
	})
	return lines
}

// imports tells whether a file imports a package.
func imports(file *ast.File, path string) bool {
	for _, spec := range file.Imports {
		if spec.Path.Value == `"`+path+`"` {
			return true
		}
	}
	return false
}
