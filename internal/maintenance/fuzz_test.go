package maintenance

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzMatch holds Match against a regular expression that says the same.
func FuzzMatch(f *testing.F) {
	for _, s := range [][2]string{
		{"*", ""}, {"a*b*c", "aXbYbZc"}, {"?", "ä"}, {"db?", "db12"}, {"**", "x"}, {"", ""}, {"*a", "aab"}, {"a.c", "abc"},
		{"disk/*", "disk/"}, {"*?*", ""}, {"[a-z]", "b"}, {"*ab", "aab"}, {"?*?", "xy"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, pattern, value string) {
		if len(pattern) > 200 || len(value) > 500 {
			return // the regular expression would take long
		}
		got := Match(pattern, value) // must not fail, whatever the bytes
		if !utf8.ValidString(pattern) || !utf8.ValidString(value) {
			return
		}
		quoted := regexp.QuoteMeta(pattern)
		quoted = strings.ReplaceAll(strings.ReplaceAll(quoted, `\*`, `.*`), `\?`, `.`)
		if want := regexp.MustCompile(`(?s)\A` + quoted + `\z`).MatchString(value); got != want {
			t.Errorf("Match(%q, %q) = %t, want %t", pattern, value, got, want)
		}
	})
}

// A pattern that sends simple matchers round for ever.
func TestMatchIsQuick(t *testing.T) {
	if Match(strings.Repeat("*a", 250)+"*b", strings.Repeat("a", 512)) {
		t.Error("it has no b")
	}
}
