package command

import (
	"errors"
	"testing"
)

// A line that joins commands is refused and says so; it is never run in part.
func TestLinesThatJoinCommands(t *testing.T) {
	tr, w := tree(t), newWorld(t)
	for _, line := range []string{
		"whoami | whoami", "whoami |whoami", "whoami|whoami", "whoami || whoami", "whoami > #ops", "whoami >here", "whoami >> x", "help | whoami", "help |whoami",
	} {
		_, err := tr.Parse(line, w)
		if mistake, ok := errors.AsType[*Error](err); !ok || mistake.Code != NotYet {
			t.Errorf("Parse(%q) = %v, want that commands are not joined yet", line, err)
		}
	}
	for _, line := range []string{`help "| whoami"`, "help a | b", "help -- | b"} { // text at the end of a line is text
		p, err := tr.Parse(line, w)
		if err != nil {
			t.Errorf("Parse(%q) = %v", line, err)
			continue
		}
		if again, err := tr.Parse(p.Canonical, w); err != nil || again.Canonical != p.Canonical {
			t.Errorf("Parse(%q) = %q, %v; of %q", p.Canonical, again.Canonical, err, line)
		}
	}
}

func TestBreakingTheGlassNeedsAReason(t *testing.T) {
	tr, w := tree(t), newWorld(t)
	_, err := tr.Parse("whoami --break-glass", w)
	if mistake, ok := errors.AsType[*Error](err); !ok || mistake.Code != Missing || mistake.Arg != "reason" {
		t.Errorf("without a reason: %v", err)
	}
	p, err := tr.Parse(`whoami --break-glass --reason "it burns"`, w)
	if err != nil || !p.Options.BreakGlass || p.Canonical != `whoami --break-glass --reason="it burns"` {
		t.Errorf("with one: %+v, %v", p, err)
	}
}
