package markdown

import (
	"strings"
	"testing"

	"github.com/yuin/goldmark-emoji/definition"
)

func TestEveryEmojiIsKnown(t *testing.T) {
	seen, lines := map[string]bool{}, 0
	for line := range strings.Lines(emojiNames) {
		lines++
		for name := range strings.FieldsSeq(line) {
			e, ok := definition.Github().Get(name)
			if !ok || !e.IsUnicode() || seen[name] {
				t.Errorf("emoji.txt: %q is unknown, or there twice", name)
			}
			seen[name] = true
		}
	}
	if len(emojis().first) != lines || lines < 1500 {
		t.Errorf("emoji.txt has %d signs, %d are usable", lines, len(emojis().first))
	}
	for _, e := range emojis().first {
		if !ReactionOK(e.Char) {
			t.Errorf("%s %s: not a reaction", e.Name, e.Char)
		}
		if html, ok := onlyEmoji(e.Char); !ok || html != e.Char {
			t.Errorf("%s %s: not shown large: %q", e.Name, e.Char, html)
		}
	}
}

func TestEmojis(t *testing.T) {
	for _, c := range []struct {
		name, prefix string
		n            int
		want         string
	}{
		{"the usual ones", "", 3, "+1 -1 eyes"},
		{"by prefix", "rock", 2, "rocket rock"},
		{"as it is typed", ":TAD", 1, "tada"},
		{"then inside", "tada", 5, "tada"},
		{"another name", "thumbsup", 1, "thumbsup"},
		{"inside a name", "glass_flow", 2, "hourglass_flowing_sand"},
		{"none", "no such", 5, ""},
		{"nothing asked", "a", 0, ""},
	} {
		var got []string
		for _, e := range Emojis(c.prefix, c.n) {
			got = append(got, e.Name)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: Emojis(%q, %d) = %v, want %s", c.name, c.prefix, c.n, got, c.want)
		}
	}
}

func TestReaction(t *testing.T) {
	for _, c := range []struct {
		name, in, want string
		ok             bool
	}{
		{"a sign", "👍", "👍", true},
		{"a name", ":+1:", "👍", true},
		{"without its selector", "❤", "❤️", true},
		{"with one it has not", "👍\uFE0F", "👍", true},
		{"a tone", "👍🏽", "👍🏽", true},
		{"a tone and selectors", "👍🏽\uFE0F\uFE0F", "👍🏽", true},
		{"a family", "👨‍👩‍👧‍👦", "👨‍👩‍👧‍👦", true},
		{"a flag", "🇩🇪", "🇩🇪", true},
		{"a tone first", "🏽👍", "", false},
		{"three tones", "👍🏽🏽🏽", "", false},
		{"a tone alone", "🏽", "", false},
		{"two", "👍👍", "", false},
		{"a word", "yes", "", false},
		{"a name that is none", ":nothing:", "", false},
		{"half a name", ":tada", "", false},
		{"HTML", "<b>", "", false},
		{"nothing", "", "", false},
		{"long", strings.Repeat("\uFE0F", 100) + "👍", "", false},
	} {
		got, ok := Reaction(c.in)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%s: Reaction(%q) = %q, %t, want %q, %t", c.name, c.in, got, ok, c.want, c.ok)
		}
		if c.ok && ReactionOK(c.in) != (c.in == c.want) {
			t.Errorf("%s: ReactionOK(%q) = %t", c.name, c.in, ReactionOK(c.in))
		}
	}
}
