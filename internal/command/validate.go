package command

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/people"
)

// Limits of what is declared and typed.
const (
	MaxLine = 16 << 10 // bytes of one command
	maxArgs = 40
	maxWait = 24 * time.Hour // of a run
)

var (
	idShape  = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*$`)
	wordText = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)
	argName  = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)
	braces   = regexp.MustCompile(`\{[^{}]*\}`)
)

var types = []Type{
	String, Int, Bool, Duration, Time, Enum, User, Team, Room, Incident, Policy, Rotation, Service, Secret, Rest,
}

// universal are the options that every command understands; no argument may
// have their names.
var universal = []Arg{
	{Name: "help", Type: Bool}, {Name: "dry-run", Type: Bool}, {Name: "reason", Type: String}, {Name: "thread", Type: Bool},
	{Name: "private", Type: Bool}, {Name: "json", Type: Bool}, {Name: "timeout", Type: Duration}, {Name: "break-glass", Type: Bool},
}

// Name is the command as it is typed: "incident ack".
func (d Declaration) Name() string { return strings.Join(d.Words, " ") }

// Needs is the permission that somebody needs to run it.
func (d Declaration) Needs() string {
	if d.Permission != "" {
		return d.Permission
	}
	return d.ID
}

// Arg finds an argument by its name.
func (d Declaration) Arg(name string) (Arg, bool) {
	i := slices.IndexFunc(d.Args, func(a Arg) bool { return a.Name == name })
	if i < 0 {
		return Arg{}, false
	}
	return d.Args[i], true
}

// takes is the type of a, which may be left out when it is declared.
func (a Arg) takes() Type {
	if a.Type == "" {
		return String
	}
	return a.Type
}

// plain reports whether a token can be seen to be no value of a without looking
// anything up, so that an optional argument of this type can be left out before
// another.
func (a Arg) plain() bool {
	return slices.Contains([]Type{Int, Bool, Duration, Time, Enum, Incident}, a.takes())
}

// Validate returns a sentence about the first thing that is wrong with d.
func (d Declaration) Validate() error {
	switch {
	case !idShape.MatchString(d.ID) || len(d.ID) > 100:
		return fmt.Errorf("command %q: id: use lower-case words with dots between them, such as vm.start", d.ID)
	case len(d.Words) == 0 || len(d.Words) > maxWords:
		return fmt.Errorf("command %s: words: give 1 to %d", d.ID, maxWords)
	case strings.TrimSpace(d.Summary) == "" || len(d.Summary) > 200 || strings.Contains(d.Summary, "\n"):
		return fmt.Errorf("command %s: summary: give one line of at most 200 characters", d.ID)
	case !slices.Contains([]Risk{Reads, Changes, Danger}, d.Risk):
		return fmt.Errorf("command %s: risk %q: use read, change or danger", d.ID, d.Risk)
	case d.Permission != "" && !idShape.MatchString(d.Permission):
		return fmt.Errorf("command %s: permission %q: use lower-case words with dots between them", d.ID, d.Permission)
	case d.Right != "" && !slices.Contains(people.Permissions, d.Right):
		return fmt.Errorf("command %s: there is no right %q", d.ID, d.Right)
	case d.Timeout < 0 || d.Timeout > maxWait:
		return fmt.Errorf("command %s: timeout: at most %v", d.ID, maxWait)
	case d.Concurrency < 0:
		return fmt.Errorf("command %s: concurrency: not below 0", d.ID)
	case d.Approval.Count < 0 || d.Approval.Count > 20 || d.Approval.TTL < 0:
		return fmt.Errorf("command %s: approval: count is 0 to 20, ttl not below 0", d.ID)
	}
	for _, w := range d.Words {
		if !wordText.MatchString(w) {
			return fmt.Errorf("command %s: word %q: use lower-case letters, digits and dashes", d.ID, w)
		}
	}
	for _, alias := range d.Aliases {
		words := strings.Fields(alias)
		if len(words) == 0 || len(words) > maxWords || slices.ContainsFunc(words, func(w string) bool { return !wordText.MatchString(w) }) {
			return fmt.Errorf("command %s: alias %q: use 1 to %d words of lower-case letters, digits and dashes", d.ID, alias, maxWords)
		}
	}
	return d.validateArgs()
}

func (d Declaration) validateArgs() error {
	if len(d.Args) > maxArgs {
		return fmt.Errorf("command %s: at most %d arguments", d.ID, maxArgs)
	}
	var left *Arg // an optional argument by position before this one
	last := ""    // the argument after which none can come by position
	for i, a := range d.Args {
		if err := a.validate(); err != nil {
			return fmt.Errorf("command %s: argument %q: %w", d.ID, a.Name, err)
		}
		if slices.ContainsFunc(d.Args[:i], func(b Arg) bool { return b.Name == a.Name }) {
			return fmt.Errorf("command %s: argument %q is there twice", d.ID, a.Name)
		}
		if a.Option {
			continue
		}
		switch {
		case last != "":
			return fmt.Errorf("command %s: argument %q can never be given: %q before it takes all that follows", d.ID, a.Name, last)
		case a.Required && left != nil && !left.plain():
			return fmt.Errorf("command %s: argument %q is required, but %q before it is not and cannot be told from it", d.ID, a.Name, left.Name)
		}
		if !a.Required {
			left = &d.Args[i]
		}
		if a.Many || a.takes() == Rest {
			last = a.Name
		}
	}
	if _, ok := d.Arg(d.Scope); d.Scope != "" && !ok {
		return fmt.Errorf("command %s: scope: there is no argument %q", d.ID, d.Scope)
	}
	for _, name := range braces.FindAllString(d.Lock, -1) {
		if _, ok := d.Arg(name[1 : len(name)-1]); !ok {
			return fmt.Errorf("command %s: lock: there is no argument %q", d.ID, name[1:len(name)-1])
		}
	}
	return nil
}

func (a Arg) validate() error {
	switch t := a.takes(); {
	case !argName.MatchString(a.Name) || len(a.Name) > 40 || strings.HasPrefix(a.Name, "no-"):
		return fmt.Errorf("name: use at most 40 lower-case letters, digits, dashes and underscores, beginning with a letter and not with no-")
	case slices.ContainsFunc(universal, func(o Arg) bool { return o.Name == a.Name }):
		return fmt.Errorf("every command has an option of this name")
	case !slices.Contains(types, t):
		return fmt.Errorf("type %q: use one of %s", a.Type, join(types))
	case t == Enum && len(a.Values) == 0:
		return fmt.Errorf("an enum needs values")
	case t != Enum && t != String && len(a.Values) > 0:
		return fmt.Errorf("values are for an enum")
	case t == Enum && slices.ContainsFunc(a.Values, func(v string) bool { return v == "" || strings.ContainsAny(v, " \t\r\n\"'`|") }):
		return fmt.Errorf("values: no empty ones, no spaces, no quotes")
	case a.Many && (t == Secret || t == Rest || t == Bool):
		return fmt.Errorf("a %s cannot be many", t)
	case a.Required && a.Default != "":
		return fmt.Errorf("what is required has no default")
	case t == Secret && a.Default != "":
		return fmt.Errorf("a secret has no default")
	case t == Bool && a.Required && a.Option:
		return fmt.Errorf("an option that is on or off cannot be required")
	case t == Rest && a.Option:
		return fmt.Errorf("the rest of the line cannot be an option")
	case a.Asks && t != String:
		return fmt.Errorf("only a string is completed by what runs the command")
	case a.Pattern != "" && t != String:
		return fmt.Errorf("a pattern is for a string")
	case a.Min != nil && a.Max != nil && *a.Min > *a.Max:
		return fmt.Errorf("min is greater than max")
	case (a.Min != nil || a.Max != nil) && t != Int:
		return fmt.Errorf("min and max are for an int")
	}
	if _, err := whole(a.Pattern); err != nil {
		return fmt.Errorf("pattern: %w", err)
	}
	return nil
}

// whole compiles the pattern of a string; it has to fit all of it.
func whole(pattern string) (*regexp.Regexp, error) { return regexp.Compile(`\A(?:` + pattern + `)\z`) }

func join(all []Type) string {
	words := make([]string, len(all))
	for i, t := range all {
		words[i] = string(t)
	}
	return strings.Join(words, ", ")
}
