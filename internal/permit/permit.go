// Package permit decides who may run which command, from rules that people
// write, one on a line. It is a function of values: the rules, the command, the
// facts about who asks. It promises that nothing is allowed that no rule allows,
// that a refusal beats every permission, and that every decision names the rule
// that made it; what it cannot decide it refuses. Who somebody is, and running,
// confirming and approving, is left to others.
//
//	allow SUBJECT PATTERN [on ARG:VALUE …] [when EXPRESSION]
//	deny [SUBJECT] PATTERN …
//	require approval(GROUP[, peer][, COUNT]) [within 30m] for [SUBJECT] PATTERN …
//	require confirmation for [SUBJECT] PATTERN …
//	require step_up for [SUBJECT] PATTERN …
//	limit [SUBJECT] PATTERN N/hour [per user|room|all] …
//	override SUBJECT PATTERN …
//
// SUBJECT is everyone, role:admin, role:member, role:observer, team:SLUG,
// user:NAME, robot:NAME, role:oncall (for anything) or role:oncall(ARG), who is
// on call for what the argument names. PATTERN is the permission that commands
// need, or their id, in which * stands for any letters. A line that begins with #
// is a comment; the line "without defaults" leaves out Default, which is read
// before all others; and
//
//	zone "Europe/Berlin"
//	calendar "freeze" from 2026-12-18 18:00 until 2027-01-04 08:00
//
// say on whose clocks the rules are, and name stretches of time.
//
// EXPRESSION compares, with ==, !=, <, >, in, contains, startsWith, endsWith and
// matches, joined by and, or and not: the arguments of the command by name (or
// args.NAME, where the name is one of these); user, role, robot, teams, room,
// via, reason; command, permission, risk; date, time, weekday, hour;
// calendar("freeze"), team("web"), oncall("database"), has("env"); lower, upper,
// trim, len, duration.
package permit

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/maintenance"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Default are the rules that there are without any of one's own: everybody
// looks, members work, what is dangerous is for administrators, who have to say
// it twice. Robots may only what is granted to them by name.
const Default = `allow everyone * when risk == "read"
allow role:member * when risk == "change"
allow role:admin *
require confirmation for * when risk == "danger"
`

// Decision is what the rules say.
type Decision struct {
	Allowed bool
	Rule    string // that made it, as people see it; see Rule.String
	Line    int    // of that rule, in one's own text or in Default; 0: none
	Why     string // of a refusal, a short sentence for the one who asked
	Confirm bool   // who asked has to say it again
	// Approval is what others have to say first. With several groups in it, comma
	// between them, whoever approves has to be in all.
	Approval command.Approval
	StepUp   bool      // it would be allowed with a second factor
	Glass    bool      // it is allowed because the glass is broken
	Retry    time.Time // when a limit lets it through again
}

// Decide says whether a command may be run. A nil policy, one that could not be
// loaded, allows nothing.
func (p *Policy) Decide(d command.Declaration, f Facts) Decision {
	return p.decide(d, f, false, func(Looked) {})
}

// Might reports whether the command may be run with some arguments, for help and
// completion: what depends on arguments is taken to be in favour.
func (p *Policy) Might(d command.Declaration, f Facts) bool {
	f.Cases, f.Recent, f.StepUp = nil, nil, true
	if len(d.Rooms) > 0 {
		f.Room = d.Rooms[0]
	}
	return p.decide(d, f, true, func(Looked) {}).Allowed
}

// Reason why a rule counts or does not. Stable: pages explain them.
type Reason string

// The reasons.
const (
	Matches     Reason = "matches"
	NotCommand  Reason = "not_command"  // the pattern is of other commands
	NotSubject  Reason = "not_subject"  // it is about others
	NotOnCall   Reason = "not_oncall"   // they are not on call for it
	NoArg       Reason = "no_arg"       // the command has no such argument here
	NotScope    Reason = "not_scope"    // the argument has another value
	NotWhen     Reason = "not_when"     // the condition is false
	Undecidable Reason = "undecidable"  // the condition cannot be computed
	BelowLimit  Reason = "below_limit"  // it was run less often
	StepUpDone  Reason = "step_up_done" // the second factor was shown
	NoGlass     Reason = "no_glass"     // the glass is whole
)

// Looked is one rule that was looked at, and why it counts or does not.
type Looked struct {
	Rule   Rule
	Counts bool
	Reason Reason
	Why    string // the reason in words
}

// Explanation is a decision with all that led to it.
type Explanation struct {
	Decision Decision
	Looked   []Looked // in the order of the rules; for several cases the rule's first that counts
}

