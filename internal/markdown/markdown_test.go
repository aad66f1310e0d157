package markdown

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// known is the organisation of these tests.
var known = Options{
	Mention: func(handle string) (name, href string, me, ok bool) {
		switch handle {
		case "ann":
			return "Ann Berg", "/people/ann", true, true
		case "bob.lee":
			return "Bob Lee", "/people/bob.lee", false, true
		case "@dba":
			return "Databases", "/teams/dba", false, true
		case "oncall", "oncall:dba":
			return handle, "", false, true
		case "here":
			return "", "", true, true
		case "mallory":
			return `<img src=x onerror=alert(1)>`, `javascript:alert(1)`, false, true
		}
		return "", "", false, false
	},
	Incident: func(n int64) (title, state, href string, ok bool) {
		return `Disk <full> on "db01"`, "acknowledged", "/incidents/12", n == 12
	},
	Room: func(slug string) (href string, ok bool) { return "/rooms/" + slug, slug == "ops" || slug == "12-days" },
}

// Each testdata/*.md is rendered into the .html of the same name and put into
// words in the .txt.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("testdata: %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			base := strings.TrimSuffix(file, ".md")
			compare(t, base+".html", Render(string(source), known))
			compare(t, base+".txt", Plain(string(source))+"\n")
		})
	}
}

func compare(t *testing.T, golden, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatalf("%v (make it with -update)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", golden, diff)
	}
}

const away = ` rel="noopener noreferrer nofollow" target="_blank"`

