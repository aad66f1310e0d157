package room

import (
	"regexp"
	"strings"
)

// MentionKind says what a mention calls.
type MentionKind string

// The kinds of mentions.
const (
	MentionUser   MentionKind = "user"   // @kim
	MentionTeam   MentionKind = "team"   // @@database
	MentionOnCall MentionKind = "oncall" // @oncall, @oncall:database
	MentionHere   MentionKind = "here"   // @here
)

// Mention is a call in a line.
type Mention struct {
	Kind MentionKind
	Name string // of the person or team; "" for @here and for all who are on call
}

// MaxMentions is how many calls of one line count.
const MaxMentions = 50

var (
	fenced = regexp.MustCompile("(?s)```.*?(```|$)")
	inCode = regexp.MustCompile("`[^`\n]*`")
	quoted = regexp.MustCompile(`(?m)^>.*$`)
	// Before the sign stands nothing that belongs to a word: kim@example.org calls nobody.
	called = regexp.MustCompile(`(^|[^\w@./:+-])(@@?)([a-z0-9][a-z0-9._-]*)(?::([a-z0-9][a-z0-9-]*))?`)
)

// Mentions lists whom a line calls, each once, in order. What stands in code or
// in a quotation calls nobody.
func Mentions(text string) []Mention {
	for _, blind := range []*regexp.Regexp{fenced, inCode, quoted} {
		text = blind.ReplaceAllString(text, " ")
	}
	var found []Mention
	seen := map[Mention]bool{}
	for _, m := range called.FindAllStringSubmatch(strings.ToLower(text), -1) {
		name := strings.TrimRight(m[3], "._-")
		var one Mention
		switch {
		case m[2] == "@@":
			one = Mention{MentionTeam, name}
		case name == "oncall":
			one = Mention{MentionOnCall, m[4]}
		case name == "here":
			one = Mention{MentionHere, ""}
		default:
			one = Mention{MentionUser, name}
		}
		if !seen[one] && len(found) < MaxMentions {
			seen[one] = true
			found = append(found, one)
		}
	}
	return found
}
