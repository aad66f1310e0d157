package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/config"
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

// Scripts read the result; the warning stands beside it, dry run or not.
func TestApplyWarnsWhenNobodyCanSignIn(t *testing.T) {
	dir := t.TempDir()
	a := access{Storage: config.Storage{Data: dir}, Site: config.Default().Site}
	file := write(t, dir, "org.yaml", "users:\n  - {username: kim, email: kim@example.org, role: admin}\n")
	for _, c := range []struct {
		dry      bool
		password string
		want     bool
	}{{true, "", true}, {false, "", true}, {false, "correct horse battery staple", false}} {
		var out, beside bytes.Buffer
		con := &console{in: strings.NewReader(c.password), out: &out, err: &beside}
		if c.password != "" {
			if err := (&userPasswordCmd{User: "kim", Access: a}).Run(t.Context(), con); err != nil {
				t.Fatal(err)
			}
		}
		if err := (&applyCmd{Files: []string{file}, DryRun: c.dry, Access: a}).Run(t.Context(), con); err != nil {
			t.Fatal(err)
		}
		const said = "no administrator can sign in"
		if strings.Contains(beside.String(), said) != c.want || strings.Contains(out.String(), said) {
			t.Errorf("dry run %v: output %q, beside it %q; want a warning beside it: %v", c.dry, out.String(), beside.String(), c.want)
		}
	}
}
