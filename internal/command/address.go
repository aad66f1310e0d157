package command

import (
	"cmp"
	"slices"
	"strings"
)

// How says why a message is a command.
type How string

// The ways to address the bot in a conversation. Buttons, slash commands,
// schedules and the API address it by what they are.
const (
	Directly How = "direct" // in a conversation with the bot alone
	ByName   How = "name"   // @bot, bot: or bot,
	BySigil  How = "sigil"  // !known
)

// Asked reports whether the bot was spoken to in words, so that a plain question
// may be meant (see Tree.Plain) and an answer is due even to nonsense.
func (h How) Asked() bool { return h == Directly || h == ByName }

// Where is the place and the manner in which a message was written.
type Where struct {
	BotNames []string // without @; in any case
	Sigil    string   // that begins a command here; "" or "off": none
	Direct   bool     // a conversation with the bot alone
	Edit     bool     // it is an edit of an earlier message,
	Waiting  bool     // whose command has not begun yet
	// Machine says that it came from a bot, a robot, or through a bridge from
	// somebody who is linked to no person of ours.
	Machine   bool
	Shortcuts []map[string]string // that a sigil may be followed by
}

// Addressed reports whether a message is a command, and returns the line that
// is to be parsed: without the address, normalised. Text in code and in quotes of
// others is never a command.
func Addressed(text string, where Where, t *Tree) (line string, how How, ok bool) {
	if where.Machine || where.Edit && !where.Waiting {
		return "", "", false
	}
	text = unquoted(Normalise(text))
	if text == "" || text[0] == '`' {
		return "", "", false
	}
	if line, ok := named(text, where.BotNames); ok {
		return where.bare(line, t), ByName, true
	}
	if where.Direct {
		return where.bare(text, t), Directly, true
	}
	if line, ok := where.afterSigil(text, t); ok {
		return line, BySigil, true
	}
	return "", "", false
}

// unquoted drops the lines in which others are quoted above and below one's own.
func unquoted(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	other := func(line string) bool {
		line = strings.TrimSpace(line)
		return line == "" || line[0] == '>'
	}
	for len(lines) > 0 && other(lines[0]) {
		lines = lines[1:]
	}
	for len(lines) > 0 && other(lines[len(lines)-1]) {
		lines = lines[:len(lines)-1]
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// named cuts off @bot, "bot:" or "bot,".
func named(text string, names []string) (line string, ok bool) {
	names = slices.SortedFunc(slices.Values(names), func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, name := range names {
		at := strings.HasPrefix(text, "@")
		rest, ok := cutFold(strings.TrimPrefix(text, "@"), name)
		if name == "" || !ok {
			continue
		}
		if rest == "" && at {
			return "", true
		}
		if rest != "" && (rest[0] == ':' || rest[0] == ',') || rest != "" && at && isSpace(rest[0]) {
			return strings.TrimSpace(strings.TrimLeft(rest, ":,")), true
		}
	}
	return "", false
}

// cutFold cuts a prefix off in any case. Letters that are longer in another case
// are other letters.
func cutFold(text, prefix string) (rest string, ok bool) {
	if len(text) < len(prefix) || !strings.EqualFold(text[:len(prefix)], prefix) {
		return "", false
	}
	return text[len(prefix):], true
}

// bare drops the sigil that some type also where none is needed.
func (w Where) bare(line string, t *Tree) string {
	if rest, ok := w.afterSigil(line, t); ok {
		return rest
	}
	return line
}

// afterSigil is what follows a sigil that stands directly before a known word.
func (w Where) afterSigil(text string, t *Tree) (line string, ok bool) {
	if w.Sigil == "" || w.Sigil == "off" {
		return "", false
	}
	line, ok = strings.CutPrefix(text, w.Sigil)
	if !ok || line == "" || isSpace(line[0]) {
		return "", false
	}
	word := line
	if i := strings.IndexAny(line, " \t\n"); i >= 0 {
		word = line[:i]
	}
	if t.First(word) {
		return line, true
	}
	_, ok = expand(word, w.Shortcuts)
	return line, ok
}
