package slash

import (
	"cmp"
	"regexp"
	"strings"
)

// markdown is a receiver's text in our Markdown. Code stays as it is.
func (f Format) markdown(text string) string {
	text = strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "\ufffd")
	if f == Mattermost {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		plain, code := text, ""
		if i := strings.IndexByte(text, '`'); i >= 0 {
			fence := "`"
			if strings.HasPrefix(text[i:], "```") {
				fence = "```"
			}
			if n := strings.Index(text[i+len(fence):], fence); n >= 0 {
				end := i + n + 2*len(fence)
				plain, code = text[:i], text[i:end]
			}
		}
		b.WriteString(converted(plain))
		if strings.HasPrefix(code, "```") { // a fence is a line of its own here
			b.WriteString("\n```\n" + entities.Replace(strings.Trim(code, "`\n")) + "\n```\n")
		} else {
			b.WriteString(entities.Replace(code))
		}
		text = text[len(plain)+len(code):]
	}
	return strings.TrimSpace(b.String())
}

var (
	angled   = regexp.MustCompile(`<([^<>|\n]*)(?:\|([^<>\n]*))?>`)
	bold     = regexp.MustCompile(`(^|[\s(])\*(\S(?:[^*\n]*\S)?)\*`)
	struck   = regexp.MustCompile(`(^|[\s(])~(\S(?:[^~\n]*\S)?)~`)
	entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")
)

// converted turns emphasis and links of text without code.
func converted(text string) string {
	text = bold.ReplaceAllString(text, "$1**$2**")
	text = struck.ReplaceAllString(text, "$1~~$2~~")
	text = angled.ReplaceAllStringFunc(text, func(s string) string {
		m := angled.FindStringSubmatch(s)
		target, label := m[1], m[2]
		switch {
		case strings.HasPrefix(target, "!"): // <!here>: a receiver calls nobody
			return strings.TrimLeft(cmp.Or(label, target[1:]), "@")
		case strings.HasPrefix(target, "@"), strings.HasPrefix(target, "#"):
			return cmp.Or(label, target[1:])
		case !web(entities.Replace(target)) && !strings.HasPrefix(target, "mailto:"):
			return s
		case label == "":
			return target
		}
		return "[" + strings.NewReplacer("[", "(", "]", ")").Replace(label) + "](" + target + ")"
	})
	return entities.Replace(text)
}
