package house_test

import (
	"go/ast"
	"strings"
	"testing"
)

// forbidden is what the packages of the field may not import: they decide,
// others do. The value says what to do instead.
var forbidden = map[string]string{
	"net/http":     "HTTP is for the edges",
	"net":          "connections are for the edges",
	"database/sql": "rows are for the store",
	"log":          "return a reason; whoever called logs it",
	"log/slog":     "return a reason; whoever called logs it",
	"os":           "files and the environment are for config",
	"os/exec":      "programs are for the edges",
	"math/rand":    "a decision is repeatable",
	"math/rand/v2": "a decision is repeatable",
	"crypto/rand":  "a decision is repeatable; new identifiers come from id",
	"context":      "nothing here waits",
}

// clock are the functions of package time that read or wait for the real time.
var clock = map[string]bool{
	"Now": true, "Since": true, "Until": true, "Sleep": true, "After": true, "AfterFunc": true,
	"NewTimer": true, "NewTicker": true, "Tick": true,
}

// excused are single exceptions, "package what": reason.
var excused = map[string]string{
	"id crypto/rand": "identifiers are random",
	"id time.Now":    "identifiers begin with the time they were made",

	"people golang.org/x/text/unicode/norm": "which names look alike is a matter of Unicode's tables; it is a function of its input",
}

func TestTheFieldKnowsNoOutsideWorld(t *testing.T) {
	for _, s := range sources(t) {
		i, pkg := place(s.pkg)
		if s.test || i < 0 || !floors[i].pure {
			continue
		}
		for _, imported := range s.imports() {
			if _, ok := excused[pkg+" "+imported]; ok {
				continue
			}
			if instead, ok := forbidden[imported]; ok {
				t.Errorf("%s imports %s: %s", s.name, imported, instead)
			}
			// What is neither ours nor the standard library's could bring all of it in again.
			if _, ours := inHouse(imported); !ours && strings.Contains(strings.Split(imported, "/")[0], ".") {
				t.Errorf("%s imports %s: the field needs the standard library only", s.name, imported)
			}
		}
		calls(s, "time", func(call *ast.CallExpr, function string) {
			if _, ok := excused[pkg+" time."+function]; clock[function] && !ok {
				t.Errorf("%s calls time.%s: take now as a parameter", s.at(call), function)
			}
		})
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if g, ok := n.(*ast.GoStmt); ok {
				t.Errorf("%s starts a goroutine: the field only computes", s.at(g))
			}
			return true
		})
	}
}
