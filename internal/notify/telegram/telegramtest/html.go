package telegramtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Entity is a formatted piece of a text, counted in UTF-16 units.
type Entity struct {
	Type   string `json:"type"`
	Offset int    `json:"offset"`
	Length int    `json:"length"`
	URL    string `json:"url,omitempty"`
}

// tagType says whether HTML may contain a tag, and what it is called afterwards.
func tagType(tag string) (string, bool) {
	switch tag {
	case "b", "strong":
		return "bold", true
	case "i", "em":
		return "italic", true
	case "u", "ins":
		return "underline", true
	case "s", "strike", "del":
		return "strikethrough", true
	case "a":
		return "text_link", true
	case "code":
		return "code", true
	case "pre":
		return "pre", true
	}
	return "", false
}

// parseHTML reads https://core.telegram.org/bots/api#html-style. Its errors are
// the original's: an unknown tag, one that is not closed, a wrong end.
func parseHTML(text string) (plain string, entities []Entity, err error) {
	type open struct {
		tag string
		Entity
	}
	var out []rune
	var stack []open
	at := func() int { return len(utf16.Encode(out)) }
	for i := 0; i < len(text); {
		switch {
		case strings.HasPrefix(text[i:], "</"):
			end := strings.IndexByte(text[i:], '>')
			if end < 0 || len(stack) == 0 {
				return "", nil, fmt.Errorf("unexpected end tag at byte offset %d", i)
			}
			tag, top := text[i+2:i+end], stack[len(stack)-1]
			if tag != top.tag {
				return "", nil, fmt.Errorf(`unmatched end tag at byte offset %d, expected "</%s>", found "</%s>"`, i, top.tag, tag)
			}
			stack = stack[:len(stack)-1]
			top.Length = at() - top.Offset
			if top.Length > 0 {
				entities = append(entities, top.Entity)
			}
			i += end + 1
		case text[i] == '<':
			end := strings.IndexByte(text[i:], '>')
			if end < 0 {
				return "", nil, fmt.Errorf("unclosed start tag at byte offset %d", i)
			}
			tag, attributes, _ := strings.Cut(text[i+1:i+end], " ")
			kind, ok := tagType(tag)
			if !ok {
				return "", nil, fmt.Errorf(`unsupported start tag %q at byte offset %d`, tag, i)
			}
			e := Entity{Type: kind, Offset: at()}
			if href, ok := strings.CutPrefix(attributes, `href="`); ok && kind == "text_link" {
				if href, ok = strings.CutSuffix(href, `"`); !ok || strings.Contains(href, `"`) {
					return "", nil, fmt.Errorf("unclosed attribute at byte offset %d", i)
				}
				e.URL = href
			} else if attributes != "" {
				return "", nil, fmt.Errorf("unexpected attribute at byte offset %d", i)
			}
			stack = append(stack, open{tag, e})
			i += end + 1
		case text[i] == '&':
			r, size := entity(text[i:])
			out = append(out, r)
			i += size
		default:
			r, size := utf8.DecodeRuneInString(text[i:])
			out = append(out, r)
			i += size
		}
	}
	if len(stack) > 0 {
		return "", nil, fmt.Errorf(`can't find end tag corresponding to start tag "%s"`, stack[len(stack)-1].tag)
	}
	slices.SortStableFunc(entities, func(a, b Entity) int { return a.Offset - b.Offset })
	return string(out), entities, nil
}

// entity reads the character that s begins with: one of the four names that
// Telegram knows, or a number; anything else is an ampersand.
func entity(s string) (r rune, size int) {
	end := strings.IndexByte(s, ';')
	if end < 0 {
		return '&', 1
	}
	switch name := s[1:end]; name {
	case "lt":
		return '<', end + 1
	case "gt":
		return '>', end + 1
	case "amp":
		return '&', end + 1
	case "quot":
		return '"', end + 1
	default:
		if number, ok := strings.CutPrefix(name, "#"); ok {
			if n, err := strconv.ParseInt(number, 10, 32); err == nil && n > 0 {
				return rune(n), end + 1
			}
		}
	}
	return '&', 1
}
