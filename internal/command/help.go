package command

import (
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/phrase"
)

// Usage is how a command is typed, on one line: "incident ack <incident>… [--note=<text>]".
func Usage(d Declaration) string {
	parts := []string{d.Name()}
	for _, place := range []func(Arg) bool{
		func(a Arg) bool { return !a.Option && a.takes() != Rest },
		func(a Arg) bool { return a.Option },
		func(a Arg) bool { return !a.Option && a.takes() == Rest }, // it takes all that follows
	} {
		for _, a := range d.Args {
			if place(a) {
				parts = append(parts, a.usage())
			}
		}
	}
	return strings.Join(parts, " ")
}

func (a Arg) usage() string {
	values := a.Words()
	if a.takes() == Enum && len(a.Values) <= 5 {
		values = strings.Join(a.Values, "|")
	} else if key := "command.place." + string(a.takes()); a.Option && a.Shown == "" && phrase.Has(key) { // its name says already which one it is
		values = phrase.T(key)
	}
	s := "<" + values + ">"
	switch {
	case a.Option && a.takes() == Bool:
		s = "--" + a.Name
	case a.Option:
		s = "--" + a.Name + "=" + s
	}
	if a.Many || a.takes() == Rest {
		s += "…"
	}
	if !a.Required {
		s = "[" + s + "]"
	}
	return s
}

// Words is what people call an argument.
func (a Arg) Words() string {
	if a.Shown != "" {
		return a.Shown
	}
	return strings.NewReplacer("_", " ", "-", " ").Replace(a.Name)
}

// called is how somebody finds the argument that is meant in Usage.
func (a Arg) called() string {
	if a.Option {
		return "--" + a.Name
	}
	return a.Words()
}

// Help is all about one command, as Markdown that reads well as plain text too.
func Help(d Declaration) string {
	lines := []string{"**" + d.Name() + "**: " + d.Summary, "", "`" + Usage(d) + "`"}
	if d.Details != "" {
		lines = append(lines, "", strings.TrimSpace(d.Details))
	}
	if len(d.Args) > 0 {
		lines = append(lines, "")
	}
	for _, a := range d.Args {
		lines = append(lines, "- `"+a.called()+"`: "+a.describe())
	}
	if len(d.Examples) > 0 {
		lines = append(lines, "", phrase.T("command.help.examples"))
		for _, example := range d.Examples {
			lines = append(lines, "- `"+example+"`")
		}
	}
	if len(d.Aliases) > 0 {
		lines = append(lines, "", phrase.T("command.help.aliases", "`"+strings.Join(d.Aliases, "`, `")+"`"))
	}
	lines = append(lines, "", strings.Join(d.facts(), " "))
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

func (a Arg) describe() string {
	parts := []string{about(a)}
	if a.takes() == Enum {
		parts = append(parts, phrase.T("command.help.values", strings.Join(a.Values, ", ")))
	}
	if !a.Required {
		parts = append(parts, phrase.T("command.help.optional"))
	}
	if a.Default != "" {
		parts = append(parts, phrase.T("command.help.default", a.Default))
	}
	return strings.Join(parts, "; ")
}

// facts are sentences on what happens before and around a run.
func (d Declaration) facts() []string {
	facts := []string{phrase.T("command.risk." + string(d.Risk))}
	if d.Confirm {
		facts = append(facts, phrase.T("command.help.confirm"))
	}
	if d.Approval.Count > 0 {
		facts = append(facts, phrase.N("command.help.approval", d.Approval.Count))
	}
	if len(d.Rooms) > 0 {
		facts = append(facts, phrase.T("command.help.rooms", "#"+strings.Join(d.Rooms, ", #")))
	}
	if d.Private {
		facts = append(facts, phrase.T("command.help.private"))
	}
	if d.Origin != "" {
		facts = append(facts, phrase.T("command.help.origin", d.Origin))
	}
	return facts
}

// Group are the commands of one noun.
type Group struct {
	Noun     string // "" for those of one word
	Commands []Declaration
}

// Title is what a group is called.
func (g Group) Title() string {
	if g.Noun == "" {
		return phrase.T("command.list.single")
	}
	return g.Noun
}

// Brief is the names of all commands, a line for each group: what fits into a
// message where nothing folds.
func Brief(declarations []Declaration) string {
	var lines []string
	for _, g := range Groups(declarations) {
		names := make([]string, len(g.Commands))
		for i, d := range g.Commands {
			names[i] = "`" + d.Name() + "`"
		}
		lines = append(lines, "**"+g.Title()+"**: "+strings.Join(names, ", "))
	}
	return strings.Join(append(lines, "", phrase.T("command.list.more")), "\n")
}

// Groups sorts declarations by noun, those of one word first. Hidden ones are
// left out.
func Groups(declarations []Declaration) []Group {
	by := map[string][]Declaration{}
	for _, d := range declarations {
		if d.Hidden || len(d.Words) == 0 {
			continue
		}
		noun := ""
		if len(d.Words) > 1 {
			noun = d.Words[0]
		}
		by[noun] = append(by[noun], d)
	}
	var groups []Group
	for noun, commands := range by {
		slices.SortFunc(commands, func(a, b Declaration) int { return strings.Compare(a.Name(), b.Name()) })
		groups = append(groups, Group{noun, commands})
	}
	slices.SortFunc(groups, func(a, b Group) int { return strings.Compare(a.Noun, b.Noun) })
	return groups
}

// Search picks the declarations in whose words, summary, examples or arguments
// every word of query is. Where the words of a command fit comes first.
func Search(declarations []Declaration, query string) []Declaration {
	words := strings.Fields(strings.ToLower(query))
	var byName, others []Declaration
	for _, d := range declarations {
		name := strings.ToLower(strings.Join(append([]string{d.Name()}, d.Aliases...), "\n"))
		var all strings.Builder
		all.WriteString(name + "\n" + strings.ToLower(strings.Join(append([]string{d.Summary}, d.Examples...), "\n")))
		for _, a := range d.Args {
			all.WriteString("\n" + strings.ToLower(a.Name+" "+a.Summary))
		}
		in := func(where string) bool {
			return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(where, w) })
		}
		switch {
		case d.Hidden:
		case in(name):
			byName = append(byName, d)
		case in(all.String()):
			others = append(others, d)
		}
	}
	return append(byName, others...)
}

// List is the list of commands as Markdown, grouped by noun. The caller gives
// those that the asker may run. One that is all query means is told in full.
func List(declarations []Declaration, query string) string {
	found := declarations
	if query = strings.TrimSpace(query); query != "" {
		for _, d := range declarations {
			if strings.EqualFold(query, d.Name()) || slices.ContainsFunc(d.Aliases, func(a string) bool { return strings.EqualFold(query, a) }) {
				return Help(d)
			}
		}
		if found = Search(declarations, query); len(found) == 1 {
			return Help(found[0])
		}
	}
	groups := Groups(found)
	if len(groups) == 0 && query == "" {
		return phrase.T("command.list.empty")
	}
	if len(groups) == 0 {
		return phrase.T("command.list.none", query)
	}
	var lines []string
	for _, g := range groups {
		lines = append(lines, "**"+g.Title()+"**")
		for _, d := range g.Commands {
			lines = append(lines, "- `"+Usage(d)+"`: "+d.Summary)
		}
		lines = append(lines, "")
	}
	return strings.Join(append(lines, phrase.T("command.list.more")), "\n")
}
