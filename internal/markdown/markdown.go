// Package markdown turns what people and programs write into HTML that may
// stand in a page, and into plain words for everything that is not a page. It
// reads GitHub's Markdown with the habits of chat: a newline is a line break, a
// quote ends with its line, HTML is shown and not obeyed, pictures of other
// hosts become links, and nothing that somebody wrote disappears.
//
// It promises that the HTML of Render carries no script, no style and no
// address that would run something, whatever the text is: goldmark writes it,
// bluemonday lets pass what policy names, and a fuzz test holds it. It promises
// bounded work: what is too long, too deep or too wide is shown as it was
// typed. Who is meant by "@ann" or "#12" is for the caller to say; colours are
// in the style sheet markdown.css.
package markdown

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// Limits of what is read as Markdown; beyond them a text is shown as it was typed.
const (
	MaxText    = 40_000 // bytes
	maxDepth   = 32     // containers within containers
	maxLinks   = 500    // each may reach to the end, as far as a parser knows
	maxRefs    = 200    // references that are looked up; later ones stay text
	maxColumns = 64     // of a table: short rows are filled up to its width
)

// Options say who and what the signs in a text stand for. A nil function knows
// nobody, and what it does not know stays text.
type Options struct {
	// Mention answers for what stands after the first "@": "ann", "@dba" (a
	// team), "oncall", "oncall:dba", "here". name is what to call them; href may
	// be ""; me says that the reader is among them.
	Mention func(handle string) (name, href string, me, ok bool)
	// Incident answers for "#12": its title, its state and its page.
	Incident func(n int64) (title, state, href string, ok bool)
	// Room answers for "#ops".
	Room func(slug string) (href string, ok bool)
}

// Render returns the HTML of a message.
func Render(typed string, opt Options) string {
	source := clean(typed)
	if chars, ok := onlyEmoji(strings.TrimSpace(source)); ok {
		return `<p class="emoji-only">` + chars + "</p>\n"
	}
	if plain(source) || tooMuch(source) {
		return literal(source)
	}
	source = endQuotes(source)
	doc := parse(source, opt)
	if deep(doc, maxDepth) || !says(doc, []byte(source)) {
		return literal(source)
	}
	var page page
	page.Grow(3 * len(source))
	if err := engine().renderer.Render(&page, []byte(source), doc); err != nil {
		return literal(source)
	}
	return policy().SanitizeReader(&page).String()
}

// page is a buffer as goldmark wants it, to spare the one it would put in front.
type page struct{ bytes.Buffer }

// Buffered implements util.BufWriter.
func (p *page) Buffered() int { return p.Len() }

// Flush implements util.BufWriter.
func (p *page) Flush() error { return nil }

func parse(source string, opt Options) ast.Node {
	pc := parser.NewContext()
	pc.Set(rendering, &lookup{Options: opt})
	return engine().parser.Parse(text.NewReader([]byte(source)), parser.WithContext(pc))
}

// clean makes lines end in "\n" and takes away what no text has: broken UTF-8
// and control characters.
func clean(s string) string {
	ok := utf8.ValidString(s)
	for i := 0; ok && i < len(s); i++ {
		ok = s[i] >= ' ' && s[i] != 0x7f || s[i] == '\n' || s[i] == '\t'
	}
	if !ok {
		s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
		s = strings.Map(func(r rune) rune {
			switch {
			case r == '\r':
				return '\n'
			case r < ' ' && r != '\n' && r != '\t', r == 0x7f:
				return -1
			}
			return r
		}, s)
	}
	return strings.TrimRight(strings.TrimLeft(s, "\n"), " \t\n")
}

// endQuotes parts a quote from the line that follows it. Markdown would add
// that line to the quote, which in chat is the answer to it.
func endQuotes(source string) string {
	if !strings.Contains(source, ">") {
		return source
	}
	var b strings.Builder
	fence, quoted := "", false
	for line := range strings.Lines(source) {
		rest := strings.TrimLeft(line, " ")
		indented := len(line)-len(rest) > 3
		switch mark := fenceOf(rest); {
		case indented || mark == "":
		case fence == "":
			fence = mark
		case strings.HasPrefix(mark, fence) && strings.TrimLeft(rest, mark[:1]) == strings.TrimLeft(rest[len(mark):], " "):
			if strings.TrimSpace(rest[len(mark):]) == "" {
				fence = ""
			}
		}
		quote := fence == "" && !indented && strings.HasPrefix(rest, ">")
		if quoted && !quote && strings.TrimSpace(line) != "" {
			b.WriteByte('\n')
		}
		quoted = quote
		b.WriteString(line)
	}
	return b.String()
}

// fenceOf returns the run of signs that opens or closes a block of code.
func fenceOf(line string) string {
	for _, sign := range []string{"`", "~"} {
		if n := len(line) - len(strings.TrimLeft(line, sign)); n >= 3 {
			return line[:n]
		}
	}
	return ""
}

// tooMuch reports whether reading the text as Markdown could be out of
// proportion to its length.
func tooMuch(source string) bool {
	if len(source) > MaxText || strings.Count(source, "](") > maxLinks {
		return true
	}
	for line := range strings.Lines(source) {
		if strings.Count(line, "|") > maxColumns && strings.Trim(line, "|:- \t\n") == "" {
			return true
		}
		if containers(line) > maxDepth {
			return true
		}
	}
	return false
}

// containers counts the signs of quotes and lists that a line begins with.
func containers(line string) int {
	n := 0
	for {
		line = strings.TrimLeft(line, " \t")
		digits := strings.TrimLeft(line, "0123456789")
		switch {
		case strings.HasPrefix(line, ">"):
			line = line[1:]
		case len(line) > 1 && strings.ContainsRune("-+*", rune(line[0])) && (line[1] == ' ' || line[1] == '\t'):
			line = line[2:]
		case len(digits) < len(line) && len(digits) > 1 && strings.ContainsRune(".)", rune(digits[0])) && (digits[1] == ' ' || digits[1] == '\t'):
			line = digits[2:]
		default:
			return n
		}
		n++
	}
}

// deep reports whether a tree has more than limit levels.
func deep(n ast.Node, limit int) bool {
	if limit < 0 {
		return true
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if c.HasChildren() && deep(c, limit-1) {
			return true
		}
	}
	return false
}

// says reports whether there is anything to read in a tree. A lone "#" or "-"
// would be an empty heading or list, and the message would look lost.
func says(n ast.Node, source []byte) bool {
	switch n := n.(type) {
	case *ast.Text:
		return len(bytes.TrimSpace(n.Segment.Value(source))) > 0
	case *ast.String:
		return len(n.Value) > 0
	case *ast.AutoLink, *reference, *ast.Image:
		return true
	}
	if n.IsRaw() && n.Type() == ast.TypeBlock {
		return len(bytes.TrimSpace(n.Lines().Value(source))) > 0
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if says(c, source) {
			return true
		}
	}
	return false
}
