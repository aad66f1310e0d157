package victorops

import (
	"encoding/json"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/watchroom/watchroom/internal/alert"
)

// Once encoding/json has found a body valid, finding its members takes no
// parser: these functions walk over text that is known to be well formed. They
// keep the order of the document and its spelling of numbers, which a map does
// not, and take a third of the time of json.Decoder's tokens. On text that is not well
// formed they return nonsense, but they return.

// members yields the members of the object obj in order, name and value as
// they stand in the text: the name in quotes, the value any JSON.
func members(obj string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		i := skipSpace(obj, 1)
		for i < len(obj) && obj[i] == '"' {
			nameEnd := stringEnd(obj, i)
			start := skipSpace(obj, skipSpace(obj, nameEnd)+1) // over the colon
			end := valueEnd(obj, start)
			if start >= end || !yield(obj[i:nameEnd], obj[start:end]) {
				return
			}
			i = skipSpace(obj, skipSpace(obj, end)+1) // over the comma
		}
	}
}

func skipSpace(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\n' || s[i] == '\r' || s[i] == '\t') {
		i++
	}
	return min(i, len(s))
}

// stringEnd returns the index after the closing quote of the string whose
// opening quote is s[i].
func stringEnd(s string, i int) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return len(s)
}

// valueEnd returns the index after the value that starts at s[i].
func valueEnd(s string, i int) int {
	if i >= len(s) {
		return len(s)
	}
	switch s[i] {
	case '"':
		return stringEnd(s, i)
	case '{', '[':
		return containerEnd(s, i)
	}
	if n := strings.IndexAny(s[i:], ",}] \t\r\n"); n >= 0 {
		return i + n
	}
	return len(s)
}

func containerEnd(s string, i int) int {
	depth := 0
	for i < len(s) {
		switch s[i] {
		case '"':
			i = stringEnd(s, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return len(s)
}

// text returns a JSON value as people read it: a string without quotes and
// escapes, an object or array as compact JSON, anything else as it was written
// (so a number keeps all its digits). It reports false for null.
func (p *parser) text(value string) (string, bool) {
	switch value[0] {
	case '"':
		return unquote(value, p.key), true
	case '{', '[':
		return compact(value), true
	case 'n':
		return "", false
	}
	return value, true
}

// unquote returns what the JSON string value says. A key that was written with
// escapes shows only here.
func unquote(value, key string) string {
	if strings.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1]
	}
	var s string
	if err := json.Unmarshal([]byte(value), &s); err != nil {
		return toText(value) // cannot happen: the body is valid
	}
	return maskKey(toText(s), key)
}

// compact returns the JSON in s without the white space between its tokens. It
// stops when there are as many characters as the longest text of an alert may
// have; a Sensu check is tens of kilobytes and is cut anyway.
func compact(s string) string {
	const enough = utf8.UTFMax * alert.MaxMessage
	if !strings.ContainsAny(s, " \t\r\n") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s) && b.Len() < enough; {
		switch s[i] {
		case ' ', '\t', '\r', '\n':
			i++
		case '"':
			end := stringEnd(s, i)
			b.WriteString(s[i:end])
			i = end
		default:
			b.WriteByte(s[i])
			i++
		}
	}
	return b.String()
}

// toText makes s fit to be stored: PostgreSQL refuses NUL and broken UTF-8.
func toText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
