package strictyaml

import (
	"fmt"
	"strings"
	"testing"
)

// flat writes a node on one line, with the line of every pair.
func flat(n Node) string {
	var b strings.Builder
	switch n.Kind {
	case Null:
		b.WriteString("null")
	case Scalar:
		fmt.Fprintf(&b, "%q", n.Text)
	case List:
		b.WriteString("[")
		for i, item := range n.Items {
			if i > 0 {
				b.WriteString(" ")
			}
			b.WriteString(flat(item))
		}
		b.WriteString("]")
	case Mapping:
		b.WriteString("{")
		for i, p := range n.Pairs {
			if i > 0 {
				b.WriteString(" ")
			}
			fmt.Fprintf(&b, "%d:%s=%s", p.At.Line, p.Key, flat(p.Value))
		}
		b.WriteString("}")
	}
	return b.String()
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", `{}`},
		{"only a comment", "# nothing\n", `{}`},
		{"text stays as written", "a: 010\nb: 1e3\nc: no\nd: true\ne: 2026-01-05\nf: 09:00\ng: 0x1F\nh: +5", `{1:a="010" 2:b="1e3" 3:c="no" 4:d="true" 5:e="2026-01-05" 6:f="09:00" 7:g="0x1F" 8:h="+5"}`},
		{"quoted", "a: \"x: \\u00e9\\n\"\nb: 'it''s'\nc: \"null\"", `{1:a="x: é\n" 2:b="it's" 3:c="null"}`},
		{"empty values", "a:\nb: ~\nc: ''\nd: []\ne: {}", `{1:a=null 2:b=null 3:c="" 4:d=[] 5:e={}}`},
		{"a list of mappings", "users:\n  - name: kim\n    role: admin\n\n  - name: alex\n", `{1:users=[{2:name="kim" 3:role="admin"} {5:name="alex"}]}`},
		{"flow style", "page: [{rotation: a}, {user: kim}]", `{1:page=[{1:rotation="a"} {1:user="kim"}]}`},
		{"block text", "note: |\n  one\n  two\nb: 1", `{1:note="one\ntwo\n" 4:b="1"}`},
		{"a document mark", "---\na: 1\n", `{2:a="1"}`},
		{"an environment variable", "key: ${KEY}", `{1:key="${KEY}"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, err := Parse("f.yaml", []byte(c.text))
			if err != nil || flat(n) != c.want {
				t.Errorf("Parse(%q) = %s, %v\nwant %s", c.text, flat(n), err, c.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a list", "- a\n", "f.yaml:1: a file is a mapping"},
		{"a word", "hello", "f.yaml:1: a file is a mapping"},
		{"a key twice", "a: 1\nb: 2\na: 3", `f.yaml:3: "a" is already given in line 1`},
		{"an anchor", "a: 1\nb: &x 2", "f.yaml:2: anchors"},
		{"an alias", "b: *x", "f.yaml:1: aliases"},
		{"a merge key", "a:\n  <<: {b: 1}", "f.yaml:2: merge keys"},
		{"a tag", "a: !!str 1", "f.yaml:1: tags"},
		{"two documents", "a: 1\n---\nb: 2\n", "several documents"},
		{"a broken list", "a: [1, 2", "f.yaml:1: "},
		{"bad indentation", "a:\n  b: 1\n c: 2\n", "f.yaml:"},
		{"deep lists", "a: " + strings.Repeat("[", 100_000), "nested too deeply"},
		{"deep mappings", strings.Repeat("{a: ", 100_000), "nested too deeply"},
		{"deep dashes", strings.Repeat("- ", 100_000) + "a", "nested too deeply"},
		{"not text", "a: \xff", "not UTF-8"},
		{"very long", strings.Repeat("#", MaxBytes+1), "longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, err := Parse("f.yaml", []byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Parse = %.200s, %v\nwant an error with %q", flat(n), err, c.want)
			}
		})
	}
}

func TestSyntaxErrorsQuoteNothing(t *testing.T) {
	_, err := Parse("f.yaml", []byte("key: hunter2hunter2\nb: [1\nc: \"x"))
	if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
		t.Errorf("Parse: %v, want one line without the file's text", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "a: 1", "a:\n  - b: c\n    d: [1, {e: f}]\n", "a: |\n  x\n", "\"a\": 'b'", "a: ${B}", "? a", "---\n...\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := Parse("f", text)
		if err == nil && n.Kind != Mapping {
			t.Errorf("Parse(%q) = %s, not a mapping", text, flat(n))
		}
	})
}
