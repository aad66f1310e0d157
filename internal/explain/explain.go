// Package explain answers "who would be paged?" before anything happens and
// "why was I paged, why was I not?" afterwards, in plain words.
//
// The first is a rehearsal: incident.Decide itself is driven with a clock and
// the organisation as it is, as if nobody ever answered. There is no second
// copy of the rules that could disagree with them. The second is made of the
// recorded entries and deliveries alone. Both are functions of values: no
// clock, no store.
//
// What a rehearsal cannot know: changes of the organisation between now and the
// instant asked for, methods that will fail (the next one then comes earlier),
// storms that bundle, and how many incidents came before in a step that goes round.
package explain

import (
	"fmt"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/maintenance"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/paging"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/timeline"
)

// MaxDecisions bounds a rehearsal. A policy has at most a thousand steps in all
// its rounds; nobody reads further than this.
const MaxDecisions = 200

// Question is an alert that might come.
type Question struct {
	RoutingKey string     `json:"routing_key,omitempty"` // as a sender would spell it
	Severity   alert.Type `json:"severity"`
	At         time.Time  `json:"at"`
	EntityID   string     `json:"entity_id,omitempty"` // matters to maintenance windows only
	// Team asks about the team's policies, each by itself, when there is no routing key.
	Team id.Team `json:"team,omitempty"`

	Zone    *time.Location       `json:"-"` // in which the answer says times; nil: that of At
	Windows []maintenance.Window `json:"-"` // those there are, active or not
	Turn    int                  `json:"-"` // how many incidents took their turn before, in steps that go round
}

// Validate returns a sentence about the first thing that is wrong with q.
func (q Question) Validate() error {
	switch {
	case !slices.Contains([]alert.Type{alert.Critical, alert.Warning, alert.Info}, q.Severity):
		return fmt.Errorf("severity %q: use critical, warning or info", q.Severity)
	case q.At.Year() < 2000 || q.At.Year() > 2999:
		return fmt.Errorf("the instant must be in the years 2000 to 2999")
	case len(q.RoutingKey) > 200 || len(q.EntityID) > 4*alert.MaxEntityID:
		return fmt.Errorf("the routing key or the entity is too long")
	}
	return nil
}

// Answer is what would happen, if nobody answered.
type Answer struct {
	Question Question `json:"question"`
	Revision int64    `json:"revision"` // of the organisation
	Route    string   `json:"route"`    // one sentence: how the paths were found
	Paths    []Path   `json:"paths"`    // one for a routing key, one for each policy of a team
}

// Path is one policy, from the alert to its end.
type Path struct {
	Policy     id.Policy      `json:"policy,omitempty"`
	PolicyName string         `json:"policy_name,omitempty"`
	Version    int64          `json:"policy_version,omitempty"`
	Team       id.Team        `json:"team,omitempty"`
	TeamName   string         `json:"team_name,omitempty"`
	Urgency    people.Urgency `json:"urgency,omitempty"` // "" when no incident opens
	Mute       *Mute          `json:"mute,omitempty"`
	// MayMute names active windows that are for some entities only, when the
	// question names none.
	MayMute []string `json:"may_mute,omitempty"`
	Events  []Event  `json:"events"`
	Paged   int      `json:"paged"`         // different people
	Cut     bool     `json:"cut,omitempty"` // it goes on, MaxDecisions were reached
}

// Mute is a maintenance window that holds the pages back; Events begin at Until.
type Mute struct {
	Window maintenance.ID `json:"window"`
	Name   string         `json:"name"`
	Until  time.Time      `json:"until"` // when the last of the windows that touch is over
}

// Event is one thing that would be done.
type Event struct {
	At         time.Time           `json:"at"`
	After      escalation.Duration `json:"after"` // since the first
	Kind       timeline.Kind       `json:"kind"`  // of the entry it would be
	Step       int                 `json:"step,omitempty"`
	Round      int                 `json:"round,omitempty"`
	LastResort bool                `json:"last_resort,omitempty"`
	Text       string              `json:"text"` // one line
	People     []Person            `json:"people,omitempty"`
	Told       []string            `json:"told,omitempty"` // webhooks, addresses, rooms
	Note       string              `json:"note,omitempty"` // who could not be reached
}

// Person is somebody who would be paged, and how.
type Person struct {
	User     id.User          `json:"user"`
	Name     string           `json:"name"`
	Why      string           `json:"why"`            // why this person, as they would read it
	Rule     string           `json:"rule,omitempty"` // of their own paging policy
	Reason   string           `json:"reason"`         // why these methods
	Attempts []Attempt        `json:"attempts"`
	Again    people.Duration  `json:"again,omitempty"` // the last attempts come again every so often
	Skipped  []paging.Skipped `json:"skipped,omitempty"`
}

