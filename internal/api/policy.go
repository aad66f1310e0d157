package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// PolicyView is an escalation policy.
type PolicyView struct {
	ID          id.Policy  `json:"id"`
	Slug        string     `json:"slug"`
	Name        string     `json:"name"`
	Team        id.Team    `json:"team,omitempty"`
	Steps       []StepView `json:"steps" nullable:"false"`
	Repeat      int        `json:"repeat" doc:"Further rounds after the first."`
	RepeatAfter string     `json:"repeat_after" doc:"The pause before each of them."`
}

// StepView pages its targets together.
type StepView struct {
	After   string       `json:"after" doc:"Since the step before; the first: since the incident."`
	Targets []TargetView `json:"targets" nullable:"false"`
}

// TargetView is a rotation, a person or a team.
type TargetView struct {
	Rotation id.Rotation `json:"rotation,omitempty" doc:"Whoever is on call in it."`
	User     id.User     `json:"user,omitempty"`
	Team     id.Team     `json:"team,omitempty" doc:"Every member."`
}

// PolicyBody is all that is said about an escalation policy.
type PolicyBody struct {
	Slug        string     `json:"slug" pattern:"^[a-z0-9]+(-[a-z0-9]+)*$" patternDescription:"lower-case letters, digits and single dashes" maxLength:"80" example:"web" doc:"Unique."`
	Name        string     `json:"name" minLength:"1" maxLength:"200" example:"Web"`
	Team        string     `json:"team,omitempty" maxLength:"100" doc:"The team it belongs to, and with it its incidents: id or slug."`
	Steps       []StepBody `json:"steps" maxItems:"20" nullable:"false"`
	Repeat      int        `json:"repeat,omitempty" minimum:"0" maximum:"50" doc:"Further rounds after the first."`
	RepeatAfter string     `json:"repeat_after,omitempty" example:"5m" default:"5m" doc:"The pause before each of them: a duration from 1m to 24h."`
}

// StepBody pages its targets together.
type StepBody struct {
	After   string       `json:"after,omitempty" example:"10m" default:"0s" doc:"Since the step before; the first: since the incident. A duration up to 24h."`
	Targets []TargetBody `json:"targets" maxItems:"50" nullable:"false"`
}

// TargetBody is exactly one of them.
type TargetBody struct {
	Rotation string `json:"rotation,omitempty" maxLength:"254" example:"primary" doc:"Whoever is on call in it: id or slug."`
	User     string `json:"user,omitempty" maxLength:"254" doc:"A person: id, username or e-mail address."`
	Team     string `json:"team,omitempty" maxLength:"254" doc:"Every member: id or slug."`
}

func (a *api) registerPolicies() {
	r := resource[escalation.Policy, PolicyView, PolicyBody]{
		kind: org.PolicyKind, name: "policy", path: prefix + "/policies",
		all:  func(o *org.Org) []escalation.Policy { return values(o.Policies) },
		find: findPolicy, id: func(p escalation.Policy) string { return string(p.ID) },
		label: func(p escalation.Policy) string { return p.Name },
		view: func(_ context.Context, _ people.Actor, _ *org.Org, p escalation.Policy) (PolicyView, error) {
			return policyView(p), nil
		},
		build: buildPolicy,
	}
	r.register(a)
	handle(a, "create-policy", r.create(a))
}

func policyView(p escalation.Policy) PolicyView {
	v := PolicyView{ID: p.ID, Slug: p.Slug, Name: p.Name, Team: p.Team, Steps: []StepView{}, Repeat: p.Repeat, RepeatAfter: p.RepeatAfter.String()}
	for _, s := range p.Steps {
		step := StepView{After: s.After.String(), Targets: []TargetView{}}
		for _, t := range s.Targets {
			step.Targets = append(step.Targets, TargetView(t))
		}
		v.Steps = append(v.Steps, step)
	}
	return v
}

func buildPolicy(o *org.Org, was escalation.Policy, in PolicyBody) (escalation.Policy, error) {
	p := escalation.Policy{ID: newID(was.ID), Slug: in.Slug, Name: in.Name, Repeat: in.Repeat}
	var err error
	if p.Team, err = teamRef(o, "team", in.Team); err != nil {
		return p, err
	}
	if p.RepeatAfter, err = duration("repeat_after", in.RepeatAfter, escalation.MinRepeatAfter); err != nil {
		return p, err
	}
	for i, s := range in.Steps {
		field := fmt.Sprintf("steps[%d]", i)
		step := escalation.Step{}
		if step.After, err = duration(field+".after", s.After, 0); err != nil {
			return p, err
		}
		for j, t := range s.Targets {
			target, err := buildTarget(o, fmt.Sprintf("%s.targets[%d]", field, j), t)
			if err != nil {
				return p, err
			}
			step.Targets = append(step.Targets, target)
		}
		p.Steps = append(p.Steps, step)
	}
	return p, nil
}

func buildTarget(o *org.Org, field string, in TargetBody) (t escalation.Target, err error) {
	named := 0
	for _, ref := range []string{in.Rotation, in.User, in.Team} {
		if ref != "" {
			named++
		}
	}
	if named != 1 {
		return t, fault.Invalid(field, phrase.T("api.one_target"))
	}
	var errs [3]error
	t.Rotation, errs[0] = rotationRef(o, field+".rotation", in.Rotation)
	t.User, errs[1] = userRef(o, field+".user", in.User)
	t.Team, errs[2] = teamRef(o, field+".team", in.Team)
	return t, errors.Join(errs[:]...)
}

func duration(field, text string, least time.Duration) (escalation.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fault.Invalid(field, phrase.T("api.bad_duration", text))
	}
	if d < least || d > escalation.MaxAfter {
		return 0, fault.Invalid(field, phrase.T("api.duration_range", escalation.Duration(least), escalation.Duration(escalation.MaxAfter)))
	}
	return escalation.Duration(d), nil
}
