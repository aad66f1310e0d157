package email

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Alert fields come from outside. What they say is kept; what would end a
// header, hide text or turn it around is not.

// oneLine makes s fit for a header: no line ends or other controls, single
// spaces, at most limit characters.
func oneLine(s string, limit int) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\ufffd"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	s = strings.Map(visible, s)
	// "=?" would start an encoded word that we did not write.
	return cut(strings.ReplaceAll(s, "=?", "= ?"), limit)
}

// lines splits a text into its lines, each without controls.
func lines(s string, limit int) []string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
	s = cut(strings.TrimSpace(s), limit)
	if s == "" {
		return nil
	}
	all := strings.Split(s, "\n")
	for i, line := range all {
		all[i] = strings.TrimRightFunc(strings.Map(visible, strings.ReplaceAll(line, "\t", "    ")), unicode.IsSpace)
	}
	return all
}

// visible drops controls and the marks that reorder text; joiners stay, for scripts and emoji need them.
func visible(r rune) rune {
	if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\ufeff' {
		return -1
	}
	return r
}

func cut(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	n := 0
	for i := range s {
		if n++; n == limit {
			return strings.TrimRightFunc(s[:i], unicode.IsSpace) + "…"
		}
	}
	return s
}

// span is a piece of a line: plain, or a link to itself.
type span struct {
	Text string
	URL  string // "" for plain text
}

// spans finds the web addresses in a line.
func spans(line string) []span {
	var found []span
	rest := line
	for rest != "" {
		start, link := nextURL(rest)
		if link == "" {
			return append(found, span{Text: rest})
		}
		if start > 0 {
			found = append(found, span{Text: rest[:start]})
		}
		found = append(found, span{Text: link, URL: link})
		rest = rest[start+len(link):]
	}
	return found
}

// nextURL returns the first web address in s and where it starts. Punctuation
// that ends a sentence is not part of it, nor is a bracket opened before it.
func nextURL(s string) (start int, link string) {
	for start = 0; start < len(s); start++ {
		rest := s[start:]
		scheme := ""
		for _, try := range []string{"https://", "http://"} {
			if len(rest) > len(try) && strings.EqualFold(rest[:len(try)], try) {
				scheme = try
			}
		}
		if scheme == "" {
			continue
		}
		end := strings.IndexFunc(rest, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("<>\"`", r) })
		if end < 0 {
			end = len(rest)
		}
		const closing = ".,;:!?'*_"
		link = strings.TrimRight(rest[:end], closing)
		for strings.HasSuffix(link, ")") && strings.Count(link, ")") > strings.Count(link, "(") {
			link = strings.TrimRight(strings.TrimSuffix(link, ")"), closing)
		}
		if len(link) > len(scheme) {
			return start, link
		}
	}
	return len(s), ""
}
