package house_test

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// maxLines is where a file has certainly stopped doing one thing. Nine in ten
// should stay below 400.
const maxLines = 600

func TestFilesStayReadable(t *testing.T) {
	for _, s := range sources(t) {
		if lines := strings.Count(s.text, "\n"); lines > maxLines && !s.test && !s.generated {
			t.Errorf("%s has %d lines, more than %d: does it decide and do?", s.name, lines, maxLines)
		}
	}
}

// minComment is the length of the shortest package comment that can say what a
// package is for, what it promises and what it leaves to others.
const minComment = 80

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	comments := map[string]string{}
	for _, s := range sources(t) {
		if s.test {
			continue // go doc does not show what stands there
		}
		comments[s.pkg] += "" // the package exists
		if doc := s.ast.Doc; doc != nil && !s.generated {
			comments[s.pkg] += doc.Text()
			if want := opening(s); !strings.HasPrefix(doc.Text(), want) {
				t.Errorf("%s: the package comment opens %q, want %q", s.name, firstWords(doc.Text()), want)
			}
		}
	}
	for pkg, text := range comments {
		switch {
		case text == "":
			t.Errorf("%s has no package comment: what is it for, what does it promise, what does it leave to others?", pkg)
		case len(text) < minComment:
			t.Errorf("%s: the package comment says too little: %q", pkg, text)
		}
	}
}

func opening(s source) string {
	if s.ast.Name.Name == "main" {
		return "Command " + s.pkg[strings.LastIndex(s.pkg, "/")+1:] + " "
	}
	return "Package " + s.ast.Name.Name + " "
}

func firstWords(text string) string {
	words := strings.Fields(text)
	return strings.Join(words[:min(4, len(words))], " ")
}

func TestNoInit(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.ast.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: no init: app lists the parts in plain code", s.at(f))
			}
		}
	}
}

func TestTestsNeitherSkipNorSleep(t *testing.T) {
	for _, s := range sources(t) {
		if !s.test {
			continue
		}
		// In a bubble of testing/synctest a sleep costs nothing and is exact.
		bubble := slices.Contains(s.imports(), "testing/synctest")
		calls(s, "time", func(call *ast.CallExpr, function string) {
			if function == "Sleep" && !bubble {
				t.Errorf("%s sleeps: wait for the condition", s.at(call))
			}
		})
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if sel, ok := call.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"Skip", "SkipNow", "Skipf"}, sel.Sel.Name) {
					if x, ok := sel.X.(*ast.Ident); ok && slices.Contains([]string{"t", "tb", "b", "f"}, x.Name) {
						t.Errorf("%s skips: fail with what is missing instead", s.at(call))
					}
				}
			}
			return true
		})
	}
}

func TestNoHalfOpenDoors(t *testing.T) {
	door := regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)
	walk(t, []string{".go", ".templ", ".js", ".css", ".sql", ".sh", ".md"}, func(name, text string) {
		if strings.Contains(name, "/static/vendor/") {
			return
		}
		for i, line := range strings.Split(text, "\n") {
			if door.MatchString(line) {
				t.Errorf("%s:%d leaves a door half open: %s", name, i+1, strings.TrimSpace(line))
			}
		}
	})
}

func TestEveryDecisionHasItsFourParts(t *testing.T) {
	walk(t, []string{".md"}, func(name, text string) {
		if !strings.HasPrefix(name, "docs/decisions/0") {
			return
		}
		for _, part := range []string{"## Context", "## Choice", "## Price", "## Way out"} {
			if !strings.Contains(text, "\n"+part+"\n") {
				t.Errorf("%s has no part %q", name, part)
			}
		}
	})
}
