package markdown

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"
)

func seeds(f *testing.F) {
	for _, s := range []string{
		"hello\nworld", "*a* **b** `c` ~~d~~ <b>e</b>", "> q\na", "# a\n- [x] b\n  1. c", "| a | b |\n|--:|---|\n| `|` | [x](y) |", "```go\nx := 1\n```\n    code",
		"[a](javascript:alert(1)) ![b](data:text/html,c) <javascript:x>", "[a](https://b \"c\" onclick=d)", "@ann @@dba. #12 #ops :tada:", "<script>x</script><!-- -->",
		"[![a](b)](c) ![[a](b)](c)", "https://a.b/\"onmouseover=x", "\\<a href='x'\\>", "&lt;script&gt; &#x3c;img src=x onerror=y&#x3e;", "🎉👍🏽 :+1:",
		"[a](<https://b/ c>) <https://x.y/<z>>", "```\"><script>\nx\n```", "[x](https://a%zz) [y](https://[::1]:1/?q=%00#f)", "a\x00b\xff\u202e", "1. a\n\n2) b\n-- \n***",
		"` `  ", "[0](///%)",
	} {
		f.Add(s)
	}
}

// Whatever was typed, the HTML has the elements and attributes that ours may
// have, its elements are closed, and it passes the policy unchanged.
func FuzzRender(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		got := Render(text, known)
		if again := policy().Sanitize(got); again != got {
			t.Errorf("Render(%q) = %q, and the policy makes of it %q", text, got, again)
		}
		if !utf8.ValidString(got) {
			t.Errorf("Render(%q) = %q: not UTF-8", text, got)
		}
		inspect(t, text, got)
		if strings.TrimSpace(clean(text)) != "" && strings.TrimSpace(got) == "" {
			t.Errorf("Render(%q) is empty", text)
		}
	})
}

var (
	elements = strings.Fields("br p strong em del code pre blockquote hr ul ol li h4 h5 h6 table thead tbody tr th td input div button span a")
	single   = []string{"br", "hr", "input"}
)

// inspect does not trust the policy: it reads the HTML with other eyes.
func inspect(t *testing.T, text, got string) {
	t.Helper()
	var open []string
	z := html.NewTokenizer(strings.NewReader(got))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("Render(%q) = %q: %v is not closed", text, got, open)
			}
			return
		case html.StartTagToken, html.SelfClosingTagToken:
			tag := z.Token()
			if !slices.Contains(elements, tag.Data) || tag.Data == "a" && slices.Contains(open, "a") {
				t.Errorf("Render(%q) = %q: <%s>", text, got, tag.Data)
			}
			if !slices.Contains(single, tag.Data) {
				open = append(open, tag.Data)
			}
			for _, a := range tag.Attr {
				value := strings.ToLower(a.Val)
				switch {
				case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "src", a.Key == "id", a.Key == "name":
					t.Errorf("Render(%q) = %q: %s", text, got, a.Key)
				case a.Key == "href" && !strings.HasPrefix(value, "https://") && !strings.HasPrefix(value, "http://") && !strings.HasPrefix(value, "mailto:") &&
					!strings.HasPrefix(value, "tel:") && !strings.HasPrefix(value, "#") && (!strings.HasPrefix(value, "/") || strings.HasPrefix(value, "//")):
					t.Errorf("Render(%q) = %q: href %q", text, got, a.Val)
				}
			}
		case html.EndTagToken:
			name := z.Token().Data
			if len(open) == 0 || open[len(open)-1] != name {
				t.Fatalf("Render(%q) = %q: </%s> closes %v", text, got, name, open)
			}
			open = open[:len(open)-1]
		case html.CommentToken, html.DoctypeToken:
			t.Errorf("Render(%q) = %q: %s", text, got, z.Token())
		case html.TextToken:
		}
	}
}

// The short way for plain text gives what the long way would.
func FuzzPlain(f *testing.F) {
	seeds(f)
	f.Add("1986. A year\n 10:30 - so it is (3) = ok + more\n\n  b")
	f.Fuzz(func(t *testing.T, text string) {
		words := Plain(text)
		if !utf8.ValidString(words) {
			t.Errorf("Plain(%q) = %q: not UTF-8", text, words)
		}
		if strings.TrimSpace(clean(text)) != "" && strings.TrimSpace(words) == "" {
			t.Errorf("Plain(%q) is empty", text)
		}
		source := clean(text)
		if !plain(source) || strings.TrimSpace(source) == "" || len(source) > MaxText {
			return
		}
		var long page
		if err := engine().renderer.Render(&long, []byte(source), parse(endQuotes(source), known)); err != nil {
			t.Fatal(err)
		}
		if got, want := literal(source), policy().Sanitize(long.String()); got != want {
			t.Errorf("literal(%q) = %q, Markdown says %q", source, got, want)
		}
	})
}
