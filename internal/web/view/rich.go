package view

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// span is a run of text; with Href it is a link.
type span struct {
	Text, Href string
	Outside    bool
}

// linked is compiled once and never changed.
var linked = regexp.MustCompile(`https?://[^\s<>"']+|#[1-9][0-9]{0,9}\b`)

// linkify finds addresses and incident numbers in what people wrote. Everything
// else stays plain text; there is no markup that could go wrong.
func linkify(text string) []span {
	var out []span
	last := 0
	for _, at := range linked.FindAllStringIndex(text, -1) {
		start, end := at[0], at[1]
		found := text[start:end]
		if strings.HasPrefix(found, "#") && start > 0 && !strings.ContainsRune(" \t\n(,", rune(text[start-1])) {
			continue // C#7 is no incident
		}
		// A sentence may end after an address; its full stop is not part of it.
		found = strings.TrimRight(found, ".,;:!?)")
		end = start + len(found)
		if start > last {
			out = append(out, span{Text: text[last:start]})
		}
		if strings.HasPrefix(found, "#") {
			out = append(out, span{Text: found, Href: "/incidents/" + found[1:]})
		} else {
			out = append(out, span{Text: found, Href: found, Outside: true})
		}
		last = end
	}
	if last < len(text) {
		out = append(out, span{Text: text[last:]})
	}
	return out
}

// pretty indents JSON; anything else stays as it came.
func pretty(raw string) string {
	var out bytes.Buffer
	if json.Indent(&out, []byte(raw), "", "  ") != nil {
		return raw
	}
	return out.String()
}

// webAddress says whether an annotation's address may become a link.
func webAddress(s string) bool {
	return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")
}