// Explain decides and tells how.
func (p *Policy) Explain(d command.Declaration, f Facts) Explanation {
	var e Explanation
	seen := map[string]int{}
	e.Decision = p.decide(d, f, false, func(l Looked) {
		name := l.Rule.name()
		if i, ok := seen[name]; !ok {
			seen[name] = len(e.Looked)
			e.Looked = append(e.Looked, l)
		} else if l.Counts && !e.Looked[i].Counts {
			e.Looked[i] = l
		}
	})
	for i, l := range e.Looked {
		e.Looked[i].Why = l.words(d, f)
	}
	return e
}

// decide looks at every rule for every case. maybe takes what depends on
// arguments in favour.
func (p *Policy) decide(d command.Declaration, f Facts, maybe bool, tell func(Looked)) Decision {
	f = p.here(f)
	out, final := p.plain(d, f, maybe, tell)
	if !f.Glass || final || out.StepUp || out.Allowed && out.Approval.Count == 0 {
		return out
	}
	rule, step := p.override(d, f)
	switch {
	case rule == nil:
		return Decision{Rule: out.Rule, Line: out.Line, Why: phrase.T("permit.no_override", d.Name())}
	case step != nil: // who somebody is nobody can do without
		no := step.refuses(phrase.T("permit.step_up", d.Name()))
		no.StepUp = true
		return no
	}
	// Nobody breaks it by mistake: it has to be said twice.
	return Decision{Allowed: true, Glass: true, Confirm: true, Rule: rule.String(), Line: rule.Line}
}

// override is the rule that lets somebody break the glass, in every case, and
// the one that asks for their second factor all the same.
func (p *Policy) override(d command.Declaration, f Facts) (found, step *Rule) {
	for _, args := range cases(f) {
		l, here := looking{d: d, f: f, args: args}, (*Rule)(nil)
		for i := range p.Rules {
			r := &p.Rules[i]
			switch reason := l.counts(r); {
			case r.Kind == Override && reason == Matches:
				here = specific(here, r)
			case r.Kind == StepUp && !f.StepUp && (reason == Matches || reason == Undecidable):
				step = specific(step, r)
			}
		}
		if here == nil {
			return nil, nil
		}
		found = specific(found, here)
	}
	return found, step
}

func cases(f Facts) []map[string]string {
	if len(f.Cases) == 0 {
		return []map[string]string{{}}
	}
	return f.Cases
}

// plain is the decision while the glass is whole; final says that breaking it
// would change nothing.
func (p *Policy) plain(d command.Declaration, f Facts, maybe bool, tell func(Looked)) (out Decision, final bool) {
	switch {
	case p == nil:
		return refused("permit.rule.none", phrase.T("permit.no_policy")), true
	case !slices.Contains([]command.Risk{command.Reads, command.Changes, command.Danger}, d.Risk):
		return refused("permit.rule.none", phrase.T("permit.no_risk", d.Name())), true
	case f.Limited && f.beyond(d.Risk):
		return refused("permit.rule.token", phrase.T("permit.token", d.Name())), true
	case !f.may(d.Right) && f.Limited:
		return refused("permit.rule.token", phrase.T("permit.token", d.Name())), true
	case !f.may(d.Right):
		return refused("permit.rule.right", phrase.T("permit.right."+string(d.Right), d.Name())), true
	case len(d.Rooms) > 0 && !slices.Contains(d.Rooms, f.Room):
		return refused("permit.rule.room", phrase.T("permit.room", d.Name(), "#"+strings.Join(d.Rooms, ", #"))), true
	case f.User == "" && (!d.Public || d.Risk != command.Reads):
		return refused("permit.rule.unlinked", phrase.T("permit.unlinked")), true
	}
	out = Decision{Allowed: true, Confirm: d.Confirm}
	if d.Approval.Count > 0 {
		out.approve(d.Approval)
	}
	for i, args := range cases(f) {
		l := looking{d: d, f: f, args: args, maybe: maybe}
		one := p.one(&l, tell)
		if !one.Allowed {
			return one, false
		}
		if i == 0 {
			out.Rule, out.Line = one.Rule, one.Line
		}
		out.Confirm = out.Confirm || one.Confirm
		if one.Approval.Count > 0 {
			out.approve(one.Approval)
		}
	}
	return out, false
}

func refused(ruleKey, why string) Decision { return Decision{Rule: phrase.T(ruleKey), Why: why} }

