package command

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNormalise(t *testing.T) {
	tests := []struct{ intent, text, want string }{
		{"plain text stays", "!ack 17 it's done", "!ack 17 it's done"},
		{"a phone's quotes", "note “it’s full”", `note "it's full"`},
		{"German, French and Finnish quotes", "a „b“ «c» ”d” ‚e‘", `a "b" "c" "d" 'e'`},
		{"after a name", "--reason=“a b” reason:“c d”", `--reason="a b" reason:"c d"`},
		{"curly quotes in straight ones were meant", `note "a “b” c"`, `note "a “b” c"`},
		{"straight quotes that end before", `"a" “b”`, `"a" "b"`},
		{"a quote that never ends is a sign like others", `"a “b”`, `"a "b"`},
		{"the dash before an option", "deploy —dry-run –reason=x", "deploy --dry-run --reason=x"},
		{"a dash between words was meant", "the disk — full – 90–95", "the disk — full – 90–95"},
		{"a dash inside quotes too", "“a —b”", `"a —b"`},
		{"spaces of all kinds", "ack\u00a017\u202f18\u300019", "ack 17 18 19"},
		{"nothing hidden", "a\u200bc\ufeffk\u202e \u20667\x00\x1b[1m", "ack 7[1m"},
		{"emoji stay whole", "👩\u200d🚒 🏴\U000E0067\U000E007F", "👩\u200d🚒 🏴\U000E0067\U000E007F"},
		{"line ends", "a\r\nb\rc\u2028d", "a\nb\nc\nd"},
		{"wrong bytes", "a\xffb", "a\ufffdb"},
		{"what Slack made of a host name", "vm start <http://db1.example.org|db1.example.org>", "vm start db1.example.org"},
		{"what Slack made of an address", "invite <mailto:a@b.org|a@b.org>", "invite a@b.org"},
		{"a bare link", "see <https://x.org/a?b=c>", "see https://x.org/a?b=c"},
		{"a link with words on it means the link", "see <https://x.org|here>", "see https://x.org"},
		{"Slack's people", "page <@U12|kim> <@U13>", "page @kim @U13"},
		{"Slack's rooms, groups and calls", "<#C1|ops> <!here> <!channel|@channel> <!subteam^S1|@database> <!subteam^S2>", "#ops @here @channel @@database @@S2"},
		{"links in quotes", `--reason "<https://x.org|x.org>"`, `--reason "x.org"`},
		{"comparisons and tags are not links", "1 < 2 > 1 <b> <!x>", "1 < 2 > 1 <b> <!x>"},
		{"links in links", "<http://<http://a|a>|x>", "http://a"},
		{"code stays", "note `“a” —b\u00a0c <http://a|a>` “d”", "note `“a” —b\u00a0c <http://a|a>` \"d\""},
		{"a code block too", "note ```\n—x “y”\n``` —z", "note ```\n—x “y”\n``` --z"},
		{"a backtick alone is none", "it` “a”", "it` \"a\""},
	}
	for _, tt := range tests {
		if got := Normalise(tt.text); got != tt.want {
			t.Errorf("%s: Normalise(%q) = %q, want %q", tt.intent, tt.text, got, tt.want)
		}
	}
}

func FuzzNormalise(f *testing.F) {
	for _, s := range []string{
		"note “it’s full”", `"a “b”`, "—a", "<http://<http://a|a>|x>", "a `b` c", "\"a\\” b", "‘a “b’ c”", "`\x00`a`", "<@U1|x>", "<!here>", "a=“b", "« \u00a0»",
		"<mailto:“|“>", "``` ` ``", "'“'", "\u2028", "<http://a|\u00a0>", "\"\\", "\u200b`", "<\u00a0", "<<@a>>", "<http://a|—b>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := Normalise(s)
		if twice := Normalise(once); twice != once {
			t.Errorf("Normalise(%q) = %q, and of that %q", s, once, twice)
		}
		if !utf8.ValidString(once) {
			t.Errorf("Normalise(%q) = %q", s, once)
		}
	})
}

// Many brackets and backticks cost no more than many letters.
func TestNormaliseIsQuick(t *testing.T) {
	for _, s := range []string{"<", ">", "<a>", "`", "``` `", "<http://", "“", "\"", "' “"} {
		if got := Normalise(strings.Repeat(s, 20_000)); got == "" {
			t.Errorf("%q is gone", s)
		}
	}
}
