package org

import (
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Problem is something that hurts now.
type Problem struct {
	Object string // "policy database"
	Text   string
}

// Problems lists what is wrong with the organisation at an instant: policies
// that can reach nobody, gaps, people without a contact method or away while
// they are on call, alerts without a home. What will be wrong is in Risks.
func (o *Org) Problems(at time.Time) []Problem {
	var found []Problem
	say := func(object, key string, args ...any) {
		found = append(found, Problem{Object: object, Text: phrase.T(key, args...)})
	}
	if _, ok := o.Policies[o.Settings.DefaultPolicy]; !ok {
		say(phrase.T("org.settings"), "org.problem.no_default")
	}
	if !o.HasAdmin() {
		say(phrase.T("org.settings"), "org.problem.no_admin")
	}
	for _, p := range Sorted(o.Policies, func(p escalation.Policy) string { return p.Name }) {
		if !o.Reaches(p, at) {
			say(phrase.T("org.policy", p.Name), "org.problem.reaches_nobody")
		}
		for _, name := range o.missingRooms(p) {
			say(phrase.T("org.policy", p.Name), "org.problem.no_room", name)
		}
	}
	away := o.away(at)
	for _, r := range Sorted(o.Rotations, func(r oncall.Rotation) string { return r.Name }) {
		on := o.OnCall(r.ID, at)
		if len(on) == 0 {
			say(phrase.T("org.rotation", r.Name), "org.problem.nobody_on_call")
		}
		for i, s := range on {
			if slices.ContainsFunc(on[:i], func(other oncall.Shift) bool { return other.User == s.User }) {
				say(phrase.T("org.rotation", r.Name), "org.problem.doubled", o.UserName(s.User))
				continue // said once of a person
			}
			if away[s.User] {
				say(phrase.T("org.rotation", r.Name), "org.problem.away", o.UserName(s.User))
			}
		}
		for _, u := range members(r) {
			if user, ok := o.Users[u]; ok && !user.Reachable() {
				say(phrase.T("org.rotation", r.Name), "org.problem.unreachable", user.Name)
			}
		}
	}
	return found
}

// missingRooms lists the rooms that p tells and that nobody can write in, each
// once: rooms are renamed and closed by those who talk in them.
func (o *Org) missingRooms(p escalation.Policy) []string {
	var missing []string
	look := func(targets []escalation.Target) {
		for _, t := range targets {
			if _, ok := o.TellableRoom(t.Room); t.Room != "" && !ok && !slices.Contains(missing, t.Room) {
				missing = append(missing, t.Room)
			}
		}
	}
	for _, s := range p.Steps {
		look(s.Targets)
	}
	look(p.LastResort)
	return missing
}

// away tells who is absent at an instant.
func (o *Org) away(at time.Time) map[id.User]bool {
	away := map[id.User]bool{}
	for _, a := range o.Absences {
		if !at.Before(a.Start) && at.Before(a.End) {
			away[a.User] = true
		}
	}
	return away
}

// members lists who is in a rotation, each once.
func members(r oncall.Rotation) []id.User {
	var all []id.User
	for _, l := range r.Layers {
		for _, u := range l.Members {
			if !slices.Contains(all, u) {
				all = append(all, u)
			}
		}
	}
	return all
}
