package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/phrase"
)

// An empty file is more often a mistake than a wish, and says so beside the result.
func TestEmptyFilesAreRemarkedOn(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, " \n\t\r\n": true, "# nothing yet\n---\n": true, "users:\n  - {username: kim, email: kim@example.org}\n": false,
	} {
		var out, beside bytes.Buffer
		if _, _, err := readFiles(&console{in: strings.NewReader(text), out: &out, err: &beside}, []string{"-"}); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if got := strings.Contains(beside.String(), phrase.T("cli.apply.empty", "-")); got != want || out.Len() > 0 {
			t.Errorf("%q: remark %v, want %v; output %q, beside it %q", text, got, want, out.String(), beside.String())
		}
	}
}
