package bot

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/permit"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/runner"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Judge understands lines and decides about them by the organisation's rules.
// Rules that cannot be read allow nothing.
type Judge struct {
	catalogue *Catalogue
	log       *slog.Logger
	policy    atomic.Pointer[compiled]
	today     atomic.Pointer[today]
}

type compiled struct {
	text   string
	policy *permit.Policy
}

// today are the calendars of an organisation for a minute. No day begins within
// one, and every decision asks for them inside the one writer.
type today struct {
	org    *org.Org
	minute time.Time
	all    map[string]bool
}

// NewJudge returns a Judge over a catalogue.
func NewJudge(c *Catalogue, log *slog.Logger) *Judge {
	return &Judge{catalogue: c, log: log}
}

// rules are those of an organisation, compiled once.
func (j *Judge) rules(o *org.Org) *permit.Policy {
	text := o.Settings.Rules
	if c := j.policy.Load(); c != nil && c.text == text {
		return c.policy
	}
	p, err := permit.Compile(text)
	if err != nil {
		j.log.Error("read the rules of commands: nothing is allowed", "err", err)
		p = nil
	}
	j.policy.Store(&compiled{text, p})
	return p
}

// place is where and by what way a line was given.
type place struct {
	room     id.Room
	incident id.Incident
	via      timeline.Origin
	schedule bool
	program  bool // it came by a token, and nobody is there who could show a second factor
}

// Judge implements runner.Judge.
func (j *Judge) Judge(tx *store.Tx, inv invocation.Invocation, line string, as people.Actor) (runner.Judgement, error) {
	at := place{room: inv.Room, incident: inv.Incident, via: inv.By.Origin, schedule: inv.By.Origin == timeline.System || inv.Schedule.Cron != ""}
	parsed, err := j.catalogue.Parse(line, lookup{tx.Org, as.User, inv.Room, tx.Now})
	var gone *command.Unknown
	switch {
	case errors.As(err, &gone): // it was understood when it was given
		return runner.Judgement{Broken: phrase.T("runner.gone")}, nil
	case err != nil:
		return runner.Judgement{Broken: sentence(err)}, nil
	case parsed.Options.Help: // no command of ours asks for that
		return runner.Judgement{Broken: phrase.T("bot.only_help", parsed.Declaration.Name())}, nil
	}
	past, approves := recordOf(tx), as.User != inv.By.User
	past.but, past.none = inv.ID, approves // who approves it does not run it
	policy := j.rules(tx.Org)
	f, err := j.facts(policy, tx.Org, parsed, as, at, tx.Now, past)
	if err != nil {
		return runner.Judgement{}, err
	}
	f.StepUp = f.StepUp || approves || !inv.ProvenAt.IsZero() // it was shown for this, or is asked for when they say yes
	return runner.Judgement{Parsed: parsed, Verdict: verdict(policy, tx.Org, parsed, as, at, f), StepUp: policy.WantsStepUp(parsed.Declaration, f)}, nil
}

// verdict decides about a line that was understood.
func (j *Judge) verdict(o *org.Org, p command.Parsed, as people.Actor, at place, now time.Time, past record) (invocation.Verdict, error) {
	policy := j.rules(o)
	f, err := j.facts(policy, o, p, as, at, now, past)
	if err != nil {
		return invocation.Verdict{}, err
	}
	return verdict(policy, o, p, as, at, f), nil
}

func verdict(policy *permit.Policy, o *org.Org, p command.Parsed, as people.Actor, at place, f permit.Facts) invocation.Verdict {
	d := policy.Decide(p.Declaration, f)
	if d.StepUp {
		if why := noStepUp(o, as, at); why != "" {
			d.StepUp, d.Why = false, phrase.T(why, p.Declaration.Name())
		}
	}
	return invocation.Verdict{StepUp: d.StepUp, Allow: d.Allowed, Rule: d.Rule, Why: d.Why, Confirm: d.Confirm, Approval: d.Approval, Glass: d.Glass}
}

// facts are what the rules may look at when somebody gives a line in a place.
func (j *Judge) facts(policy *permit.Policy, o *org.Org, p command.Parsed, as people.Actor, at place, now time.Time, past record) (permit.Facts, error) {
	f := facts(o, as, at, now)
	f.StepUp = as.Proven(now)
	f.Cases, f.Reason = permit.Cases(p, leadsTo(o, past)), p.Options.Reason
	f.Glass = p.Options.BreakGlass && !at.schedule // nobody is there who could say that it is an emergency
	f.Calendars = j.calendars(policy, o, now)
	var err error
	f.Recent, err = j.recent(policy, p.Declaration, o, as, at, now, past)
	return f, err
}

// calendars are the public holidays of the organisation as rules ask for them,
// and whether one of them is now: in any zone of the rotations that they are for,
// because nobody's own clock may end a freeze. Without a rule that asks there are none.
func (j *Judge) calendars(policy *permit.Policy, o *org.Org, now time.Time) map[string]bool {
	if len(policy.Calendars()) == 0 {
		return nil
	}
	minute := now.Truncate(time.Minute)
	if t := j.today.Load(); t != nil && t.org == o && t.minute.Equal(minute) {
		return t.all
	}
	all := map[string]bool{}
	for _, c := range o.Holidays {
		dates := map[string]bool{}
		for _, r := range o.Rotations {
			loc, err := time.LoadLocation(r.Zone)
			if err == nil && (c.Team == "" || c.Team == r.Team) {
				dates[now.In(loc).Format(time.DateOnly)] = true
			}
		}
		if len(dates) == 0 {
			dates[now.UTC().Format(time.DateOnly)] = true
		}
		name := permit.CalendarName(c.Name)
		all[name] = all[name] || slices.ContainsFunc(c.Days, func(d oncall.Holiday) bool { return dates[d.Date] })
	}
	j.today.Store(&today{o, minute, all})
	return all
}

