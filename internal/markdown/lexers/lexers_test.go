package lexers

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/chroma/v2"
	all "github.com/alecthomas/chroma/v2/lexers"
)

var update = flag.Bool("update", false, "write the files out of chroma")

// languages are by chroma's name what is in the program.
var languages = []string{
	"ApacheConf", "Awk", "Bash", "Bash Session", "Batchfile", "Bicep", "C", "C#", "C++", "CMake", "CSS", "CSV", "CUE", "Cassandra CQL", "Clojure",
	"Dart", "Diff", "Django/Jinja", "Docker", "Elixir", "Elm", "Erlang", "FSharp", "Fish", "Go", "Go Template", "GraphQL", "Groovy", "HCL", "HTML", "Haskell", "INI", "JSON",
	"Java", "JavaScript", "Jsonnet", "Julia", "Kotlin", "LLVM", "Lua", "Makefile", "Meson", "MySQL", "Nginx configuration file", "Nim", "Nix", "Objective-C", "OCaml",
	"PHP", "PL/pgSQL", "Perl", "PostgreSQL SQL dialect", "PowerShell", "Prolog", "PromQL", "properties", "Protocol Buffer", "Puppet", "Python", "Python 2", "R", "Rego",
	"Ruby", "Rust", "SCSS", "SQL", "Scala", "Sed", "SquidConf", "Swift", "SYSTEMD", "Tcl", "Terraform", "TOML", "Transact-SQL", "TypeScript", "Thrift", "VB.net", "VimL", "XML", "YAML", "Zig",
	"plaintext", "react", "reg",
}

// The files are what chroma knows of these languages, and there are no others.
func TestFilesAreChromas(t *testing.T) {
	want := map[string][]byte{}
	for _, language := range languages {
		lexer := all.Get(language)
		if lexer == nil || lexer.Config().Name != language {
			t.Fatalf("chroma has no %q", language)
		}
		plain, ok := lexer.(*chroma.RegexLexer)
		if !ok {
			t.Errorf("%s is a %T", language, lexer)
			continue
		}
		if language == "Go" {
			plain = withoutTemplates(t, plain)
		}
		text, err := chroma.Marshal(plain)
		if err != nil {
			t.Errorf("%s: %v", language, err)
			continue
		}
		name := strings.NewReplacer(" ", "_", "/", "_").Replace(strings.ToLower(language)) + ".xml"
		want[filepath.Join("xml", name)] = inOrder(text)
	}
	there, err := filepath.Glob("xml/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range there {
		if _, ok := want[path]; !ok && *update {
			err = os.Remove(path)
		} else if !ok {
			t.Errorf("%s is no language of ours", path)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for path, text := range want {
		if *update {
			if err := os.WriteFile(path, text, 0o644); err != nil { //nolint:gosec // source
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, text) { //nolint:gosec // named above
			t.Errorf("%s is not what chroma has (%v): run this test with -update", path, err)
		}
	}
}

var state = regexp.MustCompile(`(?s)\s*<state (?:[^>]*/>|.*?</state>)`)

// inOrder sorts the states, which chroma writes in the order of a map.
func inOrder(text []byte) []byte {
	states := state.FindAll(text, -1)
	slices.SortFunc(states, bytes.Compare)
	sorted := bytes.Join(states, nil)
	at := state.FindIndex(text)
	if at == nil {
		return append(text, '\n')
	}
	return slices.Concat(text[:at[0]], sorted, state.ReplaceAll(text[at[0]:], nil), []byte("\n"))
}

// withoutTemplates is Go with raw strings that are strings alone: chroma looks
// for templates in them with a function, which cannot be written down.
func withoutTemplates(t *testing.T, lexer *chroma.RegexLexer) *chroma.RegexLexer {
	t.Helper()
	rules, err := lexer.Rules()
	if err != nil {
		t.Fatal(err)
	}
	rules = rules.Clone()
	for i, rule := range rules["root"] {
		if strings.HasPrefix(rule.Pattern, "(`)") {
			rules["root"][i] = chroma.Rule{Pattern: "`[^`]*`", Type: chroma.LiteralString}
		}
	}
	return chroma.MustNewLexer(lexer.Config(), func() chroma.Rules { return rules })
}

// Each can be used by all of its names, also when it needs another one.
func TestLexersWork(t *testing.T) {
	if Get("brainfuck") != nil || Get("") != nil {
		t.Error("a language that is not there was found")
	}
	for _, name := range Names() {
		tokens, err := chroma.Tokenise(Get(strings.ToUpper(name)), nil, "<style>a { b: c }</style> <script>let x = 1</script>\n")
		if err != nil || len(tokens) == 0 {
			t.Errorf("%s: %d tokens, %v", name, len(tokens), err)
		}
	}
}
