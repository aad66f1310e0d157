package org

import (
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Whom returns who is behind a target at an instant. Behind a policy are those
// of its first step, whatever the step's condition; behind what is told is nobody.
func (o *Org) Whom(at time.Time) func(escalation.Target) []incident.Person {
	return func(t escalation.Target) []incident.Person { return o.whom(t, at, nil) }
}

// whom opens each policy once, for several may lead to the same one.
func (o *Org) whom(t escalation.Target, at time.Time, opened map[id.Policy]bool) []incident.Person {
	var found []incident.Person
	add := func(u id.User, why string) {
		if user, ok := o.Users[u]; ok && !user.Disabled {
			found = append(found, incident.Person{User: u, Name: user.Name, Why: why, Reachable: user.Reachable()})
		}
	}
	switch {
	case t.User != "":
		add(t.User, phrase.T("escalation.why.user"))
	case t.Team != "":
		team := o.Teams[t.Team]
		for _, u := range team.Members {
			add(u, phrase.T("escalation.why.team", team.Name))
		}
	case t.Rotation != "":
		why := pickedWhy(t.Pick, o.Rotations[t.Rotation].Name)
		for _, u := range o.Picked(t.Rotation, t.Pick, at) {
			add(u, why)
		}
	case t.Policy != "":
		p := o.Policies[t.Policy]
		if len(p.Steps) == 0 || opened[p.ID] {
			return nil
		}
		if opened == nil {
			opened = map[id.Policy]bool{}
		}
		opened[p.ID] = true
		for _, inner := range p.Steps[0].Targets {
			found = append(found, o.whom(inner, at, opened)...)
		}
	}
	return found
}

func pickedWhy(pick escalation.Pick, rotation string) string {
	switch pick {
	case escalation.PickNext:
		return phrase.T("escalation.why.next", rotation)
	case escalation.PickPrevious:
		return phrase.T("escalation.why.previous", rotation)
	}
	return phrase.T("escalation.why.rotation", rotation)
}

// Picked returns whom of a rotation a target means at an instant, in the order
// of the layers: who is on duty, or who follows or precedes them in the turns
// of their layer. Nobody follows where nobody is on duty, or only one ever is.
func (o *Org) Picked(r id.Rotation, pick escalation.Pick, at time.Time) []id.User {
	c := o.compiled[r]
	if c == nil {
		return nil
	}
	var picked []id.User
	neighbours := c.NextPerson
	switch pick {
	case escalation.PickNext:
	case escalation.PickPrevious:
		neighbours = c.PreviousPerson
	default:
		for _, s := range o.OnCall(r, at) {
			picked = append(picked, s.User)
		}
		return picked
	}
	for _, p := range neighbours(at) {
		picked = append(picked, p.User)
	}
	return picked
}

// Facts returns what the rules may know to decide about inc at an instant; for
// a new incident (State "") the policy is the route of its routing key.
func (o *Org) Facts(inc incident.Incident, routingKey string, at time.Time) incident.Facts {
	f := incident.Facts{
		WarningOpens: o.Settings.WarningsOpen, Whom: o.Whom(at), Find: o.policy, Gone: o.gone, Zone: o.zone,
	}
	switch {
	case inc.State == "":
		r := o.Route(routingKey)
		f.Policy, f.HasPolicy, f.DefaultRoute = r.Policy, r.Found, r.Default
	case inc.Direct != "":
		f.Policy, f.HasPolicy = escalation.Direct(inc.Direct, o.UserName(inc.Direct)), true
	default:
		f.Policy, f.HasPolicy = o.PolicyVersion(inc.Policy, inc.PolicyVersion)
	}
	return f
}

func (o *Org) policy(p id.Policy) (escalation.Policy, bool) {
	v, ok := o.Policies[p]
	return v, ok
}

func (o *Org) gone(u id.User) bool {
	user, ok := o.Users[u]
	return !ok || user.Disabled
}

func (o *Org) zone(name string) *time.Location { return o.zones[name] }

// keepZones loads the zones that p speaks of. One that this machine does not
// know is left out, and the rules take UTC: a running incident goes on.
func (o *Org) keepZones(p escalation.Policy) {
	keep := func(h escalation.Hours) {
		if h.Always() || o.zones[h.Zone] != nil {
			return
		}
		if loc, err := time.LoadLocation(h.Zone); err == nil {
			o.zones[h.Zone] = loc
		}
	}
	keep(p.Hours)
	for _, s := range p.Steps {
		keep(s.When.Hours)
	}
}

// Reaches reports whether anybody who can be reached is behind any step of p at
// an instant, the policies it leads to included. Conditions are not asked.
func (o *Org) Reaches(p escalation.Policy, at time.Time) bool {
	opened := map[id.Policy]bool{}
	var reaches func(p escalation.Policy) bool
	reaches = func(p escalation.Policy) bool {
		opened[p.ID] = true
		someone := func(t escalation.Target) bool {
			if next, ok := o.Policies[t.Policy]; ok && t.Policy != "" {
				return !opened[next.ID] && reaches(next)
			}
			return slices.ContainsFunc(o.whom(t, at, nil), func(p incident.Person) bool { return p.Reachable })
		}
		return slices.ContainsFunc(p.Steps, func(s escalation.Step) bool { return slices.ContainsFunc(s.Targets, someone) }) ||
			slices.ContainsFunc(p.LastResort, someone)
	}
	return reaches(p)
}
