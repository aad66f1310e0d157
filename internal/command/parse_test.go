package command

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// TestGolden reads testdata/parse.txt: lines that begin with "> ", each followed
// by what is understood. "\n" in a line is a line end.
func TestGolden(t *testing.T) {
	const file = "testdata/parse.txt"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	tr, w := tree(t), newWorld(t)
	shortcuts := []map[string]string{{"dp": "deploy run shop prod"}, {"dp": "whoami", "oops": "nothing at all"}}
	var got strings.Builder
	for line := range strings.SplitSeq(string(data), "\n") {
		input, ok := strings.CutPrefix(line, "> ")
		if strings.HasPrefix(line, "#") {
			fmt.Fprintf(&got, "%s\n\n", line)
		}
		if !ok {
			continue
		}
		fmt.Fprintf(&got, "%s\n%s\n", line, tell(tr.Parse(strings.ReplaceAll(input, "⏎", "\n"), w, shortcuts...)))
	}
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(data), got.String()); diff != "" && !*update {
		t.Errorf("what is understood changed (-update writes it):\n%s", diff)
	}
}

func tell(p Parsed, err error) string {
	var b strings.Builder
	if p.Expanded != "" {
		fmt.Fprintf(&b, "  expanded:  %s\n", p.Expanded)
	}
	var unknown *Unknown
	var mistake *Error
	switch {
	case errors.As(err, &unknown):
		fmt.Fprintf(&b, "  unknown:   %s\n", err)
	case errors.As(err, &mistake):
		fmt.Fprintf(&b, "  command:   %s\n  masked:    %q\n  %-9s  %s at %d to %d: %s\n", p.Declaration.ID, p.Masked, mistake.Code, mistake.Arg, mistake.Start, mistake.End, err)
	default:
		fmt.Fprintf(&b, "  command:   %s\n  canonical: %s\n", p.Declaration.ID, strings.ReplaceAll(p.Canonical, "\n", "⏎"))
		if p.Masked != p.Canonical {
			fmt.Fprintf(&b, "  masked:    %s\n", p.Masked)
		}
		for _, name := range slices.Sorted(maps.Keys(p.Args)) {
			fmt.Fprintf(&b, "  %s = %q\n", name, p.Args[name])
		}
		if p.Options != (Options{}) {
			o := p.Options
			thread := "unset"
			if o.Thread != nil {
				thread = fmt.Sprint(*o.Thread)
			}
			fmt.Fprintf(&b, "  options:   help %t, dry run %t, private %t, json %t, thread %s, reason %q, timeout %v\n",
				o.Help, o.DryRun, o.Private, o.JSON, thread, o.Reason, o.Timeout)
		}
		if lock := p.LockName(); lock != "" {
			fmt.Fprintf(&b, "  lock:      %s\n", lock)
		}
	}
	return b.String()
}

func TestSecretsAreNeverShown(t *testing.T) {
	tr, w := tree(t), newWorld(t)
	const secret = "s3cr3t,p w"
	for _, line := range []string{
		`vm login db1 "s3cr3t,p w"`,
		`vm login db1 --password="s3cr3t,p w"`,
		`vm login password:"s3cr3t,p w" db1`,
		`vm login db1 "s3cr3t,p w" --reason="it is s3cr3t,p w"`,
		`vm login "a s3cr3t,p w b" "s3cr3t,p w"`,
		`vm login db1 "s3cr3t,p w" --frce`,
		`vm login db1 "s3cr3t,p w" #nowhere`,
		`vm login db1 "s3cr3t,p w" here "s3cr3t,p w"`,
		`vm login db1 "s3cr3t,p w" | whoami`,
	} {
		p, err := tr.Parse(line, w)
		if p.Masked == "" || strings.Contains(p.Masked, secret) || err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("Parse(%q): masked %q, error %v", line, p.Masked, err)
		}
		if p.Secrets["password"] != secret {
			t.Errorf("Parse(%q): secrets = %q", line, p.Secrets)
		}
		if _, ok := p.Args["password"]; ok {
			t.Errorf("Parse(%q): the secret is among the arguments", line)
		}
		if masked := MaskIn(line, p.Secrets); strings.Contains(masked, secret) || !strings.Contains(masked, Mask) {
			t.Errorf("MaskIn(%q) = %q", line, masked)
		}
	}
	if got := MaskIn("abcdef abcd", map[string]string{"a": "abcd", "b": "abcdef", "c": "b"}); got != "*** ***" {
		t.Errorf("MaskIn = %q", got)
	}
}

