//go:build linux

package script

import (
	"fmt"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/secret"
)

// A starter that dies is no script that was called wrongly, whatever it exits with.
func TestWhyNot(t *testing.T) {
	for said, want := range map[string]string{
		"":                            died,
		"chdir /x: no such directory": "chdir /x: no such directory",
		atTheDoor:                     "",
		atTheDoor + "exec format":     "exec format",
	} {
		if got := whyNot(said); got != want {
			t.Errorf("whyNot(%q) = %q, want %q", said, got, want)
		}
	}
}

// The limit is far below what the starter itself has: it becomes the script
// all the same, each time.
func TestStartsUnderASmallLimit(t *testing.T) {
	c := write(t, "#!/bin/sh\necho ran\n", reads+"timeout: 30s\nlimits: {memory: 24MiB}\n")
	for range 20 {
		if res, _ := runIt(t, c, asked()); res.Outcome != program.Succeeded || res.Text != "ran" {
			t.Fatalf("ended %s: %.300q", res.Outcome, res.Text)
		}
	}
}

// Of what is said on stderr the beginning stays, too: there stands what broke.
func TestTailKeepsTheBeginning(t *testing.T) {
	for _, lines := range []int{1, 30, 80, 100_000} {
		said := newTail(&secret.Masker{})
		said.stream.Write([]byte("the reason\n"))
		for i := range lines {
			said.stream.Write(fmt.Appendf(nil, "line %d of a long trace\n", i))
		}
		text := said.text()
		last := fmt.Sprintf("line %d of a long trace", lines-1)
		if !strings.HasPrefix(text, "the reason\nline 0 ") || !strings.HasSuffix(text, last) || len(text) > headLength+tailLength+8 {
			t.Errorf("%d lines: %d bytes: %.60q … ", lines, len(text), text)
		}
		if cut := strings.Contains(text, "\n…\n"); cut != (lines > 100 || lines == 80 && cut) {
			t.Errorf("%d lines: %q", lines, text)
		}
	}
}
