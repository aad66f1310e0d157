package markdown

import (
	"html"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/util"
)

// plain reports whether a text has nothing that Markdown would change, which
// most lines of a chat have not. It may say no to a text that is plain.
func plain(source string) bool {
	start := true   // nothing but spaces since the line began
	number := false // nothing but digits since then
	spaces := 0
	for i := 0; i < len(source); i++ {
		c := source[i]
		switch c {
		case '\n':
			if i > 0 && source[i-1] == ' ' {
				return false // two spaces are a break, and are not shown
			}
			start, number, spaces = true, false, 0
			continue
		case ' ':
			if start {
				spaces++
			}
			continue
		case '\t', '\\', '`', '*', '_', '~', '[', '<', '&', '@', '#', '|':
			return false
		case '-', '+', '>', '=':
			if start {
				return false
			}
		case '.', ')':
			if number {
				return false // "1. "
			}
			if c == '.' && i >= 3 && source[i-3:i] == "www" {
				return false
			}
		case ':':
			rest := source[i+1:]
			if strings.HasPrefix(rest, "//") || len(rest) > 1 && strings.HasPrefix(rest[len(span(rest, shortcode)):], ":") {
				return false
			}
		}
		if start && spaces > 3 {
			return false
		}
		number = (start || number) && c >= '0' && c <= '9'
		start = false
	}
	return true
}

// literal is the HTML of a text as it was typed.
func literal(source string) string {
	var b strings.Builder
	b.Grow(len(source) + len(source)/8 + 16)
	open := false
	for line := range strings.Lines(source) {
		line = strings.TrimRight(line, " \t\n")
		switch {
		case line == "":
			if open {
				b.WriteString("</p>\n")
			}
			open = false
			continue
		case open:
			b.WriteString("<br>\n")
		default:
			b.WriteString("<p>")
		}
		open = true
		b.WriteString(html.EscapeString(strings.TrimLeft(line, " \t")))
	}
	if open {
		b.WriteString("</p>\n")
	}
	return b.String()
}

// Plain is a message in words alone: for a push, a mail, a hit of a search.
// Signs of Markdown are gone, code and the labels of links are there, and each
// block begins on a line of its own.
func Plain(typed string) string {
	source := clean(typed)
	if plain(source) || tooMuch(source) {
		return source
	}
	source = endQuotes(source)
	doc := parse(source, Options{})
	if deep(doc, maxDepth) || !says(doc, []byte(source)) {
		return source
	}
	w := words{source: []byte(source)}
	w.node(doc)
	if out := strings.TrimSpace(clean(w.String())); out != "" { // "&#27;" is a control character only now
		return out
	}
	return source
}

// FirstLines is the beginning of Plain: so many lines, each on its own, and so
// many characters in all. An ellipsis says that something is missing.
func FirstLines(typed string, lines, chars int) string {
	var kept []string
	more := false
	for line := range strings.Lines(Plain(typed)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			continue
		case len(kept) == lines:
			more = true
		default:
			kept = append(kept, line)
		}
	}
	out := strings.Join(kept, "\n")
	if utf8.RuneCountInString(out) > chars {
		runes := []rune(out)
		out, more = strings.TrimRight(string(runes[:max(0, chars-1)]), " \n"), true
	} else if more && utf8.RuneCountInString(out) == chars {
		out = string([]rune(out)[:max(0, chars-1)])
	}
	if more && chars > 0 {
		out += "…"
	}
	return out
}

// words collects the text of a tree.
type words struct {
	strings.Builder
	source []byte
	last   byte
}

func (w *words) write(s string) {
	if s != "" {
		w.WriteString(s)
		w.last = s[len(s)-1]
	}
}

func (w *words) newLine() {
	if w.Len() > 0 && w.last != '\n' {
		w.write("\n")
	}
}

func (w *words) node(n ast.Node) {
	switch n := n.(type) {
	case *ast.Text:
		w.write(meaning(n, w.source))
		if n.SoftLineBreak() || n.HardLineBreak() {
			w.write("\n")
		}
	case *ast.String:
		w.write(string(n.Value))
	case *ast.AutoLink:
		w.write(string(n.Label(w.source)))
	case *reference:
		w.write(n.plain())
	case *extast.TaskCheckBox:
		w.write(map[bool]string{true: "[x] ", false: "[ ] "}[n.IsChecked])
	case *ast.Image:
		if !n.HasChildren() {
			w.write(string(n.Destination))
		}
		w.inside(n)
	case *ast.Link:
		w.inside(n)
		if dest := string(n.Destination); !safe(dest) {
			w.write(" (" + dest + ")")
		}
	case *extast.TableCell:
		if n.PreviousSibling() != nil {
			w.write(" | ")
		}
		w.inside(n)
	case *ast.ListItem:
		w.newLine()
		w.write(bullet(n))
		w.inside(n)
	default:
		if _, item := n.Parent().(*ast.ListItem); n.Type() == ast.TypeBlock && (!item || n.PreviousSibling() != nil) {
			w.newLine()
		}
		if n.Type() == ast.TypeBlock && n.IsRaw() {
			w.write(string(n.Lines().Value(w.source)))
		}
		w.inside(n)
	}
}

func (w *words) inside(n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		w.node(c)
	}
}

// bullet is what stands before an item of a list.
func bullet(item *ast.ListItem) string {
	list, ok := item.Parent().(*ast.List)
	if !ok || !list.IsOrdered() {
		return "- "
	}
	number := list.Start
	for c := item.PreviousSibling(); c != nil; c = c.PreviousSibling() {
		number++
	}
	return strconv.Itoa(number) + ". "
}

// meaning is what a piece of text stands for: escapes and entities resolved,
// except in code, where there are none.
func meaning(n *ast.Text, source []byte) string {
	value := n.Segment.Value(source)
	if _, code := n.Parent().(*ast.CodeSpan); code || n.IsRaw() {
		return string(value)
	}
	return string(util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(value))))
}
