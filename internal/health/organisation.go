package health

import (
	"context"
	"slices"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
)

// organisation adds what the organisation knows of itself, and what is to come.
func (c *check) organisation(ctx context.Context) error {
	o := c.org
	for _, p := range o.Problems(c.now) {
		c.r.Findings = append(c.r.Findings, Finding{Organisation, p.Object, p.Text})
	}
	c.ahead(o)
	if err := c.heartbeats(ctx, o); err != nil {
		return err
	}
	inRotation := members(o)
	for _, u := range org.Sorted(o.Users, func(u people.User) string { return u.Username }) {
		if u.Role != people.Observer && !u.Disabled && !u.Robot && !u.Reachable() && !inRotation[u.ID] {
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
