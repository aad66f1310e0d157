package command

import (
	"strings"
	"time"
)

// Parsed is a line that was understood: which command it is, and every argument
// resolved. The line it came from may have been a shortcut.
type Parsed struct {
	Declaration Declaration
	// Args are the resolved values by name: ids of people, teams and rooms,
	// numbers of incidents, instants as RFC 3339 in UTC, durations as Go writes
	// them. Several values of an argument that takes many are split by Values.
	// What was not given and has no default is missing; secrets are not here.
	Args map[string]string
	// Given is Args as people read them, in the order of the declaration, one
	// for each value: names, not ids. A secret is Mask.
	Given   []Given
	Options Options
	// Canonical is the line that says exactly this: parsed again it gives the
	// same, whenever that is. It contains secrets; Masked is for eyes and records.
	Canonical, Masked string
	// Expanded is the whole line that a shortcut stood for; "" when none was used.
	Expanded string
	Secrets  map[string]string // by argument
}

// Given is one argument as people read it.
type Given struct{ Name, Value string }

// Options are what every command understands.
type Options struct {
	Help    bool
	DryRun  bool
	Private bool
	JSON    bool
	Thread  *bool         // nil: as the room has it
	Reason  string        // why, for the record
	Timeout time.Duration // 0: as declared
	// BreakGlass asks to run what is refused or needs approval, because it burns.
	// There is always a Reason with it.
	BreakGlass bool
}

// Mask stands where a secret was.
const Mask = "***"

// Values splits the value of an argument that takes many.
func Values(value string) []string {
	if value == "" {
		return nil
	}
	return strings.Split(value, "\n")
}

// LockName is the declaration's lock for these arguments, "deploy/shop/prod";
// "" when it has none. An argument that was not given is "-".
func (p Parsed) LockName() string {
	return braces.ReplaceAllStringFunc(p.Declaration.Lock, func(s string) string {
		var values []string
		for _, g := range p.Given {
			if g.Name == s[1:len(s)-1] {
				values = append(values, g.Value)
			}
		}
		if len(values) == 0 {
			return "-"
		}
		return strings.Join(values, ",")
	})
}

// Lookup knows the organisation on behalf of one asker in one place. Its
// answers are those of one moment.
type Lookup interface {
	// Find says what text means for an argument of kind User, Team, Room,
	// Incident, Policy, Rotation or Service: "@kim", "me", "here", "#17".
	Find(kind Type, text string) Found
	Now() time.Time
	Zone() *time.Location // of the asker
}

// Found is the answer of a Lookup.
type Found struct {
	OK bool
	ID string // as Args has it; may be empty, as the id of the first room is
	// Shown is what people call it, such as "@kim", and Find(Shown) finds it
	// again, whoever asks and wherever.
	Shown string
	// Candidates are what may have been meant when it was not found or there
	// are several, in the form of Shown.
	Candidates []string
}

// Code says what kind of mistake an Error is.
type Code string

// The kinds of mistakes.
const (
	Unclosed      Code = "unclosed"       // a quote or code span does not end
	Glued         Code = "glued"          // something directly after a closing quote
	NotYet        Code = "not_yet"        // pipes and redirects
	UnknownOption Code = "unknown_option" // --name that the command has not
	Missing       Code = "missing"        // an argument or the value of an option
	TooMany       Code = "too_many"       // a value that no argument takes
	Twice         Code = "twice"          // an argument given twice
	Invalid       Code = "invalid"        // not of the argument's type
	NotFound      Code = "not_found"      // nothing has that name
	Ambiguous     Code = "ambiguous"      // several have
	TooLong       Code = "too_long"       // longer than MaxLine
)

// Error is one mistake in a line, in a sentence for the one who typed it.
type Error struct {
	Code Code
	Arg  string // the argument's name; "" when it is about the line
	// Start and End are the bytes of the line that are wrong; of
	// Parsed.Expanded when that is set. At the end of the line both are its length.
	Start, End int
	Candidates []string // what may have been meant
	Sentence   string
}

func (e *Error) Error() string { return e.Sentence }

// Unknown says that a line begins with no command.
type Unknown struct {
	Words string // what was typed, the first words of it
	// Group is set when commands begin with the words typed: "incident". Then
	// Nearest are these.
	Group string
	// Nearest are commands that may have been meant, best first. They are of the
	// whole tree: Parse with Tree.Only, or ask it for Nearest, to name none that
	// the asker may not run.
	Nearest    []string
	Start, End int
}
