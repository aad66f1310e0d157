package builtin

import (
	"regexp"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/command"
)

var spoken = regexp.MustCompile(`^[\w@'#][\w ,@'#-]*$`)

// What people read about a command are words of theirs, and its examples are lines of it.
func TestDeclarations(t *testing.T) {
	for _, c := range Commands(&Deps{}) {
		d := c.Declaration
		if err := d.Validate(); err != nil {
			t.Error(err)
		}
		for _, a := range d.Args {
			if w := a.Words(); strings.Contains(w, "_") || !spoken.MatchString(w) || len(w) <= 2 {
				t.Errorf("%s: people read %q for %s", d.ID, w, a.Name)
			}
			if a.Summary == "" {
				t.Errorf("%s: nobody says what %s is", d.ID, a.Name)
			}
		}
		if len(d.Examples) == 0 && !d.Hidden {
			t.Errorf("%s has no example", d.ID)
		}
		tree, err := command.New([]command.Declaration{d})
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range d.Examples {
			word, _, _ := strings.Cut(line, " ")
			if !tree.First(word) {
				t.Errorf("%s: %q is no line of it", d.ID, line)
			}
		}
	}
}

// What only looks is told so on its page; nothing else is.
func TestRisks(t *testing.T) {
	looks := map[string]bool{
		"help": true, "whoami": true, "policy.explain": true, "oncall": true, "incident.show": true, "incident.list": true,
		"jobs": true, "job": true, "pending": true, "locks": true, "remind.now": true,
	}
	for _, c := range Commands(&Deps{}) {
		if got := c.Declaration.Risk == command.Reads; got != looks[c.Declaration.ID] {
			t.Errorf("%s: only looks is %t", c.Declaration.ID, got)
		}
	}
}