// The canonical line means the same to anybody, at any time.
func TestCanonicalStays(t *testing.T) {
	tr, w := tree(t), newWorld(t)
	p, err := tr.Parse("remind in 2h look again", w)
	if err != nil {
		t.Fatal(err)
	}
	later := world{now: w.now.Add(100 * time.Hour), zone: time.UTC}
	q, err := tr.Parse(p.Canonical, later)
	if err != nil || q.Args["when"] != p.Args["when"] || q.Args["text"] != "look again" {
		t.Errorf("Parse(%q) later = %v, %v", p.Canonical, q.Args, err)
	}
}

func same(t *testing.T, tr *Tree, w world, line string, p Parsed) {
	t.Helper()
	q, err := tr.Parse(p.Canonical, w)
	if err != nil {
		t.Fatalf("Parse(%q) gave %q, which gives %v", line, p.Canonical, err)
	}
	p.Expanded = ""
	p.Options.Thread, q.Options.Thread = nil, nil // compared by what is written
	if p.Declaration.ID != q.Declaration.ID || !maps.Equal(p.Args, q.Args) || !maps.Equal(p.Secrets, q.Secrets) || p.Canonical != q.Canonical ||
		p.Masked != q.Masked || !slices.Equal(p.Given, q.Given) || !reflect.DeepEqual(p.Options, q.Options) {
		t.Fatalf("Parse(%q) and Parse(%q) differ:\n%+v\n%+v", line, p.Canonical, p, q)
	}
}

func FuzzParse(f *testing.F) {
	data, err := os.ReadFile("testdata/parse.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.SplitSeq(string(data), "\n") {
		if input, ok := strings.CutPrefix(line, "> "); ok {
			f.Add(strings.ReplaceAll(input, "⏎", "\n"))
		}
	}
	tr, w := tree(f), newWorld(f)
	f.Fuzz(func(t *testing.T, line string) {
		p, err := tr.Parse(line, w)
		var unknown *Unknown
		var mistake *Error
		switch {
		case err == nil:
			same(t, tr, w, line, p)
			for _, s := range p.Secrets {
				if len([]rune(s)) >= minSecret && !strings.Contains(s, "*") && strings.Contains(p.Masked, s) {
					t.Errorf("Parse(%q): masked %q has the secret", line, p.Masked)
				}
			}
		case errors.As(err, &unknown):
			inside(t, line, unknown.Start, unknown.End)
		case errors.As(err, &mistake):
			inside(t, line, mistake.Start, mistake.End)
		default:
			t.Errorf("Parse(%q) = %T", line, err)
		}
		if err != nil && (err.Error() == "" || !strings.Contains(line, "%!") && strings.Contains(err.Error(), "%!") || len(err.Error()) > 2000) {
			t.Errorf("Parse(%q): %s", line, err)
		}
	})
}

func inside(t *testing.T, line string, start, end int) {
	t.Helper()
	if start < 0 || start > end || end > len(line) {
		t.Errorf("Parse(%q): the mistake is at %d to %d", line, start, end)
	}
}

// FuzzValues puts any values where they belong and reads them back.
func FuzzValues(f *testing.F) {
	f.Add("db1", "hunter2", "why not", "a,b", true)
	f.Add("--", `"`, "'", "`", false)
	f.Add("name:x", "|", "--force", "\\n\n\\", false)
	tr, w := tree(f), newWorld(f)
	f.Fuzz(func(t *testing.T, name, secret, reason, tag string, thread bool) {
		if len(name)+len(secret)+len(reason)+len(tag) > 2000 {
			return
		}
		login := Parsed{
			Declaration: declared[len(declared)-2], Given: []Given{{"name", name}, {"password", Mask}, {"room", "#ops"}},
			Secrets: map[string]string{"password": secret}, Options: Options{Reason: strings.TrimSpace(reason), Thread: &thread},
		}
		login.write()
		p, err := tr.Parse(login.Canonical, w)
		if err != nil || p.Args["name"] != name || p.Secrets["password"] != secret || p.Options.Reason != login.Options.Reason || *p.Options.Thread != thread {
			t.Fatalf("Parse(%q) = %q, %q, %v", login.Canonical, p.Args, p.Secrets, err)
		}
		same(t, tr, w, login.Canonical, p)
		note := Parsed{Declaration: declared[6], Given: []Given{{"text", tag}}}
		note.write()
		p, err = tr.Parse(note.Canonical, w)
		if tag != "" && (err != nil || p.Args["text"] != tag) {
			t.Fatalf("Parse(%q) = %q, %v", note.Canonical, p.Args, err)
		}
	})
}
