package house_test

import (
	"encoding/json"
	"go/ast"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// catalogue reads every text of the catalogue, and the file it is in.
func catalogue(t *testing.T) (texts, files map[string]string) {
	t.Helper()
	texts, files = map[string]string{}, map[string]string{}
	walk(t, []string{".json"}, func(name, text string) {
		if !strings.HasPrefix(name, "internal/phrase/en/") {
			return
		}
		var area map[string]string
		if err := json.Unmarshal([]byte(text), &area); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for key, text := range area {
			if files[key] != "" {
				t.Errorf("%s and %s both define %q", files[key], name, key)
			}
			texts[key], files[key] = text, name
		}
	})
	return texts, files
}

// use is one phrase.T or phrase.N in the code. Templates are seen through the
// Go code that is generated from them.
type use struct {
	where  string
	key    string // the literal; its beginning when prefix is set
	prefix bool
	plural bool // phrase.N
	args   int  // what the text gets; -1 when it cannot be counted
}

func uses(t *testing.T) []use {
	t.Helper()
	var all []use
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		calls(s, module+"/internal/phrase", func(call *ast.CallExpr, function string) {
			if function != "T" && function != "N" || len(call.Args) == 0 {
				return
			}
			u := use{where: s.at(call), plural: function == "N", args: len(call.Args) - 1}
			if call.Ellipsis.IsValid() {
				u.args = -1
			}
			arg := call.Args[0]
			if sum, ok := arg.(*ast.BinaryExpr); ok {
				for ok { // the leftmost term of a + b + c
					arg = sum.X
					sum, ok = arg.(*ast.BinaryExpr)
				}
				u.prefix = true
			}
			if lit, ok := arg.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if key, err := strconv.Unquote(lit.Value); err == nil {
					u.key = key
					all = append(all, u)
				}
			}
		})
	}
	// Mails are text templates, which reach the catalogue through a function T of theirs.
	walk(t, []string{".html", ".txt"}, func(name, text string) {
		for _, m := range templateCall.FindAllStringSubmatch(text, -1) {
			all = append(all, use{where: name, key: m[1], args: -1})
		}
	})
	return all
}

var templateCall = regexp.MustCompile(`\{\{[^}]*?\bT "([^"]+)"`)

func TestEveryPhraseIsInTheCatalogue(t *testing.T) {
	texts, _ := catalogue(t)
	for _, u := range uses(t) {
		if u.prefix {
			if !slices.ContainsFunc(slices.Collect(maps.Keys(texts)), func(k string) bool { return strings.HasPrefix(k, u.key) }) {
				t.Errorf("%s: no phrase begins with %q", u.where, u.key)
			}
			continue
		}
		keys := []string{u.key}
		if u.plural {
			keys = []string{u.key + ".one", u.key + ".many"}
		}
		for _, key := range keys {
			text, ok := texts[key]
			switch {
			case !ok:
				t.Errorf("%s: phrase %q is not in the catalogue", u.where, key)
			case u.args >= 0 && verbs(text) != u.args:
				t.Errorf("%s: phrase %q gets %d values and has a place for %d: %q", u.where, key, u.args, verbs(text), text)
			case u.args == 0 && strings.Contains(text, "%%"):
				t.Errorf("%s: phrase %q gets no values and so is not formatted: write %% once in %q", u.where, key, text)
			}
		}
	}
}

func TestEveryPhraseIsUsed(t *testing.T) {
	_, files := catalogue(t)
	var begins []string
	literals := map[string]bool{}
	for _, u := range uses(t) {
		literals[u.key] = true
		if u.prefix {
			begins = append(begins, u.key)
		}
	}
	// A key may also stand in a table, or be put together before it reaches
	// phrase.T, so any literal counts, and one that ends in a dot as a beginning.
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if text, err := strconv.Unquote(lit.Value); err == nil {
					literals[text] = true
					if strings.HasSuffix(text, ".") {
						begins = append(begins, text)
					}
				}
			}
			return true
		})
	}
	for _, key := range slices.Sorted(maps.Keys(files)) {
		plural, one := strings.CutSuffix(key, ".one")
		if !one {
			plural = strings.TrimSuffix(key, ".many")
		}
		if literals[key] || literals[plural] || slices.ContainsFunc(begins, func(b string) bool { return strings.HasPrefix(key, b) }) {
			continue
		}
		t.Errorf("%s: phrase %q is used nowhere", files[key], key)
	}
}

var verb = regexp.MustCompile(`%(?:%|[-+# 0]*(?:\[(\d+)\])?[\d.*]*(?:\[(\d+)\])?[a-zA-Z])`)

// verbs is how many values a text for fmt has places for.
func verbs(text string) int {
	n, highest := 0, 0
	for _, m := range verb.FindAllStringSubmatch(text, -1) {
		switch {
		case m[0] == "%%":
		case m[1]+m[2] != "":
			if i, err := strconv.Atoi(m[1] + m[2]); err == nil {
				n, highest = i, max(highest, i)
			}
		default:
			n++
			highest = max(highest, n)
		}
	}
	return highest
}

func TestVerbs(t *testing.T) {
	for text, want := range map[string]int{
		"no value": 0, "93 %% full": 0, "%d of %d": 2, "%[2]s by %[1]s": 2, "%[1]d incident": 1, "%5.1f s": 1, "%q: %v": 2,
	} {
		if got := verbs(text); got != want {
			t.Errorf("verbs(%q) = %d, want %d", text, got, want)
		}
	}
}
