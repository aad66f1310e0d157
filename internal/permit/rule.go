package permit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Kind is what a rule does.
type Kind string

// The kinds of rules.
const (
	Allow   Kind = "allow"
	Deny    Kind = "deny"
	Approve Kind = "approval"
	Confirm Kind = "confirmation"
	StepUp  Kind = "step_up"
	Limit   Kind = "limit"
	// Override lets somebody break the glass: run what is refused to them or
	// needs approval, with a reason and in front of everybody.
	Override Kind = "override"
)

// Rule is one line.
type Rule struct {
	Kind    Kind
	Line    int  // from 1; of one's own text, or of Default
	BuiltIn bool // of Default
	Text    string
	Subject Subject
	Pattern string
	On      []Scope
	When    string // the expression; "": always

	Approval command.Approval // of an Approve
	Rate     Rate             // of a Limit

	cond *condition
}

// Subject is whom a rule is about.
type Subject struct {
	Kind SubjectKind
	Name string // of a role, team, user or robot
	Arg  string // of OnCallFor
}

// SubjectKind is how a subject says whom it means.
type SubjectKind string

// The kinds of subjects.
const (
	Everyone  SubjectKind = "everyone"
	Role      SubjectKind = "role"
	Team      SubjectKind = "team"
	OnCall    SubjectKind = "oncall"     // for anything
	OnCallFor SubjectKind = "oncall_for" // for what an argument names
	User      SubjectKind = "user"
	Robot     SubjectKind = "robot"
)

// Scope narrows a rule to values of an argument.
type Scope struct {
	Arg    string
	Values []string // patterns
}

// Rate is how often something may be run.
type Rate struct {
	N   int
	Per time.Duration
	By  string // user, room or all
}

var rateUnits = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour}

func (r Rate) String() string {
	for name, unit := range rateUnits {
		if unit == r.Per {
			return fmt.Sprintf("%d/%s", r.N, name)
		}
	}
	return fmt.Sprintf("%d/%v", r.N, r.Per)
}

// String is the rule as people find it: its number and text.
func (r *Rule) String() string {
	if r.BuiltIn {
		return phrase.T("permit.rule.built_in", r.Line, r.Text)
	}
	return phrase.T("permit.rule.own", r.Line, r.Text)
}

func (r *Rule) name() string { return fmt.Sprintf("%t %d", r.BuiltIn, r.Line) }

// weight orders rules by how much they say: whom, then what, then under which
// circumstances.
func (r *Rule) weight() int {
	subject := slices.Index([]SubjectKind{Everyone, Role, OnCall, Team, OnCallFor, User, Robot}, r.Subject.Kind)
	literal := len(strings.NewReplacer("*", "", "?", "").Replace(r.Pattern))
	if r.When != "" {
		literal++
	}
	return subject*1_000_000 + min(literal, 999)*1000 + min(len(r.On), 999)
}

// looking is one case of a decision.
type looking struct {
	d     command.Declaration
	f     Facts
	args  map[string]string
	maybe bool
	env   map[string]any // made when the first condition asks
}

// counts says whether a rule is about this case.
func (l *looking) counts(r *Rule) Reason {
	if !fits(r.Pattern, l.d.ID, l.d.Needs()) {
		return NotCommand
	}
	if r.Kind == Override && !l.f.Glass {
		return NoGlass
	}
	if reason := l.subject(r); reason != Matches {
		return reason
	}
	for _, s := range r.On {
		if l.maybe {
			if r.Kind == Allow {
				continue
			}
			return NotScope
		}
		value, ok := l.args[s.Arg]
		if !ok {
			return NoArg
		}
		if !slices.ContainsFunc(s.Values, func(p string) bool { return match(p, value) }) {
			return NotScope
		}
	}
	if r.cond == nil {
		return Matches
	}
	if l.maybe && r.cond.usesArgs {
		if r.Kind == Allow {
			return Matches
		}
		return NotWhen
	}
	return r.cond.holds(l)
}

