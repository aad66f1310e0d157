package command

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := "testdata/" + name
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-update writes it):\n%s", name, diff)
	}
}

func TestHelp(t *testing.T) {
	var all []string
	for _, d := range declared {
		all = append(all, Help(d))
	}
	golden(t, "help.md", strings.Join(all, "\n\n---\n\n")+"\n")
	golden(t, "list.md", List(declared, "")+"\n")
}

func TestList(t *testing.T) {
	tests := []struct {
		intent, query string
		has, hasNot   []string
	}{
		{"a command", "deploy run", []string{"**deploy run**", "Rolls out"}, []string{"deploy status"}},
		{"an alias", "Ack", []string{"**incident ack**", "Examples"}, []string{"incident resolve"}},
		{"a word of the summary", "record", []string{"**incident note**"}, nil},
		{"a noun", "incident", []string{"incident ack", "incident list", "snooze"}, []string{"deploy"}},
		{"two words", "incident acknowledge", []string{"**incident ack**"}, nil},
		{"a word of an example", "oncall database", []string{"**oncall**"}, nil},
		{"nothing", "frobnicate", []string{`"frobnicate"`}, []string{"incident"}},
		{"not a hidden one", "button", []string{`"button"`}, []string{"secretly"}},
	}
	for _, tt := range tests {
		got := List(declared, tt.query)
		for _, s := range tt.has {
			if !strings.Contains(got, s) {
				t.Errorf("%s: List(%q) = %s\nwithout %q", tt.intent, tt.query, got, s)
			}
		}
		for _, s := range tt.hasNot {
			if strings.Contains(got, s) {
				t.Errorf("%s: List(%q) = %s\nwith %q", tt.intent, tt.query, got, s)
			}
		}
	}
	if got := List(nil, ""); !strings.Contains(got, "no command") {
		t.Errorf("List(nothing) = %q", got)
	}
}

func TestComplete(t *testing.T) {
	tests := []struct {
		intent, line string // | is the cursor
		from         string // what stands where the candidates go
		arg, want    string // candidates that begin the list, with commas
	}{
		{"nothing yet", "|", "", "", "deploy run ,deploy status ,help "},
		{"a word begun", "inc|", "inc", "", "incident ack ,incident list ,incident note ,incident resolve "},
		{"a verb begun", "incident re|", "incident re", "", "incident resolve "},
		{"an alias", "ac|", "ac", "", "ack "},
		{"the middle of a name", "login|", "login", "", "vm login "},
		{"any case", "Deploy R|", "Deploy R", "", "deploy run "},
		{"no such thing", "frob|", "frob", "", ""},
		{"nothing hidden", "secret|", "secret", "", ""},
		{"a person", "page k|", "k", "who", "@kim ,@kira "},
		{"an enum", "deploy run shop |", "", "env", "staging ,prod ,--count="},
		{"an enum begun", "deploy run shop P|", "P", "env", "prod "},
		{"by name", "deploy run shop env:s|", "s", "env", "staging "},
		{"by option", "deploy run shop --env=|", "", "env", "staging ,prod "},
		{"the value after an option", "deploy run shop --env p|", "p", "env", "prod "},
		{"the value after an option, not begun", "deploy run shop --env |", "", "env", "staging ,prod "},
		{"an option begun", "deploy run shop --f|", "--f", "", "--force "},
		{"only what was not given", "deploy run shop --force --|", "--", "", "--count=,--at=,--tags=,--help "},
		{"a time", "deploy run shop --at=tom|", "tom", "at", "tomorrow 9:00 "},
		{"a team with a space", "oncall si|", "si", "team", `"@@site reliability" `},
		{"in open quotes", `oncall "site re|`, `"site re`, "team", `"@@site reliability" `},
		{"not in the rest of a line", "note 17 some wor|", "", "", ""},
		{"the cursor in the middle", "deploy run shop p| --force", "p", "env", "prod "},
		{"never a secret", "vm login db1 |", "", "password", "--help "},
	}
	tr, w := tree(t), newWorld(t)
	for _, tt := range tests {
		line := strings.Replace(tt.line, "|", "", 1)
		at := strings.IndexByte(tt.line, '|')
		c := tr.Complete(line, at, w)
		var texts []string
		for _, one := range c.Candidates {
			texts = append(texts, one.Text)
		}
		got := strings.Join(texts, ",")
		if !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("%s: Complete(%q) = %q, want %q", tt.intent, tt.line, got, tt.want)
		}
		if len(texts) > 0 && line[c.From:c.To] != tt.from || c.Arg != tt.arg {
			t.Errorf("%s: Complete(%q) is about %q, argument %q", tt.intent, tt.line, line[c.From:c.To], c.Arg)
		}
	}
}

func FuzzComplete(f *testing.F) {
	for _, s := range []string{"", "deploy run shop --env=", "page k", "oncall \"a", "note 17 'x", "ack --inc", "deploy run --app shop x --app"} {
		f.Add(s, len(s))
	}
	tr, w := tree(f), newWorld(f)
	f.Fuzz(func(t *testing.T, line string, at int) {
		c := tr.Complete(line, at, w)
		if c.From < 0 || c.From > c.To || c.To > len(line) || len(c.Candidates) > maxCandidates {
			t.Errorf("Complete(%q, %d) = %+v", line, at, c)
		}
	})
}