func TestRender(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", " \n", ""},
		{"a newline is a line break", "hello\nworld", "<p>hello<br>\nworld</p>\n"},
		{"an empty line is a paragraph", "hello\n\n\nworld", "<p>hello</p>\n<p>world</p>\n"},
		{"lines of another system", "a\r\nb\rc", "<p>a<br>\nb<br>\nc</p>\n"},
		{"control characters are no text", "a\x00\x1b[31mb\xff", "<p>a[31mb\uFFFD</p>\n"},
		{"signs of HTML", `<b onclick="x">5 > 3 & 'so'`, "<p>&lt;b onclick=&#34;x&#34;&gt;5 &gt; 3 &amp; &#39;so&#39;</p>\n"},
		{"HTML in the midst of Markdown", "*a* <script>alert(1)</script>", "<p><em>a</em> &lt;script&gt;alert(1)&lt;/script&gt;</p>\n"},
		{"a quote ends with its line", "> quoted\nanswer", "<blockquote>\n<p>quoted</p>\n</blockquote>\n<p>answer</p>\n"},
		{"not in code", "```\n> quoted\nanswer\n```", code("", "&gt; quoted\nanswer\n")},
		{"a heading is small", "# a\n## b\n### c\n#### d", "<h4>a</h4>\n<h5>b</h5>\n<h6>c</h6>\n<h6>d</h6>\n"},
		{"a line under a text is a line", "a\n---\nb", "<p>a</p>\n<hr>\n<p>b</p>\n"},
		{"a signature is no table", "Thanks\n-- \nBob", "<p>Thanks<br>\n--<br>\nBob</p>\n"},
		{"a lone sign is shown", "#", "<p>#</p>\n"},
		{"an empty list is shown", "-", "<p>-</p>\n"},
		{"an empty block is shown", "```", "<p>```</p>\n"},
		{"a definition is shown", "[a]: https://b.example", `<p>[a]: <a href="https://b.example"` + away + ">https://b.example</a></p>\n"},
		{"an address", "see https://a.example/b?c=1&d=2.", `<p>see <a href="https://a.example/b?c=1&amp;d=2"` + away + ">https://a.example/b?c=1&amp;d=2</a>.</p>\n"},
		{"an address at work", "http://db01:9090/graph", `<p><a href="http://db01:9090/graph"` + away + ">http://db01:9090/graph</a></p>\n"},
		{"an address in brackets", "(https://a.example/b_(c))", `<p>(<a href="https://a.example/b_(c)"` + away + ">https://a.example/b_(c)</a>)</p>\n"},
		{"a mail address is no mention", "ann@example.org", "<p><a href=\"mailto:ann@example.org\">ann@example.org</a></p>\n"},
		{"a page of ours", "[it](/incidents/4)", "<p><a href=\"/incidents/4\">it</a></p>\n"},
		{"an address that runs", "[it](javascript:alert(1))", "<p>it (javascript:alert(1))</p>\n"},
		{"one in disguise", "[it](&#106;avascript:alert(1)) <javascript:alert(1)>", "<p>it (&amp;#106;avascript:alert(1)) javascript:alert(1)</p>\n"},
		{"the host of who knows what", "[it](//evil.example) [it](/\\evil.example) [it](///evil.example)", "<p>it (//evil.example) it (/\\evil.example) it (///evil.example)</p>\n"},
		{"data", "[it](data:text/html,x)", "<p>it (data:text/html,x)</p>\n"},
		{"a picture is a link", "![a](https://b.example/c.png)", `<p><a href="https://b.example/c.png"` + away + ">a</a></p>\n"},
		{"a picture without words", "![](https://b.example/c.png)", `<p><a href="https://b.example/c.png"` + away + ">https://b.example/c.png</a></p>\n"},
		{"a picture in a link", "[![a](https://b.example)](https://c.example)", `<p><a href="https://c.example"` + away + ">a (https://b.example)</a></p>\n"},
		{"a link in a picture", "![[a](https://b.example)](https://c.example)", `<p><a href="https://c.example"` + away + ">a (https://b.example)</a></p>\n"},
		{"a mention in a link", "[@ann](https://a.example)", `<p><a href="https://a.example"` + away + "><span class=\"mention mention-me\" title=\"@ann\">@Ann Berg</span></a></p>\n"},
		{"me", "@ann", "<p><a href=\"/people/ann\" class=\"mention mention-me\" title=\"@ann\">@Ann Berg</a></p>\n"},
		{"a handle with a dot ends a sentence", "ask @bob.lee.", "<p>ask <a href=\"/people/bob.lee\" class=\"mention\" title=\"@bob.lee\">@Bob Lee</a>.</p>\n"},
		{"a team", "@@dba!", "<p><a href=\"/teams/dba\" class=\"mention\" title=\"@@dba\">@Databases</a>!</p>\n"},
		{"who is on call", "@oncall:dba: please", "<p><span class=\"mention\">@oncall:dba</span>: please</p>\n"},
		{"of a team that is none", "@oncall:nobody please", "<p>@oncall:nobody please</p>\n"},
		{"all", "@here", "<p><span class=\"mention mention-me\">@here</span></p>\n"},
		{"nobody", "@nobody @", "<p>@nobody @</p>\n"},
		{"a mention in code", "`@ann`", "<p><code>@ann</code></p>\n"},
		{"a hostile name", "@mallory", "<p><span class=\"mention\" title=\"@mallory\">@&lt;img src=x onerror=alert(1)&gt;</span></p>\n"},
		{"an incident", "see #12.", "<p>see <a href=\"/incidents/12\" class=\"incident-ref\" title=\"Disk &lt;full&gt; on &#34;db01&#34;\" data-incident-ref=\"12\" data-state=\"acknowledged\">#12</a>.</p>\n"},
		{"no incident", "#13 #012 #12a x#12 &#62;", "<p>#13 #012 #12a x#12 &gt;</p>\n"},
		{"a room", "#ops, #12-days-", "<p><a href=\"/rooms/ops\" class=\"room-ref\">#ops</a>, <a href=\"/rooms/12-days\" class=\"room-ref\">#12-days</a>-</p>\n"},
		{"an emoji among words", "done :tada: main.go:100:7 a:b:c", "<p>done 🎉 main.go:100:7 a:b:c</p>\n"},
		{"emoji alone", " :tada:  👍🏽 ❤️", "<p class=\"emoji-only\">🎉  👍🏽 ❤️</p>\n"},
		{"a key cap", "1️⃣", "<p class=\"emoji-only\">1️⃣</p>\n"},
		{"a number", "1", "<p>1</p>\n"},
		{"too many emoji", strings.Repeat("🎉", maxLarge+1), "<p>" + strings.Repeat("🎉", maxLarge+1) + "</p>\n"},
		{"code", "```go\nx := 1 // one\n```", code("Go", "x := <span class=\"hl-number\">1 </span><span class=\"hl-comment\">// one\n</span>")},
		{"code of a language nobody knows", "```\"><b>\nx\n```", code("&#34;&gt;&lt;b&gt;", "x\n")},
		{"too deep", strings.Repeat("> ", 100) + "a", "<p>" + strings.Repeat("&gt; ", 100) + "a</p>\n"},
		{"too wide", "|" + strings.Repeat("a|", 70) + "\n|" + strings.Repeat("-|", 70), "<p>|" + strings.Repeat("a|", 70) + "<br>\n|" + strings.Repeat("-|", 70) + "</p>\n"},
		{"too long", "*a*" + strings.Repeat("b", MaxText), "<p>*a*" + strings.Repeat("b", MaxText) + "</p>\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Render(c.text, known)); diff != "" {
				t.Errorf("Render(%.80q) (-want +got):\n%s", c.text, diff)
			}
		})
	}
}

// code is the HTML of a block.
func code(language, html string) string {
	return `<div class="md-code" data-code=""><div class="md-code-head"><span class="code-lang">` + language +
		`</span><button type="button" class="code-copy" data-copied="Copied">Copy</button></div><pre tabindex="0"><code>` + html + "</code></pre></div>\n"
}