// facts are what rules may look at about somebody in a place.
func facts(o *org.Org, as people.Actor, at place, now time.Time) permit.Facts {
	f := permit.Facts{Room: roomName(o, at.room), Via: string(at.via), Now: now.UTC()}.Of(as)
	if at.schedule {
		f.Via = "schedule"
	}
	u, ok := o.Users[as.User]
	if !ok {
		if as.Origin == timeline.Command { // the operator at the machine
			f.User = "operator"
		}
		return f
	}
	f.User, f.Robot = u.Username, u.Robot
	for _, t := range o.Teams {
		if slices.Contains(t.Members, u.ID) {
			f.Teams = append(f.Teams, t.Slug)
		}
	}
	duty := func(kind command.Type, name string) {
		if d := (permit.Duty{Kind: kind, Name: name}); name != "" && !slices.Contains(f.OnCall, d) {
			f.OnCall = append(f.OnCall, d)
		}
	}
	on := map[id.Rotation]bool{}
	for _, r := range o.Rotations {
		for _, s := range o.OnCall(r.ID, now) {
			if s.User == u.ID {
				on[r.ID] = true
				duty(command.Rotation, id.Slug(r.Name))
				duty(command.Team, o.Teams[r.Team].Slug)
			}
		}
	}
	for _, p := range o.Policies {
		for _, step := range p.Steps {
			for _, t := range step.Targets {
				if on[t.Rotation] {
					duty(command.Policy, p.Slug)
				}
			}
		}
	}
	for _, k := range o.Keys {
		if p, ok := o.Policies[k.Policy]; ok && slices.Contains(f.OnCall, permit.Duty{Kind: command.Policy, Name: p.Slug}) {
			duty(command.Service, k.Name)
		}
	}
	return f
}

// record is what of the past a decision looks at: read in the transaction of what
// is decided, or beside one when nothing is.
type record struct {
	incident func(id.Incident) (incident.Incident, error)
	started  func(store.Started) ([]invocation.Invocation, error)
	but      id.Invocation // which does not count against itself
	none     bool          // nothing counts
}

func recordOf(tx *store.Tx) record { return record{incident: tx.Incident, started: tx.Started} }

// leadsTo says what the value of an argument is about.
func leadsTo(o *org.Org, past record) func(command.Type, string) map[string]string {
	return func(kind command.Type, value string) map[string]string {
		switch kind {
		case command.Incident:
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return nil
			}
			inc, err := past.incident(id.Incident(n))
			if err != nil {
				return nil
			}
			return map[string]string{"service": inc.RoutingKey, "team": o.Teams[inc.Team].Slug, "policy": o.Policies[inc.Policy].Slug, "severity": string(inc.Severity), "state": string(inc.State), "acked_by": o.Users[inc.AckedBy.User].Username}
		case command.Rotation:
			return map[string]string{"team": o.Teams[o.Rotations[id.Rotation(value)].Team].Slug}
		case command.Policy:
			return map[string]string{"team": o.Teams[o.Policies[id.Policy(value)].Team].Slug}
		}
		return nil
	}
}

// recent are the runs that limits count, each as far as it counts.
func (j *Judge) recent(p *permit.Policy, d command.Declaration, o *org.Org, as people.Actor, at place, now time.Time, past record) ([]permit.Run, error) {
	if past.none {
		return nil, nil
	}
	var runs []permit.Run
	seen := map[id.Invocation]bool{past.but: true}
	for _, limit := range p.Limits(d) {
		permissions := map[string]string{}
		for _, other := range j.catalogue.Tree().All() {
			if limit.About(other) {
				permissions[other.ID] = other.Needs()
			}
		}
		f := store.Started{Commands: slices.Sorted(maps.Keys(permissions)), Since: now.Add(-limit.Rate.Per), Limit: limit.Rate.N + 1} // it may be among them
		switch limit.Rate.By {
		case "user":
			f.Person = &as.User
		case "room":
			f.Room = &at.room
		}
		found, err := past.started(f)
		if err != nil {
			return nil, fmt.Errorf("load recent commands: %w", err)
		}
		for _, inv := range found {
			if !seen[inv.ID] {
				seen[inv.ID] = true
				runs = append(runs, permit.Run{Command: inv.Command, Permission: permissions[inv.Command], User: inv.Username, Room: roomName(o, inv.Room), At: inv.StartedAt})
			}
		}
	}
	return runs, nil
}

// allowed are the commands that somebody might run where they are.
func (j *Judge) allowed(o *org.Org, as people.Actor, at place, now time.Time) []command.Declaration {
	policy, f := j.rules(o), facts(o, as, at, now)
	f.Calendars = j.calendars(policy, o, now)
	var all []command.Declaration
	for _, d := range j.catalogue.Tree().All() {
		if !d.Hidden && policy.Might(d, f) {
			all = append(all, d)
		}
	}
	return all
}

// sentence is what is wrong with a line, for who typed it.
func sentence(err error) string {
	var unknown *command.Unknown
	var wrong *command.Error
	switch {
	case errors.As(err, &wrong):
		text := wrong.Sentence
		if len(wrong.Candidates) > 0 && !strings.Contains(text, wrong.Candidates[0]) {
			text += " " + strings.Join(wrong.Candidates, ", ")
		}
		return text
	case errors.As(err, &unknown):
		return unknownSentence(unknown)
	}
	return err.Error()
}