// one decides one case. Of several rules that say the same the most specific is named.
func (p *Policy) one(l *looking, tell func(Looked)) Decision {
	out := Decision{}
	var allow, deny, step, limit *Rule
	for i := range p.Rules {
		r := &p.Rules[i]
		reason := l.counts(r)
		counts := reason == Matches || reason == Undecidable && r.Kind != Allow && r.Kind != Override
		if counts && r.Kind == Limit {
			if at, full := l.full(r); full {
				if limit == nil || at.After(out.Retry) {
					limit, out.Retry = r, at
				}
			} else {
				counts, reason = false, BelowLimit
			}
		}
		if counts && r.Kind == StepUp && l.f.StepUp {
			counts, reason = false, StepUpDone
		}
		tell(Looked{Rule: *r, Counts: counts, Reason: reason})
		if !counts {
			continue
		}
		switch r.Kind {
		case Allow:
			allow = specific(allow, r)
		case Deny:
			deny = specific(deny, r)
		case StepUp:
			step = specific(step, r)
		case Confirm:
			out.Confirm = true
		case Approve:
			out.approve(r.Approval)
		}
	}
	name := l.d.Name()
	public := l.f.User == "" // and decide has seen that it is for everybody
	switch {
	case deny != nil:
		return deny.refuses(phrase.T("permit.denied", name))
	case allow == nil && !public:
		return refused("permit.rule.none", phrase.T("permit.not_allowed", name))
	case step != nil:
		no := step.refuses(phrase.T("permit.step_up", name))
		no.StepUp = true
		return no
	case limit != nil:
		no := limit.refuses(phrase.T("permit.limit", name, limit.Rate.String(), out.Retry.Format("15:04")))
		no.Retry = out.Retry
		return no
	}
	out.Allowed, out.Retry = true, time.Time{}
	if public {
		out.Rule = phrase.T("permit.rule.public")
		return out
	}
	out.Rule, out.Line = allow.String(), allow.Line
	return out
}

func (r *Rule) refuses(why string) Decision {
	return Decision{Rule: r.String(), Line: r.Line, Why: why}
}

// specific is the rule that says more; the earlier one when they say as much.
func specific(a, b *Rule) *Rule {
	if a == nil || b.weight() > a.weight() {
		return b
	}
	return a
}

// approve adds a to what is required: the strictest of everything.
func (d *Decision) approve(a command.Approval) {
	have := &d.Approval
	groups := strings.FieldsFunc(have.Group, func(r rune) bool { return r == ',' })
	if a.Group != "" && !slices.Contains(groups, a.Group) {
		groups = append(groups, strings.Split(a.Group, ",")...)
		slices.Sort(groups)
		groups = slices.Compact(groups)
	}
	have.Group = strings.Join(groups, ",")
	have.Count = max(have.Count, a.Count)
	have.Peer = have.Peer || a.Peer
	if a.TTL > 0 && (have.TTL == 0 || a.TTL < have.TTL) {
		have.TTL = a.TTL
	}
}

// Admins is the group of all administrators, for approval.
const Admins = "admins"

// Limits are those that are about d. For a decision Facts.Recent has to have of
// each the latest runs that it counts, as many as its rate.
func (p *Policy) Limits(d command.Declaration) []Rule {
	if p == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(p.Rules), func(r Rule) bool { return r.Kind != Limit || !r.About(d) })
}

// About reports whether a rule is about a command.
func (r *Rule) About(d command.Declaration) bool { return fits(r.Pattern, d.ID, d.Needs()) }

// CalendarName is what rules call a calendar: "Code freeze" is code-freeze.
func CalendarName(name string) string {
	return cmp.Or(id.Slug(name), strings.ToLower(strings.TrimSpace(name)))
}

// Calendars are those that the rules ask for, by CalendarName.
func (p *Policy) Calendars() []string {
	var names []string
	if p != nil {
		for _, r := range p.Rules {
			if r.cond != nil {
				names = append(names, r.cond.calendars...)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Missing are the rules that ask for calendars which there are not. They cannot
// be decided, so they refuse and require, and allow nothing.
func (p *Policy) Missing(calendars map[string]bool) Problems {
	var wrong Problems
	for _, r := range p.Rules {
		if r.cond == nil {
			continue
		}
		for _, name := range r.cond.calendars {
			if _, ok := calendars[name]; !ok && !p.defines(name) {
				wrong = append(wrong, Problem{Line: r.Line, End: len(r.Text), Sentence: phrase.T("permit.no_calendar", name)})
			}
		}
	}
	return wrong
}

// fits reports whether a pattern is of the command.
func fits(pattern string, commandID, permission string) bool {
	return maintenance.Match(pattern, permission) || maintenance.Match(pattern, commandID)
}