// Attempt is one message to one contact method.
type Attempt struct {
	At     time.Time       `json:"at"`
	After  people.Duration `json:"after"` // since the step
	Method people.Method   `json:"method"`
	To     string          `json:"to"` // the contact method as others may read it
	Again  bool            `json:"again,omitempty"`
}

// Explain rehearses q in o.
func Explain(o *org.Org, q Question) Answer {
	if q.Zone == nil {
		q.Zone = q.At.Location()
	}
	q.At = q.At.In(q.Zone)
	a := Answer{Question: q, Revision: o.Rev, Paths: []Path{}}
	if q.RoutingKey == "" && q.Team != "" {
		return ofTeam(o, q, a)
	}
	route := o.Route(q.RoutingKey)
	switch {
	case !route.Found:
		a.Route = phrase.T("explain.route.none")
	case !route.Default:
		a.Route = phrase.T("explain.route.key", q.RoutingKey, route.Policy.Name)
	case q.RoutingKey == "":
		a.Route = phrase.T("explain.route.absent", route.Policy.Name)
	default:
		a.Route = phrase.T("explain.route.unknown", q.RoutingKey, route.Policy.Name)
	}
	if q.Team != "" && route.Found && route.Policy.Team != q.Team {
		a.Route += " " + phrase.T("explain.route.other_team", o.Teams[q.Team].Name)
	}
	a.Paths = append(a.Paths, rehearse(o, q, nil))
	return a
}

func ofTeam(o *org.Org, q Question, a Answer) Answer {
	for _, p := range org.Sorted(o.Policies, func(p escalation.Policy) string { return p.Name }) {
		if p.Team == q.Team {
			a.Paths = append(a.Paths, rehearse(o, q, &p))
		}
	}
	name := string(q.Team)
	if t, ok := o.Teams[q.Team]; ok {
		name = t.Name
	}
	a.Route = phrase.N("explain.route.team", len(a.Paths), name)
	return a
}

// rehearse drives the rules from the alert on; policy replaces the route when it is set.
func rehearse(o *org.Org, q Question, policy *escalation.Policy) Path {
	start := q.At
	r := rehearsal{org: o, q: q}
	facts := r.facts(incident.Incident{}, start)
	if policy != nil {
		facts.Policy, facts.HasPolicy, facts.DefaultRoute = *policy, true, false
	}
	r.path.Events = []Event{}
	r.mute(facts.Policy.Team)
	if r.path.Mute != nil {
		start = r.path.Mute.Until
		later := r.facts(incident.Incident{}, start)
		facts.Whom = later.Whom // people as they are then
	}
	r.start = start
	a := alert.Alert{Type: q.Severity, EntityID: q.EntityID, Title: q.EntityID, RoutingKey: q.RoutingKey}
	d := incident.Decide(incident.Incident{}, incident.Arrived{Alert: a}, facts, start)
	r.describe(facts.Policy, d.Incident)
	r.tell(d.Entries, start)
	inc := d.Incident
	for n := 0; inc.State == incident.Triggered && !inc.NextAt.IsZero(); n++ {
		if n == MaxDecisions {
			r.path.Cut = true
			break
		}
		at := inc.NextAt
		d := incident.Decide(inc, incident.StepDue{}, r.facts(inc, at), at)
		r.tell(d.Entries, at)
		inc = d.Incident
	}
	return r.path
}

// rehearsal collects one path.
type rehearsal struct {
	org   *org.Org
	q     Question
	start time.Time
	path  Path
	seen  []id.User
}

func (r *rehearsal) facts(inc incident.Incident, at time.Time) incident.Facts {
	f := r.org.Facts(inc, r.q.RoutingKey, at)
	if f.Turn == nil {
		f.Turn = func(id.Policy) int { return r.q.Turn }
	}
	return f
}

func (r *rehearsal) mute(team id.Team) {
	a := maintenance.Alert{RoutingKey: r.q.RoutingKey, EntityID: r.q.EntityID, Team: team}
	if w, ok := maintenance.Muting(r.q.Windows, a, r.q.At); ok {
		until, _ := maintenance.MutedUntil(r.q.Windows, a, r.q.At)
		r.path.Mute = &Mute{Window: w.ID, Name: w.Name, Until: until.In(r.q.Zone)}
		return
	}
	if r.q.EntityID != "" {
		return
	}
	for _, w := range maintenance.Active(r.q.Windows, r.q.At) {
		if len(w.Entities) == 0 {
			continue
		}
		w.Entities = []string{"*"}
		if w.Covers(a) {
			r.path.MayMute = append(r.path.MayMute, w.Name)
		}
	}
}

func (r *rehearsal) describe(p escalation.Policy, inc incident.Incident) {
	r.path.Policy, r.path.PolicyName, r.path.Version, r.path.Team = p.ID, p.Name, p.Version, p.Team
	r.path.TeamName = r.org.Teams[p.Team].Name
	if inc.State != "" {
		r.path.Urgency = inc.HowUrgent()
	}
}
