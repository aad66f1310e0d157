package api

import (
	"context"
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
)

// handovers is how many of the next hand-overs are shown for a rotation.
const handovers = 5

// OnCall is who is on duty.
type OnCall struct {
	At        time.Time      `json:"at"`
	Rotations []RotationDuty `json:"rotations" nullable:"false"`
	Policies  []PolicyFirst  `json:"policies" nullable:"false"`
}

// RotationDuty is who is on duty in one rotation.
type RotationDuty struct {
	ID   id.Rotation `json:"id"`
	Slug string      `json:"slug"`
	Name string      `json:"name"`
	Team id.Team     `json:"team,omitempty"`
	Zone string      `json:"zone"`
	Now  []Duty      `json:"now" nullable:"false" doc:"One for each layer that has somebody."`
	Next []Duty      `json:"next" nullable:"false" doc:"The next hand-overs: who takes over, and when."`
}

// Duty is an uninterrupted time of one person in one layer.
type Duty struct {
	Layer  string     `json:"layer,omitempty" doc:"Its name; absent for the only one."`
	Person Person     `json:"person"`
	Since  *time.Time `json:"since,omitempty"`
	Until  *time.Time `json:"until,omitempty" doc:"Absent when nobody ever takes over."`

	Override id.Override `json:"override,omitempty" doc:"By which the person is on duty; absent when the rota says so."`
	Instead  *Person     `json:"instead,omitempty" doc:"The rota's own person."`
}

// PolicyFirst is whom a policy would page at once.
type PolicyFirst struct {
	ID     id.Policy `json:"id"`
	Slug   string    `json:"slug"`
	Name   string    `json:"name"`
	Team   id.Team   `json:"team,omitempty"`
	Step   int       `json:"step,omitempty" doc:"The first step that has somebody who can be reached, from 1; absent when none has."`
	People []Paged   `json:"people" nullable:"false" doc:"Whom that step pages."`
}

// Paged is somebody a step pages.
type Paged struct {
	Person
	Why       string `json:"why" doc:"Why this person."`
	Reachable bool   `json:"reachable" doc:"Has a contact method that is on."`
}

// MyDuty is when one is on call oneself.
type MyDuty struct {
	Person Person           `json:"person"`
	Now    []RotationMyDuty `json:"now" nullable:"false" doc:"Where one is on duty."`
	Next   []RotationMyDuty `json:"next" nullable:"false" doc:"The next time in each layer, among the next fifty hand-overs of a rotation."`
}

// RotationMyDuty is a time on duty, with its rotation.
type RotationMyDuty struct {
	Rotation     id.Rotation `json:"rotation"`
	RotationName string      `json:"rotation_name"`
	Duty
}

type (
	onCallInput struct {
		At time.Time `query:"at" doc:"When; now when absent."`
	}
	onCallOutput struct{ Body OnCall }
	myDutyOutput struct{ Body MyDuty }
)

func (a *api) registerOnCall() {
	handle(a, "show-oncall", a.showOnCall)
	handle(a, "show-my-oncall", a.showMyOnCall)
}

func dutyView(o *org.Org, s oncall.Shift) Duty {
	return Duty{Layer: s.LayerName, Person: personOf(o, s.User), Since: instant(s.Start), Until: instant(s.End), Override: s.Override, Instead: somebody(o, s.Instead)}
}

func (a *api) showOnCall(ctx context.Context, _ people.Actor, in *onCallInput) (*onCallOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	at := in.At.UTC()
	if in.At.IsZero() {
		at = a.now()
	}
	out := OnCall{At: at, Rotations: []RotationDuty{}, Policies: []PolicyFirst{}}
	for _, r := range org.Sorted(o.Rotations, func(r oncall.Rotation) string { return r.Name }) {
		d := RotationDuty{ID: r.ID, Slug: id.Slug(r.Name), Name: r.Name, Team: r.Team, Zone: r.Zone, Now: []Duty{}, Next: []Duty{}}
		for _, s := range o.OnCall(r.ID, at) {
			d.Now = append(d.Now, dutyView(o, s))
		}
		for _, s := range o.Upcoming(r.ID, at, handovers) {
			d.Next = append(d.Next, dutyView(o, s))
		}
		out.Rotations = append(out.Rotations, d)
	}
	whom := o.Whom(at)
	for _, p := range org.Sorted(o.Policies, func(p escalation.Policy) string { return p.Name }) {
		out.Policies = append(out.Policies, policyFirst(o, p, whom))
	}
	return &onCallOutput{Body: out}, nil
}

// policyFirst passes over steps without anybody, as an escalation does.
func policyFirst(o *org.Org, p escalation.Policy, whom func(escalation.Target) []incident.Person) PolicyFirst {
	first := PolicyFirst{ID: p.ID, Slug: p.Slug, Name: p.Name, Team: p.Team, People: []Paged{}}
	for i, step := range p.Steps {
		seen, reachable := map[id.User]bool{}, false
		var paged []Paged
		for _, t := range step.Targets {
			for _, who := range whom(t) {
				if seen[who.User] {
					continue
				}
				seen[who.User] = true
				reachable = reachable || who.Reachable
				paged = append(paged, Paged{Person: personOf(o, who.User), Why: who.Why, Reachable: who.Reachable})
			}
		}
		if reachable {
			first.Step, first.People = i+1, paged
			break
		}
	}
	return first
}

func (a *api) showMyOnCall(ctx context.Context, by people.Actor, _ *struct{}) (*myDutyOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	const lookAhead = 50
	now := a.now()
	out := MyDuty{Person: personOf(o, by.User), Now: []RotationMyDuty{}, Next: []RotationMyDuty{}}
	for _, r := range org.Sorted(o.Rotations, func(r oncall.Rotation) string { return r.Name }) {
		mine := func(s oncall.Shift) RotationMyDuty {
			return RotationMyDuty{Rotation: r.ID, RotationName: r.Name, Duty: dutyView(o, s)}
		}
		for _, s := range o.OnCall(r.ID, now) {
			if s.User == by.User {
				out.Now = append(out.Now, mine(s))
			}
		}
		next := map[int]bool{} // by layer
		for _, s := range o.Upcoming(r.ID, now, lookAhead) {
			if s.User == by.User && !next[s.Layer] {
				next[s.Layer] = true
				out.Next = append(out.Next, mine(s))
			}
		}
	}
	return &myDutyOutput{Body: out}, nil
}
