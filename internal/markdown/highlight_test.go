package markdown

import (
	"html"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alecthomas/chroma/v2"

	"github.com/watchroom/watchroom/internal/markdown/lexers"
)

// Every colour is in the style sheet and can be read on the ground of a block,
// in both themes (WCAG 2.2, 1.4.3).
func TestColours(t *testing.T) {
	sheet := stylesheet(t, "markdown.css")
	ground := colours(t, stylesheet(t, "app.css"), `--surface-2: light-dark\((#\w{6}), (#\w{6})\)`)
	seen := map[string]bool{}
	for _, token := range chroma.TokenTypeValues() {
		class := classOf(token)
		if class == "" || seen[class] {
			continue
		}
		seen[class] = true
		rule := regexp.MustCompile(`\.hl-` + class + ` \{[^}]*\}`).FindString(sheet)
		if rule == "" {
			t.Errorf("markdown.css has no .hl-%s", class)
			continue
		}
		text, on := colours(t, rule, `[ ;]color: light-dark\((#\w{6}), (#\w{6})\)`), ground
		if strings.Contains(rule, "background") {
			on = colours(t, rule, `background: light-dark\((#\w{6}), (#\w{6})\)`)
		}
		for i, theme := range []string{"light", "dark"} {
			if c := contrast(text[i], on[i]); c < 4.5 {
				t.Errorf(".hl-%s, %s: contrast %.2f, want at least 4.5", class, theme, c)
			}
		}
	}
	if len(seen) < 10 {
		t.Errorf("only %d classes: %v", len(seen), seen)
	}
}

func stylesheet(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../web/static/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// colours are the luminances of the light and the dark colour of a declaration.
func colours(t *testing.T, sheet, pattern string) (out [2]float64) {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(sheet)
	if m == nil {
		t.Fatalf("no %s in %q", pattern, sheet)
	}
	for i, hex := range m[1:] {
		n, err := strconv.ParseUint(hex[1:], 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		for shift, weight := range map[int]float64{16: .2126, 8: .7152, 0: .0722} {
			c := float64(n>>shift&0xff) / 255
			if c <= .04045 {
				c /= 12.92
			} else {
				c = math.Pow((c+.055)/1.055, 2.4)
			}
			out[i] += weight * c
		}
	}
	return out
}

func contrast(a, b float64) float64 { return (max(a, b) + .05) / (min(a, b) + .05) }

// The words of a block are those that were written, whatever a lexer thinks.
func TestHighlightKeepsTheText(t *testing.T) {
	tags := regexp.MustCompile(`<span class="hl-[a-z]+">|</span>`)
	text := "func a(b *int) { return `c` + \"d\\n\" } // <e> & 'f'\n\tSELECT 1; $x = /re/ -- \"unclosed\n{\"k\": [1, null]}\r\n#!/bin/sh\n"
	for _, name := range lexers.Names() {
		_, got := highlight(name, text)
		got = html.UnescapeString(tags.ReplaceAllString(got, ""))
		if got != text {
			t.Errorf("%s: %q became %q", name, text, got)
		}
	}
}

func TestColouringEnds(t *testing.T) {
	if got, _ := colour(lexers.Get("go"), "package a // b", 0); got != `<span class="hl-keyword">package</span> a // b` {
		t.Errorf("after the first token the time is over: %q", got)
	}
	broken := chroma.MustNewLexer(&chroma.Config{Name: "broken"}, func() chroma.Rules {
		return chroma.Rules{"root": {{Pattern: `a`, Type: chroma.Keyword, Mutator: chroma.Push("nowhere")}}}
	})
	if got, _ := colour(broken, "a<b", time.Minute); got != "a&lt;b" {
		t.Errorf("with a broken lexer: %q", got)
	}
	if name, got := highlight("go", strings.Repeat("if ", maxColoured)); name != "Go" || strings.Contains(got, "<") {
		t.Errorf("a long text has colours")
	}
}

// A lexer whose patterns run wild on one text is left alone for a while.
func TestSlowLexersRest(t *testing.T) {
	wild := chroma.MustNewLexer(&chroma.Config{Name: "wild"}, func() chroma.Rules {
		return chroma.Rules{"root": {{Pattern: `(x+x+)+y`, Type: chroma.Keyword}, {Pattern: `.`, Type: chroma.Text}}}
	})
	got, slow := colour(wild, strings.Repeat("x", 64), 0)
	if !slow || got != strings.Repeat("x", 64) {
		t.Errorf("colour = %q, slow %v", got, slow)
	}
	m := &memory{resting: map[string]time.Time{}}
	now := time.Now()
	m.rest("wild", now)
	for _, c := range []struct {
		name  string
		after time.Duration
		want  bool
	}{{"wild", restsFor - 1, true}, {"Go", 0, false}, {"wild", restsFor, false}, {"wild", 0, false}} {
		if got := m.rests(c.name, now.Add(c.after)); got != c.want {
			t.Errorf("%s rests after %s: %v", c.name, c.after, got)
		}
	}
}

// What was shown lately is remembered, and no more than twice the bound of it.
func TestColoursAreRemembered(t *testing.T) {
	m := &memory{young: map[block]string{}}
	many := strings.Repeat("x", maxRemembered/4)
	for i := range 20 {
		m.put(blockOf("go", strconv.Itoa(i)), many)
		if _, ok := m.get(blockOf("go", "0")); !ok {
			t.Fatalf("what is asked for all the time was forgotten after %d", i)
		}
		if n := len(m.young) + len(m.old); n > 8 {
			t.Fatalf("%d blocks of a quarter of a generation are kept", n)
		}
	}
	if _, ok := m.get(blockOf("go", "1")); ok {
		t.Error("nothing was forgotten")
	}
	if blockOf("a", "bc") == blockOf("ab", "c") {
		t.Error("two blocks are one")
	}
}

// Pages are made by many requests at once, and lexers are compiled when they
// are first used.
func TestRenderConcurrently(t *testing.T) {
	text := "@ann **look**:\n```rust\nfn main() { println!(\"{}\", 1); }\n```\n:tada:"
	var all sync.WaitGroup
	results := make([]string, 8)
	for i := range results {
		all.Go(func() { results[i] = Render(text, known) })
	}
	all.Wait()
	for _, got := range results {
		if got != results[0] || !strings.Contains(got, "hl-keyword") {
			t.Errorf("Render gave %q and %q", got, results[0])
		}
	}
}
