package markdown

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/yuin/goldmark-emoji/definition"
)

// Emoji is a sign and the name that people type between colons.
type Emoji struct {
	Name string `json:"name"`
	Char string `json:"char"`
}

// emoji.txt is the order in which emoji are offered: the usual answers first,
// then those of goldmark-emoji, which cannot be listed. A line has one sign's
// names.
//
//go:embed emoji.txt
var emojiNames string

const (
	shortcode = "abcdefghijklmnopqrstuvwxyz0123456789_+-"
	maxEmoji  = 64 // bytes of one sign: families and flags of regions are long
	maxLarge  = 12 // signs of a message that is shown large
)

type emojiTable struct {
	list   []Emoji // every name
	first  []Emoji // the first name of each
	named  map[string]string
	signs  map[string]string // without variation selectors → as it is written
	maxLen int
}

var emojis = sync.OnceValue(func() emojiTable {
	known := definition.Github()
	t := emojiTable{named: map[string]string{}, signs: map[string]string{}}
	for line := range strings.Lines(emojiNames) {
		for i, name := range strings.Fields(line) {
			found, ok := known.Get(name)
			if !ok || !found.IsUnicode() {
				continue // a test finds it
			}
			e := Emoji{Name: name, Char: string(found.Unicode)}
			if i == 0 {
				t.first = append(t.first, e)
				bare, _ := bareEmoji(e.Char)
				t.signs[bare] = e.Char
				t.maxLen = max(t.maxLen, len(bare))
			}
			t.list = append(t.list, e)
			t.named[name] = e.Char
		}
	}
	return t
})

// Emojis returns up to n emoji whose name begins with prefix, then those that
// have it inside; with an empty prefix each sign once.
func Emojis(prefix string, n int) []Emoji {
	prefix = strings.ToLower(strings.Trim(prefix, ":"))
	all := emojis().first
	if prefix != "" {
		all = emojis().list
	}
	var out, inside []Emoji
	for _, e := range all {
		switch {
		case len(out) >= n:
			return out
		case strings.HasPrefix(e.Name, prefix):
			out = append(out, e)
		case strings.Contains(e.Name, prefix):
			inside = append(inside, e)
		}
	}
	return append(out, inside[:min(len(inside), max(0, n-len(out)))]...)
}

// Reaction returns the one spelling of an emoji, given as the sign or as its
// name between colons; false when it is not exactly one of the list.
func Reaction(s string) (string, bool) {
	if name, ok := strings.CutPrefix(s, ":"); ok {
		name, closed := strings.CutSuffix(name, ":")
		char, known := emojis().named[name]
		return char, closed && known
	}
	if len(s) > maxEmoji {
		return "", false
	}
	bare, tones := bareEmoji(s)
	char, ok := emojis().signs[bare]
	if !ok || tones == 0 {
		return char, ok
	}
	// A tone follows the person it belongs to, and a couple has two.
	toned := strings.ReplaceAll(s, variation, "")
	if tones > 2 || isTone([]rune(toned)[0]) {
		return "", false
	}
	return toned, true
}

// ReactionOK reports whether s is one emoji of the list, in its one spelling.
func ReactionOK(s string) bool {
	char, ok := Reaction(s)
	return ok && char == s
}

const variation = "\uFE0F" // "as a picture"

func isTone(r rune) bool { return r >= 0x1F3FB && r <= 0x1F3FF }

// bareEmoji takes variation selectors and tones of skin away and counts the latter.
func bareEmoji(s string) (bare string, tones int) {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\uFE0F':
			return -1
		case isTone(r):
			tones++
			return -1
		}
		return r
	}, s), tones
}

// onlyEmoji reports whether a message is a few emoji and nothing else, and
// returns them as they are shown.
func onlyEmoji(source string) (string, bool) {
	if source == "" || len(source) > maxLarge*maxEmoji || source[0] < utf8.RuneSelf && !strings.ContainsRune(":#*0123456789", rune(source[0])) {
		return "", false
	}
	var shown strings.Builder
	count := 0
	for rest := source; rest != ""; {
		if rest[0] == ' ' || rest[0] == '\n' {
			shown.WriteByte(' ')
			rest = rest[1:]
			continue
		}
		char, n := emojis().begin(rest)
		if n == 0 {
			return "", false
		}
		shown.WriteString(char)
		rest = rest[n:]
		count++
	}
	return shown.String(), count > 0 && count <= maxLarge
}

// begin is the emoji that s begins with, as a sign or as a name between colons,
// and its length there; 0: none.
func (t emojiTable) begin(s string) (char string, n int) {
	if s[0] != ':' {
		n = t.prefix(s)
		return s[:n], n
	}
	name := span(s[1:], shortcode)
	char, ok := t.named[name]
	if !ok || !strings.HasPrefix(s[1+len(name):], ":") {
		return "", 0
	}
	return char, len(name) + 2
}

// prefix is the length of the longest emoji that s begins with; 0: none.
func (t emojiTable) prefix(s string) (length int) {
	var bare []byte
	for i, r := range s {
		if r != '\uFE0F' && (i == 0 || !isTone(r)) {
			bare = utf8.AppendRune(bare, r)
		}
		if len(bare) > t.maxLen {
			break
		}
		if _, ok := t.signs[string(bare)]; ok {
			length = i + utf8.RuneLen(r)
		}
	}
	return length
}
