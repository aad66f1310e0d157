package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/watchroom/watchroom"

// source is one Go file of this module.
type source struct {
	name      string // relative to the root of the module, with slashes
	pkg       string // its directory: "internal/store", "cmd/watchroom"
	text      string
	ast       *ast.File
	fset      *token.FileSet
	test      bool // _test.go
	generated bool
}

// at is where node stands, for a failure message.
func (s source) at(node ast.Node) string {
	return s.name + ":" + strconv.Itoa(s.fset.Position(node.Pos()).Line)
}

// imports returns the paths s imports.
func (s source) imports() []string {
	var paths []string
	for _, spec := range s.ast.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err == nil { // the parser has checked it
			paths = append(paths, p)
		}
	}
	return paths
}

// inHouse returns the directory of an imported package of this module.
func inHouse(importPath string) (dir string, ok bool) {
	return strings.CutPrefix(importPath, module+"/")
}

// root is the directory of go.mod.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatalf("find the root of the module: %v", err)
	}
	return dir
}

// walk calls visit with every file of the module whose name ends in one of suffixes.
func walk(t *testing.T, suffixes []string, visit func(name, text string)) {
	t.Helper()
	tree := os.DirFS(root(t))
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"bin", "tools", "testdata", "node_modules", "watchroom-data"}, d.Name())) {
				return fs.SkipDir
			}
			return nil
		}
		if !slices.ContainsFunc(suffixes, func(s string) bool { return strings.HasSuffix(name, s) }) {
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		visit(name, string(text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// sources parses every Go file of the module.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	fset := token.NewFileSet()
	walk(t, []string{".go"}, func(name, text string) {
		file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("parse: %v", err)
		}
		all = append(all, source{
			name: name, pkg: path.Dir(name), text: text, ast: file, fset: fset,
			test: strings.HasSuffix(name, "_test.go"), generated: ast.IsGenerated(file),
		})
	})
	return all
}

// calls visits every call of a function that is named by its package:
// calls(s, "time", …) sees time.Now().
func calls(s source, importPath string, visit func(call *ast.CallExpr, function string)) {
	local := ""
	for _, spec := range s.ast.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil && p == importPath {
			local = path.Base(importPath)
			if spec.Name != nil {
				local = spec.Name.Name
			}
		}
	}
	if local == "" {
		return
	}
	ast.Inspect(s.ast, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == local {
				visit(call, sel.Sel.Name)
			}
		}
		return true
	})
}
