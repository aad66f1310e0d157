package chatopsrpc

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestListing(t *testing.T) {
	l, methods, rejected, err := parseListing([]byte(`{"namespace":"deploy","version":3,"help":"h","error_response":"sorry","methods":{
		"run":{"regex":"^run (?<app>\\S+)(?: to (?<env>\\S+))?$","params":["app","env"],"path":"run","help":"run <app>"},
		"root":{"regex":"all","params":[]},
		"ahead":{"regex":"x(?=y)","params":[],"path":"a"},
		"back":{"regex":"(a)\\1","params":[],"path":"a"},
		"hex":{"regex":"\\h+","params":[],"path":"a"},
		"dash":{"regex":"(?<a-b>x)","params":["a-b"],"path":"a"},
		"open":{"regex":"(","params":[],"path":"a"},
		"bomb":{"regex":"((a{1000}){1000}){1000}","params":[],"path":"a"},
		"none":{"params":[],"path":"a"},
		"up":{"regex":"x","params":[],"path":"../admin"},
		"query":{"regex":"x","params":[],"path":"a?b=c"},
		"b ad":{"regex":"x","params":[],"path":"a"},
		"RUN":{"regex":"x","params":[],"path":"a"},
		"text":"x", "number":{"regex":7}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Listing{"deploy", "h", "sorry"}, l); diff != "" {
		t.Errorf("listing (-want +got):\n%s", diff)
	}
	why := map[string]string{}
	for _, r := range rejected {
		why[r.Method] = r.Why
	}
	for name, want := range map[string]string{
		"ahead": "looks ahead", "back": "refers back", "hex": "[0-9a-f]", "dash": "invalid named capture", "open": "missing closing", "bomb": "repeat",
		"none": "no expression", "up": "../admin", "query": "would need an escape", "b ad": "the name is not", "run": "the same name", "text": "not an object", "number": "not an object",
	} {
		if !strings.Contains(why[name], want) {
			t.Errorf("%s is rejected because %q, want %q", name, why[name], want)
		}
		delete(why, name)
	}
	if len(why) > 0 || len(methods) != 2 {
		t.Errorf("%d methods; also rejected %v", len(methods), why)
	}
}

func TestListingAsAWhole(t *testing.T) {
	for text, want := range map[string]string{
		`<html>`: "not JSON", `{}`: "no namespace", `{"namespace":"a b","methods":{}}`: "no namespace",
		`{"namespace":"a"}`: "no methods", `{"namespace":"a","version":"4","methods":{}}`: "version 4",
	} {
		if _, _, _, err := parseListing([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parseListing(%s) = %v, want %q", text, err, want)
		}
	}
	for _, version := range []string{`"version":"3",`, `"version":3,`, `"version":2,`, `"version":null,`, ``} {
		if _, _, _, err := parseListing([]byte(`{` + version + `"namespace":"a","methods":{}}`)); err != nil {
			t.Errorf("with %s: %v", version, err)
		}
	}
	var many strings.Builder
	for i := range maxMethods + 5 {
		fmt.Fprintf(&many, `,"m%d":{"regex":"x%d","params":[],"path":"p"}`, i, i)
	}
	if _, methods, rejected, _ := parseListing([]byte(`{"namespace":"a","methods":{` + many.String()[1:] + `}}`)); len(methods) != maxMethods || len(rejected) != 5 {
		t.Errorf("%d methods, %d rejected", len(methods), len(rejected))
	}
}

func TestCompile(t *testing.T) {
	for _, c := range []struct {
		source, line string
		matches      bool
	}{
		{"run", "run", true}, {"run", "RUN", true}, {"run", "please run", false}, {"run", "run it", false},
		{"^run$", "run", true}, {`cost \$`, "cost $", true}, {`path \\$`, `path \`, true}, {"a|b", "a", true}, {"a|b", "ab", false}, {"a|b", "xb", false},
	} {
		re, err := compile(c.source)
		if err != nil {
			t.Errorf("compile(%q): %v", c.source, err)
		} else if got := re.MatchString(c.line); got != c.matches {
			t.Errorf("%q matches %q: %t", c.source, c.line, got)
		}
	}
}

func TestLongOptions(t *testing.T) {
	for _, c := range []struct {
		line, head string
		params     map[string]string
	}{
		{"run shop", "run shop", map[string]string{}},
		{"run shop to staging --force --reason two words", "run shop to staging", map[string]string{"force": "true", "reason": "two words"}},
		{"run --a  b  c  --d", "run", map[string]string{"a": "b  c", "d": "true"}},
		{"run a--b", "run a--b", map[string]string{}},
		{"run -- --x", "run", map[string]string{"x": "true"}},
	} {
		head, params := longOptions(c.line)
		if head != c.head || !maps.Equal(params, c.params) {
			t.Errorf("longOptions(%q) = %q, %v; want %q, %v", c.line, head, params, c.head, c.params)
		}
	}
}

func TestFixedWords(t *testing.T) {
	for source, want := range map[string][]string{
		`run (?<app>\S+)(?: to (?<env>\S+))?`: {"run"}, `run`: {"run"}, `^queue list$`: {"queue", "list"}, `lock\s+(?<x>.+)`: {"lock"}, `wcid(?: (?<app>\S+))?`: {"wcid"},
		`runs? x`: nil, `(?:go|start) (?<a>.+)`: nil, `(?<all>.*)`: nil, `a(?<b>.*)`: nil, `where can i deploy(?<x>.*)`: {"where", "can", "i"}, `x{2}`: {"xx"}, `x{1,2}`: nil,
	} {
		if got := (Method{Regex: source}).fixed(); !slices.Equal(got, want) {
			t.Errorf("%q begins with %q, want %q", source, got, want)
		}
	}
}

func TestPause(t *testing.T) {
	wait := pause(0, true)
	for range 30 {
		next := pause(wait, true)
		if next != min(wait*3/2, time.Hour) {
			t.Fatalf("after %s comes %s", wait, next)
		}
		wait = next
	}
	if wait != time.Hour || pause(wait, false) != 10*time.Second {
		t.Errorf("ends at %s, then %s", wait, pause(wait, false))
	}
}

func FuzzListing(f *testing.F) {
	f.Add([]byte(`{"namespace":"deploy","version":"3","methods":{"run":{"regex":"run (?<app>\\S+)","params":["app"],"path":"run"}}}`), "run shop --x y")
	f.Fuzz(func(t *testing.T, text []byte, line string) {
		_, methods, _, err := parseListing(text)
		for _, m := range methods {
			if err != nil || m.compiled == nil || len(m.version) != 64 {
				t.Errorf("method %+v with %v", m, err)
			}
			m.match(line)
			m.fixed()
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add(200, []byte(`{"result":"x","title":"t","title_link":"https://a.b","color":"ff0000","buttons":[{"label":"l","command":"c"}]}`))
	f.Add(500, []byte(`<html>`))
	f.Add(400, []byte(`{"error":{"code":-32602,"message":"locked"}}`))
	f.Fuzz(func(t *testing.T, status int, text []byte) {
		r := read(status, text, Listing{}, "kim")
		if r.Outcome == "" || r.Doc != nil && len(r.Doc.Blocks) > 10 {
			t.Errorf("read(%d, %q) = %+v", status, text, r)
		}
	})
}