func TestCode(t *testing.T) {
	if got, want := Code("", "a <b>\r\n"), code("", "a &lt;b&gt;"); got != want {
		t.Errorf("Code = %q, want %q", got, want)
	}
}

func TestPlain(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"as it is", "The disk is full.\nLook: 97 %", "The disk is full.\nLook: 97 %"},
		{"signs go", "**a** _b_ `*c*` ~~d~~ \\* &amp;", "a b *c* d * &"},
		{"a link keeps its label", "[a](https://b.example) https://c.example", "a https://c.example"},
		{"an address that runs is seen", "[a](javascript:b)", "a (javascript:b)"},
		{"pictures", "![a](https://b.example) ![](https://c.example)", "a https://c.example"},
		{"names stay", "@ann #12 #ops :tada: :nothing:", "@ann #12 #ops 🎉 :nothing:"},
		{"lists", "3. a\n4. b\n   - [x] c", "3. a\n4. b\n- [x] c"},
		{"a table", "| a | b |\n|---|---|\n| 1 | 2 |", "a | b\n1 | 2"},
		{"code", "It:\n```sh\ndf -h\n```\nso", "It:\ndf -h\nso"},
		{"a quote and its answer", "> a\nb", "a\nb"},
		{"a lone sign", "-", "-"},
		{"no control characters", "*a*&#27;[31m&#13;&#10;b", "a[31m\nb"},
	} {
		if got := Plain(c.text); got != c.want {
			t.Errorf("%s: Plain(%q) = %q, want %q", c.name, c.text, got, c.want)
		}
	}
}

func TestFirstLines(t *testing.T) {
	for _, c := range []struct {
		name, text   string
		lines, chars int
		want         string
	}{
		{"all of it", "a\nb", 2, 10, "a\nb"},
		{"lines are missing", "a\n\nb\nc", 2, 10, "a\nb…"},
		{"characters are missing", "überall", 1, 4, "übe…"},
		{"just enough", "über", 1, 4, "über"},
		{"both, and the ellipsis has room", "über\nb", 1, 4, "übe…"},
		{"no sign of Markdown", "**a**", 1, 10, "a"},
		{"nothing", "", 1, 10, ""},
		{"no room", "a", 1, 0, ""},
	} {
		if got := FirstLines(c.text, c.lines, c.chars); got != c.want {
			t.Errorf("%s: FirstLines(%q, %d, %d) = %q, want %q", c.name, c.text, c.lines, c.chars, got, c.want)
		}
	}
}

// What somebody invents to keep the server busy costs them more than us. The
// limit is wide because machines that test are slow; what it guards against
// takes minutes.
func TestWorkIsBounded(t *testing.T) {
	fill := func(s string) string { return strings.Repeat(s, MaxText/len(s)) }
	var stairs strings.Builder
	for i := 0; stairs.Len() < MaxText-500; i++ {
		stairs.WriteString(strings.Repeat("  ", i) + "- a\n")
	}
	texts := []string{
		stairs.String(), fill("["), fill("[a]("), fill("![a]("), fill("[a](<"), fill("*a **b "), fill("a**b"), fill("`a``"), fill("<a:"), fill("&#"),
		"|" + strings.Repeat("a|", maxColumns) + "\n|" + strings.Repeat("-|", maxColumns-1) + "\n" + fill("a\n")[:MaxText-300],
		fill("|\n"), fill("> "), fill(">\n"), fill("- \n"), fill("~~a "), fill("~~~\n"), fill("@ann "), fill("#12 "), fill(":a"), fill(":a:"), fill("a@b.c "),
		fill("http://a.b/ "), fill("http://a(("), fill("x.-"), fill("1."), fill("\\\n"), fill("www.a.b "), fill("*[a"),
	}
	for _, language := range []string{"go", "html", "javascript", "python", "bash", "yaml", "json", "sql", "perl", "ruby"} {
		for _, s := range []string{"\"\\", "<a ", "/a", "$((", "{\"a\":", "'", "a(", "%{"} {
			texts = append(texts, "```"+language+"\n"+fill(s)[:maxColoured])
		}
	}
	for _, text := range texts {
		start := time.Now()
		html := Render(text, known)
		Plain(text)
		if took := time.Since(start); took > 3*time.Second || len(html) > 20*MaxText {
			t.Errorf("%.40q took %v and became %d bytes", text, took, len(html))
		}
	}
}

func BenchmarkRender(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"plain", "The disk is nearly full, I am looking at it now.\nCleaning up old snapshots first; that takes ten minutes.\nThen we will see."},
		{"markup", "@ann the disk of **db01** is full again, see #12.\nRunbook: https://wiki.example.org/runbooks/disk-full?v=2\nI ran `df -h` and it says _97 %_ :eyes:"},
		{"code", "It says:\n```go\nfunc main() {\n\tfmt.Println(\"disk full\", 97) // really\n}\n```"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Render(c.text, known)
			}
		})
	}
}
