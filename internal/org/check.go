package org

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/routing"
)

func (s Settings) validate() error {
	if strings.TrimSpace(s.Name) == "" || len(s.Name) > 200 {
		return errors.New("organisation: name: give 1 to 200 characters")
	}
	if _, err := time.Parse("15:04", s.SnoozeMorningAt); err != nil {
		return fmt.Errorf("organisation: morning %q is not a time such as 09:00", s.SnoozeMorningAt)
	}
	return nil
}

// index builds what is derived from the objects; it fails when two of them
// claim the same name, for a name must mean one thing.
func (o *Org) index() error {
	o.compiled = make(map[id.Rotation]*oncall.Schedule, len(o.Rotations))
	o.keys = make(map[string]routing.Key, len(o.Keys))
	o.doors = make(map[string]routing.Integration, len(o.Integrations))
	taken := map[string]bool{}
	claim := func(what, name string) error {
		if taken[what+"\x00"+name] {
			return fmt.Errorf("there are two things with the %s %q", what, name)
		}
		taken[what+"\x00"+name] = true
		return nil
	}
	var errs []error
	for _, u := range o.Users {
		errs = append(errs, claim("username", u.Username), claim("e-mail address", strings.ToLower(u.Email)))
	}
	for _, t := range o.Teams {
		errs = append(errs, claim("team slug", t.Slug))
	}
	for _, p := range o.Policies {
		errs = append(errs, claim("policy slug", p.Slug))
	}
	for _, k := range o.Keys {
		errs = append(errs, claim("routing key", routing.Fold(k.Name)))
		o.keys[routing.Fold(k.Name)] = k
	}
	for _, i := range o.Integrations {
		errs = append(errs, claim("integration key", i.KeyHash), claim("integration name", i.Name))
		o.doors[i.KeyHash] = i
	}
	for _, r := range o.Rotations {
		errs = append(errs, claim("rotation name", id.Slug(r.Name)))
		c, err := r.Compile()
		if err != nil {
			return fmt.Errorf("rotation %s: %w", r.Name, err)
		}
		o.compiled[r.ID] = c
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// check says what points at nothing. hadAdmin forbids losing the last one.
func (o *Org) check(hadAdmin bool) error {
	if hadAdmin && !o.HasAdmin() {
		return errors.New("the last administrator cannot be removed")
	}
	for _, t := range Sorted(o.Teams, func(t people.Team) string { return t.Slug }) {
		for _, u := range t.Members {
			if _, ok := o.Users[u]; !ok {
				return fmt.Errorf("team %s: there is no user %s", t.Name, u)
			}
		}
	}
	for _, r := range Sorted(o.Rotations, func(r oncall.Rotation) string { return r.Name }) {
		if _, ok := o.Teams[r.Team]; r.Team != "" && !ok {
			return fmt.Errorf("rotation %s: there is no team %s", r.Name, r.Team)
		}
		for _, u := range members(r) {
			if _, ok := o.Users[u]; !ok {
				return fmt.Errorf("rotation %s: there is no user %s", r.Name, u)
			}
		}
	}
	for _, p := range Sorted(o.Policies, func(p escalation.Policy) string { return p.Name }) {
		if err := o.checkPolicy(p); err != nil {
			return err
		}
	}
	for _, k := range Sorted(o.Keys, func(k routing.Key) string { return k.Name }) {
		if _, ok := o.Policies[k.Policy]; !ok {
			return fmt.Errorf("routing key %s: there is no policy %s", k.Name, k.Policy)
		}
	}
	if _, ok := o.Policies[o.Settings.DefaultPolicy]; o.Settings.DefaultPolicy != "" && !ok {
		return fmt.Errorf("organisation: the default policy %s does not exist", o.Settings.DefaultPolicy)
	}
	return nil
}

func (o *Org) checkPolicy(p escalation.Policy) error {
	if _, ok := o.Teams[p.Team]; p.Team != "" && !ok {
		return fmt.Errorf("policy %s: there is no team %s", p.Name, p.Team)
	}
	for i, s := range p.Steps {
		for _, t := range s.Targets {
			_, rotation := o.Rotations[t.Rotation]
			_, user := o.Users[t.User]
			_, team := o.Teams[t.Team]
			if !rotation && !user && !team {
				return fmt.Errorf("policy %s: step %d pages somebody who does not exist", p.Name, i+1)
			}
		}
	}
	return nil
}
