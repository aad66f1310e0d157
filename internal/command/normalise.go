package command

import (
	"cmp"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Normalise undoes what phones and chat products do to what people type: curly
// quotes, a dash in the place of the two before an option, spaces of all kinds,
// characters that cannot be seen, Slack's <url|text>. Code is left as it is but
// for what cannot be seen, and so is the inside of straight quotes, where curly
// ones were meant. It is idempotent.
func Normalise(text string) string {
	text = visible(text)
	var b strings.Builder
	from := 0
	flush := func(to int) {
		b.WriteString(unlink(spaces(text[from:to])))
		from = to
	}
	for i := 0; i < len(text); {
		if text[i] != '`' {
			i++
			continue
		}
		end, _ := codeSpan(text, i)
		if end < 0 {
			i += ticks(text, i)
			continue
		}
		flush(i)
		b.WriteString(text[i:end])
		from, i = end, end
	}
	flush(len(text))
	return straight(b.String())
}

// visible drops what nobody sees and might read differently from what is run:
// control characters, spaces without width, marks that turn the direction.
// Joiners stay; emoji are made with them.
func visible(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(text, "\uFFFD"))
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\u200c' || r == '\u200d':
			return r
		case r == '\u2028' || r == '\u2029':
			return '\n'
		case unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) && !tagged(r):
			return -1
		}
		return r
	}, text)
}

// tagged are the characters that make flags of regions.
func tagged(r rune) bool { return r >= 0xE0020 && r <= 0xE007F }

func spaces(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Zs, r) {
			return ' '
		}
		return r
	}, text)
}

var (
	link    = regexp.MustCompile(`^((?:https?|ftp|mailto|tel):[^\s<>|]+)(?:\|([^<>|]*))?$`)
	mention = regexp.MustCompile(`^([@#])([^\s<>|]+)(?:\|([^\s<>|]+))?$`)
	special = regexp.MustCompile(`^!(?:(here|channel|everyone)(?:\|[^<>|]*)?|subteam\^([^\s<>|]+)(?:\|([^\s<>|]+))?)$`)
)

// unlink reads what stands in angle brackets as Slack writes it. The innermost
// come first, so that nothing is left for a second time.
func unlink(text string) string {
	if !strings.Contains(text, ">") {
		return text
	}
	out := make([]byte, 0, len(text))
	var open []int // where in out a < stands that may still get its >
	for i := range len(text) {
		out = append(out, text[i])
		switch {
		case text[i] == '<':
			open = append(open, len(out)-1)
		case text[i] == '>' && len(open) > 0:
			at := open[len(open)-1]
			if plain, ok := linked(string(out[at+1 : len(out)-1])); ok {
				out = append(out[:at], plain...)
				open = open[:len(open)-1]
			} else {
				open = open[:0] // what encloses a bracket is no link
			}
		}
	}
	return string(out)
}

// linked is what somebody typed to have it made into s.
func linked(s string) (string, bool) {
	if m := link.FindStringSubmatch(s); m != nil {
		address := m[1]
		if m[2] != "" && strings.HasSuffix(strings.TrimSuffix(address, "/"), strings.TrimSuffix(m[2], "/")) {
			return m[2], true
		}
		return address, true
	}
	if m := mention.FindStringSubmatch(s); m != nil {
		return m[1] + cmp.Or(strings.TrimLeft(m[3], "@#"), m[2]), true
	}
	if m := special.FindStringSubmatch(s); m != nil {
		if m[1] != "" {
			return "@" + m[1], true
		}
		return "@@" + cmp.Or(strings.TrimLeft(m[3], "@"), m[2]), true
	}
	return "", false
}

// quotes of each of the two kinds, the straight one first.
const (
	doubles = `"“”„‟″«»`
	singles = `'‘’‚‛′`
)

// straight makes quotes straight, and dashes where an option begins two. What
// stands between two straight quotes stays.
func straight(text string) string {
	var b strings.Builder
	start := true // a token may begin here
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		rest := text[i+size:]
		switch {
		case r == '`':
			if end, _ := codeSpan(text, i); end >= 0 {
				b.WriteString(text[i:end])
				i, start = end, false
				continue
			}
			size = ticks(text, i)
			b.WriteString(text[i : i+size])
			start = false
		case start && strings.ContainsRune(doubles, r):
			size = inQuotes(&b, text[i:], doubles)
			start = false
		case start && strings.ContainsRune(singles, r):
			size = inQuotes(&b, text[i:], singles)
			start = false
		case start && (r == '—' || r == '–') && beginsLetter(rest):
			b.WriteString("--")
			start = false
		case strings.ContainsRune(doubles, r):
			b.WriteByte('"')
			start = false
		case strings.ContainsRune(singles, r):
			b.WriteByte('\'')
			start = false
		default:
			b.WriteRune(r)
			start = r == ' ' || r == '\n' || r == '\t' || r == '=' || r == ':'
		}
		i += size
	}
	return b.String()
}

func beginsLetter(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// inQuotes writes from an opening quote to its end and returns how far that is
// in text; just the quote when it has no end. Straight quotes end with a
// straight one and keep what is in them.
func inQuotes(b *strings.Builder, text, kind string) int {
	open, size := utf8.DecodeRuneInString(text)
	mark := kind[:1]
	end, width := closing(text[size:], kind, string(open) == mark)
	b.WriteString(mark)
	if end < 0 {
		return size
	}
	inner := text[size : size+end]
	if string(open) != mark {
		inner = strings.Map(func(r rune) rune {
			switch {
			case strings.ContainsRune(doubles, r):
				return '"'
			case strings.ContainsRune(singles, r):
				return '\''
			}
			return r
		}, inner)
	}
	b.WriteString(inner)
	b.WriteString(mark)
	return size + end + width
}

// closing finds the quote that ends what text is the inside of.
func closing(text, kind string, straightOnly bool) (at, width int) {
	escaped := false
	for i, r := range text {
		switch {
		case escaped:
			escaped = false
		case r == '\\' && kind == doubles:
			escaped = true
		case straightOnly && r == rune(kind[0]), !straightOnly && strings.ContainsRune(kind, r):
			return i, utf8.RuneLen(r)
		}
	}
	return -1, 0
}
