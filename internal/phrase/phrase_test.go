package phrase

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

func TestCatalogueLoads(t *testing.T) {
	all, err := load(files)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("the catalogue is empty")
	}
}

// Go's JSON keeps the last of two equal keys without a word, so the files are
// read token by token here.
func TestFilesAreFlatAndWithoutRepetition(t *testing.T) {
	names, err := fs.Glob(files, "en/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		area := strings.TrimSuffix(filepath.Base(name), ".json")
		seen := map[string]bool{}
		err = members(data, func(key, text string) {
			switch {
			case seen[key]:
				t.Errorf("%s: key %q is there twice", name, key)
			case !strings.HasPrefix(key, area+"."):
				t.Errorf("%s: key %q does not begin with %q", name, key, area+".")
			case text == "":
				t.Errorf("%s: key %q has no text", name, key)
			}
			seen[key] = true
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// members calls each with every key and text of a flat JSON object.
func members(data []byte, each func(key, text string)) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return fmt.Errorf("it is not an object: %v, %w", open, err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		text, err := d.Token()
		if err != nil {
			return err
		}
		s, ok := text.(string)
		if !ok {
			return fmt.Errorf("key %v: %v is not a text", key, text)
		}
		each(key.(string), s)
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the object")
	}
	return nil
}

var (
	verb    = regexp.MustCompile(`%[sdqv]`)
	indexed = regexp.MustCompile(`%\[\d\][sdqv]`)
)

// Every key that the program writes out in its code is in the catalogue, with
// as many arguments as its text has verbs.
func TestCodeAsksForWhatThereIs(t *testing.T) {
	asked := 0
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || call.Ellipsis.IsValid() || len(call.Args) == 0 {
				return true
			}
			fn, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if from, ok := fn.X.(*ast.Ident); !ok || from.Name != "phrase" || fn.Sel.Name != "T" && fn.Sel.Name != "N" {
				return true
			}
			key, ok := literal(call.Args[0])
			if !ok {
				return true
			}
			asked++
			where := set.Position(call.Pos())
			if fn.Sel.Name == "N" {
				for _, form := range []string{".one", ".many"} {
					if !Has(key + form) {
						t.Errorf("%s: %q is not in the catalogue", where, key+form)
					}
				}
				return true
			}
			text, ok := catalogue()[key]
			if !ok {
				t.Errorf("%s: %q is not in the catalogue", where, key)
				return true
			}
			given := len(call.Args) - 1
			if want := len(verb.FindAllString(strings.ReplaceAll(text, "%%", ""), -1)); given != want && !indexed.MatchString(text) {
				t.Errorf("%s: %q gets %d arguments, its text %q wants %d", where, key, given, text, want)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if asked < 20 {
		t.Errorf("found %d keys in the code; has the catalogue another name now?", asked)
	}
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

func TestT(t *testing.T) {
	tests := []struct{ got, want string }{
		{T("escalation.nobody_on_call"), "nobody is on call"},
		{T("escalation.why.team", "Databases"), "You are in the team Databases."},
		{T("no.such.key"), "no.such.key"},
		{T("no.such.key", 5), "no.such.key"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("T() = %q, want %q", tt.got, tt.want)
		}
	}
	if Has("no.such.key") || !Has("escalation.nobody_on_call") {
		t.Error("Has() disagrees with the catalogue")
	}
}

func TestLoadRefuses(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for want, dir := range map[string]fstest.MapFS{
		`catalogue key "a.b" is defined twice`: {"en/a.json": file(`{"a.b":"x"}`), "en/b.json": file(`{"a.b":"y"}`)},
		"read catalogue en/a.json":             {"en/a.json": file(`{"a.b":`)},
	} {
		if _, err := load(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("load() = %v, want … %s …", err, want)
		}
	}
}

func TestSentence(t *testing.T) {
	for clause, want := range map[string]string{
		"it could not be reached": "It could not be reached.", "it said no.": "It said no.", "über": "Über.",
	} {
		if got := Sentence(clause); got != want {
			t.Errorf("Sentence(%q) = %q, want %q", clause, got, want)
		}
	}
	if got := Capital(""); got != "" {
		t.Errorf("Capital of nothing = %q", got)
	}
}
