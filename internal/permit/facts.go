package permit

import (
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/people"
)

// Duty is something that somebody is on call for now.
type Duty struct {
	Kind command.Type // Team, Rotation, Policy or Service
	Name string       // as people type it
}

// Run is a command that was begun, for limits.
type Run struct {
	Command    string // the declaration's id
	Permission string
	User       string
	Room       string
	At         time.Time
}

// Facts are all that a decision looks at besides the command. Names are as
// people type them, without signs in front.
type Facts struct {
	User string      // username; "": somebody on another network who is linked to nobody
	Role people.Role // of the person
	// Limited says that Role is less than the person's, because they came with a
	// token; see Of.
	Limited bool
	Scopes  []people.Permission // of that token
	Robot   bool                // a service user; its role counts only against it
	Teams   []string            // slugs
	OnCall  []Duty

	Room   string // "ops", "timeline"
	Via    string // where it came from: "chat", "web", "api", "schedule", the name of a network
	Reason string
	// Cases are the arguments, once for each thing that the command acts on, with
	// what they lead to; see the function Cases. Each has to be allowed. None is
	// one without arguments.
	Cases []map[string]string

	// Calendars are those that there are, by CalendarName, and whether they have
	// this day: of one that is missing nothing can be said.
	Calendars map[string]bool
	StepUp    bool      // they have just shown their second factor
	Glass     bool      // they want to break the glass, and say why
	Recent    []Run     // see Policy.Limits
	Now       time.Time // the rules read it on their own clocks
}

// Of is f for somebody acting now. With a token their role is what the token
// lets them do, and bounds what any rule gives them.
func (f Facts) Of(a people.Actor) Facts {
	f.Role, f.Limited, f.Scopes = "", a.Scopes != nil, a.Scopes
	switch {
	case a.May(people.Manage):
		f.Role = people.Admin
	case a.May(people.Respond):
		f.Role = people.Member
	case a.May(people.Read):
		f.Role = people.Observer
	}
	return f
}

// may reports whether they have a right, which no rule gives. People of another
// network who are linked to nobody have none.
func (f Facts) may(right people.Permission) bool {
	return right == "" || f.Role.May(right) && (!f.Limited || slices.Contains(f.Scopes, right))
}

// beyond reports whether a command is more than a token is for.
func (f Facts) beyond(risk command.Risk) bool {
	switch f.Role {
	case people.Admin:
		return false
	case people.Member:
		return risk == command.Danger
	case people.Observer:
		return risk != command.Reads
	}
	return true
}

// Cases are the arguments of a line as facts: as people read them, without signs
// in front, one case for each value of an argument that takes many. about says
// what a resolved value leads to, such as the service and the team of an
// incident, in the place of arguments that the command has not; it may be nil.
func Cases(p command.Parsed, about func(kind command.Type, value string) map[string]string) []map[string]string {
	shown, resolved, n := map[string][]string{}, map[string][]string{}, 1
	for _, g := range p.Given {
		a, _ := p.Declaration.Arg(g.Name)
		shown[g.Name] = append(shown[g.Name], plain(a.Type, g.Value))
		n = max(n, len(shown[g.Name]))
		if a.Many {
			resolved[g.Name] = command.Values(p.Args[g.Name])
		} else {
			resolved[g.Name] = []string{p.Args[g.Name]}
		}
	}
	cases := make([]map[string]string, 0, n)
	for i := range n {
		one := map[string]string{}
		for name, values := range shown {
			one[name] = values[i%len(values)]
		}
		for _, a := range p.Declaration.Args {
			values := resolved[a.Name]
			if about == nil || len(values) == 0 || a.Type == command.Secret {
				continue
			}
			for name, v := range about(a.Type, values[i%len(values)]) {
				_, own := p.Declaration.Arg(name)
				if _, taken := one[name]; !own && !taken {
					one[name] = v
				}
			}
		}
		cases = append(cases, one)
	}
	return cases
}

func plain(t command.Type, shown string) string {
	switch t {
	case command.Secret:
		return "" // no rule sees one
	case command.User, command.Team, command.Room, command.Incident:
		return strings.TrimLeft(shown, "@#")
	}
	return shown
}
