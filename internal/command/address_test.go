package command

import (
	"strings"
	"testing"
)

func TestAddressed(t *testing.T) {
	room := Where{BotNames: []string{"victor", "Watch Room"}, Sigil: "!", Shortcuts: []map[string]string{{"dp": "deploy run shop"}}}
	direct := room
	direct.Direct = true
	off := room
	off.Sigil = "off"
	tests := []struct {
		intent string
		where  Where
		text   string
		line   string
		how    How
		ok     bool
	}{
		{"talk", room, "ack 17", "", "", false},
		{"by name", room, "@victor ack 17", "ack 17", ByName, true},
		{"in any case, with space around", room, "  @ViCtor   ack 17 ", "ack 17", ByName, true},
		{"with a colon", room, "victor: ack 17", "ack 17", ByName, true},
		{"with a comma", room, "Victor,ack 17", "ack 17", ByName, true},
		{"with both", room, "@victor, ack 17", "ack 17", ByName, true},
		{"a name of two words", room, "@watch room ack 17", "ack 17", ByName, true},
		{"just called", room, "@victor", "", ByName, true},
		{"called with a colon", room, "victor:", "", ByName, true},
		{"about the bot", room, "victor is nice", "", "", false},
		{"about the bot's things", room, "@victor's idea", "", "", false},
		{"somebody else", room, "@victoria ack 17", "", "", false},
		{"named in the middle", room, "thanks @victor", "", "", false},
		{"addressed nonsense deserves an answer", room, "@victor frobnicate", "frobnicate", ByName, true},
		{"sigil", room, "!ack 17", "ack 17", BySigil, true},
		{"sigil and a capital from a phone", room, "!Ack 17", "Ack 17", BySigil, true},
		{"sigil and a shortcut", room, "!dp prod", "dp prod", BySigil, true},
		{"sigil and a noun", room, "!incident", "incident", BySigil, true},
		{"exclamation", room, "!nice", "", "", false},
		{"exclamation of a known word", room, "!ack!", "", "", false},
		{"sigil alone", room, "! ack 17", "", "", false},
		{"sigil later", room, "so !ack 17", "", "", false},
		{"no sigil here", off, "!ack 17", "", "", false},
		{"name and sigil", room, "@victor !ack 17", "ack 17", ByName, true},
		{"direct", direct, "ack 17", "ack 17", Directly, true},
		{"direct, with sigil", direct, "!ack 17", "ack 17", Directly, true},
		{"direct, with an exclamation", direct, "!nice", "!nice", Directly, true},
		{"direct, by name", direct, "@victor ack 17", "ack 17", ByName, true},
		{"phones", room, "@victor\u00a0deploy run shop —dry-run", "deploy run shop --dry-run", ByName, true},
		{"code", room, "`!ack 17`", "", "", false},
		{"a code block", direct, "```\nack 17\n```", "", "", false},
		{"a quote of others", room, "> !ack 17", "", "", false},
		{"a quote of others, direct", direct, "> ack 17\n>> ack 18", "", "", false},
		{"an answer below a quote", room, "> is it 17?\n\n!ack 17", "ack 17", BySigil, true},
		{"a quote below", room, "!ack 17\n\n> is it 17?\n", "ack 17", BySigil, true},
		{"a value in code", room, "!note 17 `a`", "note 17 `a`", BySigil, true},
		{"nothing", direct, " \n ", "", "", false},
		{"nothing to be seen", direct, "\u200b", "", "", false},
	}
	tr := tree(t)
	for _, tt := range tests {
		line, how, ok := Addressed(tt.text, tt.where, tr)
		if line != tt.line || how != tt.how || ok != tt.ok {
			t.Errorf("%s: Addressed(%q) = %q, %q, %t, want %q, %q, %t", tt.intent, tt.text, line, how, ok, tt.line, tt.how, tt.ok)
		}
		machine, edit := tt.where, tt.where
		machine.Machine, edit.Edit = true, true
		if _, _, ok := Addressed(tt.text, machine, tr); ok {
			t.Errorf("%s: a machine's %q is a command", tt.intent, tt.text)
		}
		if _, _, ok := Addressed(tt.text, edit, tr); ok {
			t.Errorf("%s: an edit to %q is a command", tt.intent, tt.text)
		}
		edit.Waiting = true
		if again, _, ok := Addressed(tt.text, edit, tr); ok != tt.ok || again != tt.line {
			t.Errorf("%s: an edit to %q while the command waits = %q, %t", tt.intent, tt.text, again, ok)
		}
	}
}

func FuzzAddressed(f *testing.F) {
	for _, s := range []string{"@victor ack 17", "victor: x", "!ack", "> a\n!ack", "`!ack`", "@\u212aictor", "@victor\u0130", "!\xff", "\u017f!"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	tr := tree(f)
	f.Fuzz(func(t *testing.T, text string, direct bool) {
		where := Where{BotNames: []string{"victor", "kß", ""}, Sigil: "!", Direct: direct}
		line, how, ok := Addressed(text, where, tr)
		if !ok && (line != "" || how != "") || ok && how == "" {
			t.Errorf("Addressed(%q) = %q, %q, %t", text, line, how, ok)
		}
		if how == BySigil && !tr.First(strings.Fields(line)[0]) {
			t.Errorf("Addressed(%q) = %q, which begins with no known word", text, line)
		}
	})
}
