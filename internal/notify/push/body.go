package push

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/watchroom/watchroom/internal/phrase"
)

// Markup is how a channel writes text and how much of it. The zero value of
// every field but Limit means plain text counted in characters.
type Markup struct {
	Limit  int                 // the most that Size may say of the whole body
	Size   func(string) int    // nil: characters
	Escape func(string) string // text from outside
	Item   func(Item) string   // a line of a bundle, escaped; nil: the escaped text alone
	Break  string              // between two lines; "" means a line end
}

// Body is everything but the subject, within m.Limit. When it does not fit, the
// message is cut first, and a bundle names fewer incidents and says how many
// it left out.
func (w Words) Body(m Markup) string {
	m = m.withDefaults()
	fits := func(body string) bool { return m.Size(body) <= m.Limit }
	switch {
	case len(w.Items) > 0:
		return w.itemsThatFit(m, fits)
	case w.Message == "":
		return w.shed(m, fits)
	}
	if whole := w.assemble(m, w.Message); fits(whole) {
		return whole
	}
	runes := []rune(w.Message)
	with := func(n int) string {
		return w.assemble(m, strings.TrimRightFunc(string(runes[:n]), unicode.IsSpace)+"…")
	}
	tooLong := sort.Search(len(runes), func(n int) bool { return !fits(with(n)) })
	if tooLong == 0 {
		return w.shed(m, fits)
	}
	return with(tooLong - 1)
}

func (w Words) itemsThatFit(m Markup, fits func(string) bool) string {
	with := func(n int) string {
		lines := make([]string, 0, n+1)
		for _, item := range w.Items[:n] {
			lines = append(lines, m.Item(item))
		}
		if left := len(w.Items) - n; left > 0 {
			lines = append(lines, m.Escape(phrase.N("notify.more", left)))
		}
		return w.join(m, lines)
	}
	if all := with(len(w.Items)); fits(all) {
		return all
	}
	tooMany := sort.Search(len(w.Items), func(n int) bool { return !fits(with(n)) })
	if tooMany == 0 {
		return w.shed(m, fits)
	}
	return with(tooMany - 1)
}

// shed leaves out closing lines, the reason last, until the body fits.
func (w Words) shed(m Markup, fits func(string) bool) string {
	for {
		body := w.join(m, nil)
		if fits(body) || len(w.Closing) == 0 {
			return body
		}
		w.Closing = w.Closing[1:]
	}
}

func (w Words) assemble(m Markup, message string) string {
	lines := strings.Split(message, "\n")
	for i, line := range lines {
		lines[i] = m.Escape(line)
	}
	return w.join(m, lines)
}

// join puts the opening and the closing around lines that are already escaped.
func (w Words) join(m Markup, lines []string) string {
	var parts []string
	for _, line := range w.Opening {
		parts = append(parts, m.Escape(line))
	}
	parts = append(parts, lines...)
	for _, line := range w.Closing {
		parts = append(parts, m.Escape(line))
	}
	return strings.Join(parts, m.Break)
}

func (m Markup) withDefaults() Markup {
	if m.Size == nil {
		m.Size = utf8.RuneCountInString
	}
	if m.Escape == nil {
		m.Escape = func(s string) string { return s }
	}
	if m.Item == nil {
		m.Item = func(i Item) string { return m.Escape(i.Text) }
	}
	if m.Break == "" {
		m.Break = "\n"
	}
	return m
}

// Line makes s one line of visible characters: single spaces, no controls, no
// marks that turn text around, at most limit characters.
func Line(s string, limit int) string {
	s = strings.Map(visible, strings.Join(strings.Fields(strings.ToValidUTF8(s, "\ufffd")), " "))
	return Cut(strings.TrimSpace(s), limit)
}

// text keeps the lines of s. Spaces at the beginning of a line are made
// unbreakable: some channels drop or interpret ordinary ones.
func text(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\t", "    ").Replace(s)
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		line = strings.TrimRightFunc(strings.Map(visible, line), unicode.IsSpace)
		rest := strings.TrimLeft(line, " ")
		lines[i] = strings.Repeat("\u00a0", len(line)-len(rest)) + rest
	}
	return Cut(strings.TrimSpace(strings.Join(lines, "\n")), limit)
}

// visible drops controls and the marks that reorder text; joiners stay, for scripts and emoji need them.
func visible(r rune) rune {
	if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\ufeff' {
		return -1
	}
	return r
}

// Cut shortens s to at most limit characters, the last of them an ellipsis.
func Cut(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	n := 0
	for i := range s {
		if n++; n == limit {
			return strings.TrimRightFunc(s[:i], unicode.IsSpace) + "…"
		}
	}
	return ""
}
