package health

import (
	"context"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
)

// organisation adds what the organisation knows of itself, and what is to come.
func (c *check) organisation(ctx context.Context) error {
	o, err := c.s.Org(ctx)
	if err != nil {
		return err
	}
	for _, p := range o.Problems(c.now) {
		c.r.Findings = append(c.r.Findings, Finding{Organisation, p.Object, p.Text})
	}
	for _, r := range org.Sorted(o.Rotations, func(r oncall.Rotation) string { return r.Name }) {
		if at, ok := gap(o, r, c.now, c.now.Add(Ahead)); ok {
			when := at.In(zone(r)).Format("Mon 2 Jan 2006 15:04 MST")
			c.say(Organisation, phrase.T("org.rotation", r.Name), "cli.health.gap", when)
		}
	}
	inRotation := members(o)
	for _, u := range org.Sorted(o.Users, func(u people.User) string { return u.Username }) {
		if u.Role != people.Observer && !u.Disabled && !u.Reachable() && !inRotation[u.ID] {
			c.say(Organisation, phrase.T("cli.health.user", u.Name), "cli.health.unreachable")
		}
	}
	return c.stranded(ctx, o)
}

// stranded names the incidents that wait for somebody while nobody in their
// policy can be reached: people have left it since, or the rota is empty.
func (c *check) stranded(ctx context.Context, o *org.Org) error {
	waiting, err := c.s.Incidents(ctx, store.IncidentFilter{States: []incident.State{incident.Triggered}, Limit: counted})
	if err != nil {
		return err
	}
	for _, inc := range waiting {
		facts := o.Facts(inc, "", c.now)
		reaches := slices.ContainsFunc(facts.Policy.Steps, func(s escalation.Step) bool {
			return slices.ContainsFunc(s.Targets, func(t escalation.Target) bool {
				return slices.ContainsFunc(facts.Whom(t), func(p incident.Person) bool { return p.Reachable })
			})
		})
		if !reaches {
			c.say(Organisation, phrase.T("cli.health.incident", inc.ID), "cli.health.stranded")
		}
	}
	return nil
}

// members are those of whom Problems speaks.
func members(o *org.Org) map[id.User]bool {
	all := map[id.User]bool{}
	for _, r := range o.Rotations {
		for _, l := range r.Layers {
			for _, u := range l.Members {
				all[u] = true
			}
		}
	}
	return all
}

// gap finds the first instant after now at which a rotation has nobody on duty
// any more. One that has nobody now is a problem already.
func gap(o *org.Org, r oncall.Rotation, now, until time.Time) (time.Time, bool) {
	if len(o.OnCall(r.ID, now)) == 0 {
		return time.Time{}, false
	}
	var ends []time.Time
	for _, s := range r.Between(now, until) {
		if s.End.After(now) && s.End.Before(until) {
			ends = append(ends, s.End)
		}
	}
	slices.SortFunc(ends, time.Time.Compare)
	for _, at := range ends {
		if len(o.OnCall(r.ID, at)) == 0 {
			return at, true
		}
	}
	return time.Time{}, false
}

func zone(r oncall.Rotation) *time.Location {
	loc, err := time.LoadLocation(r.Zone)
	if err != nil {
		return time.UTC
	}
	return loc
}