// subject says whether the one who asks is whom the rule is about. A rule that
// allows means people by role and team, not robots; one that refuses or
// requires means both.
func (l *looking) subject(r *Rule) Reason {
	f, s := l.f, r.Subject
	is := false
	switch s.Kind {
	case Everyone:
		is = true
	case Role:
		is = f.User != "" && f.Role == people.Role(s.Name)
	case Team:
		is = slices.Contains(f.Teams, s.Name)
	case User:
		return one(f.User == s.Name && !f.Robot)
	case Robot:
		return one(f.User == s.Name && f.Robot)
	case OnCall:
		is = len(f.OnCall) > 0
	case OnCallFor:
		return l.onCallFor(r)
	}
	if (r.Kind == Allow || r.Kind == Override) && (f.Robot || f.User == "") {
		is = false
	}
	return one(is)
}

func one(is bool) Reason {
	if is {
		return Matches
	}
	return NotSubject
}

func (l *looking) onCallFor(r *Rule) Reason {
	if l.f.Robot || len(l.f.OnCall) == 0 {
		return NotOnCall
	}
	if l.maybe {
		return one(r.Kind == Allow)
	}
	value, ok := l.args[r.Subject.Arg]
	if !ok {
		return NoArg
	}
	// The kind is known from the declaration, or from the name of what the
	// arguments lead to.
	kind := command.Type(r.Subject.Arg)
	if a, ok := l.d.Arg(r.Subject.Arg); ok {
		kind = a.Type
	}
	named := slices.Contains([]command.Type{command.Team, command.Rotation, command.Policy, command.Service}, kind)
	for _, duty := range l.f.OnCall {
		if strings.EqualFold(duty.Name, value) && (!named || duty.Kind == kind) {
			return Matches
		}
	}
	return NotOnCall
}

// full says whether a limit is reached, and when it lets the next one through.
func (l *looking) full(r *Rule) (at time.Time, full bool) {
	var times []time.Time
	since := l.f.Now.Add(-r.Rate.Per)
	for _, run := range l.f.Recent {
		switch {
		case !fits(r.Pattern, run.Command, run.Permission), !run.At.After(since):
		case r.Rate.By == "user" && run.User != l.f.User:
		case r.Rate.By == "room" && run.Room != l.f.Room:
		default:
			times = append(times, run.At)
		}
	}
	if len(times) < r.Rate.N {
		return time.Time{}, false
	}
	slices.SortFunc(times, time.Time.Compare)
	return times[len(times)-r.Rate.N].Add(r.Rate.Per).In(l.f.Now.Location()), true
}

// words say why a rule counts or does not.
func (l Looked) words(d command.Declaration, f Facts) string {
	switch l.Reason {
	case NotCommand:
		return phrase.T("permit.why.not_command", l.Rule.Pattern, d.Needs())
	case NotSubject:
		if f.Robot && l.Rule.Kind == Allow && l.Rule.Subject.Kind != Robot {
			return phrase.T("permit.why.not_robot")
		}
		return phrase.T("permit.why.not_subject", f.User, l.Rule.Subject.String())
	case NotOnCall:
		return phrase.T("permit.why.not_oncall", f.User, l.Rule.Subject.Arg)
	case NoArg:
		return phrase.T("permit.why.no_arg")
	case NotWhen:
		return phrase.T("permit.why.not_when", l.Rule.When)
	case Undecidable:
		return phrase.T("permit.why.undecidable", l.Rule.When)
	}
	return phrase.T("permit.why." + string(l.Reason))
}

func (s Subject) String() string {
	switch s.Kind {
	case Everyone:
		return string(Everyone)
	case OnCall:
		return "role:oncall"
	case OnCallFor:
		return "role:oncall(" + s.Arg + ")"
	}
	return string(s.Kind) + ":" + s.Name
}
