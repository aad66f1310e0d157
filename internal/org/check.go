package org

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/routing"
)

func (s Settings) validate() error {
	if strings.TrimSpace(s.Name) == "" || len(s.Name) > 200 {
		return errors.New("organisation: name: give 1 to 200 characters")
	}
	if _, err := time.Parse("15:04", s.SnoozeMorningAt); err != nil {
		return fmt.Errorf("organisation: morning %q is not a time such as 09:00", s.SnoozeMorningAt)
	}
	if err := s.SecondFactor.Validate(); err != nil {
		return fmt.Errorf("organisation: second factor: %w", err)
	}
	return errors.Join(s.Bot.validate(), s.Retention.validate())
}

// index builds what is derived from the objects; it fails when two of them
// claim the same name, for a name must mean one thing.
func (o *Org) index() error {
	o.compiled = make(map[id.Rotation]*oncall.FinalSchedule, len(o.Rotations))
	o.zones = map[string]*time.Location{}
	for _, p := range o.versions {
		o.keepZones(p)
	}
	o.keys = make(map[string]routing.Key, len(o.Keys))
	o.doors = make(map[string]routing.Integration, len(o.Integrations))
	taken := map[string]bool{}
	claim := func(what, name string) error {
		if taken[what+"\x00"+name] {
			return fmt.Errorf("the %s %q is taken already", what, name)
		}
		taken[what+"\x00"+name] = true
		return nil
	}
	var errs []error
	for _, u := range o.Users {
		errs = append(errs, claim("username", u.Username))
		if !u.Robot { // those have none
			errs = append(errs, claim("e-mail address", strings.ToLower(u.Email)))
		}
		for _, c := range u.Contacts { // pages to one contact method may become one message
			errs = append(errs, claim("contact method id", string(c.ID)))
		}
	}
	for _, t := range o.Teams {
		errs = append(errs, claim("team slug", t.Slug))
	}
	for _, p := range o.Policies {
		errs = append(errs, claim("policy slug", p.Slug))
		o.keepZones(p)
	}
	for _, k := range o.Keys {
		errs = append(errs, claim("routing key", routing.Fold(k.Name)))
		o.keys[routing.Fold(k.Name)] = k
	}
	for _, i := range o.Integrations {
		errs = append(errs, claim("integration key", i.KeyHash), claim("integration name", i.Name))
		o.doors[i.KeyHash] = i
	}
	if err := o.indexQuiet(claim); err != nil {
		errs = append(errs, err)
	}
	if err := o.indexRobots(claim); err != nil {
		errs = append(errs, err)
	}
	o.rooms = make(map[string]id.Room, len(o.Rooms))
	for _, r := range o.Rooms {
		if slices.Contains(reserved, r.Slug) {
			errs = append(errs, fmt.Errorf("a room cannot be called %s: that means something else", r.Slug))
		}
		if r.Slug != "" {
			errs = append(errs, claim("room name", r.Slug))
			o.rooms[r.Slug] = r.ID
		}
	}
	for _, c := range o.Holidays {
		errs = append(errs, claim("name of public holidays", c.Name))
	}
	for _, r := range o.Rotations {
		if id.Slug(r.Name) == "" {
			return fmt.Errorf("rotation %q: the name needs a letter from a to z or a digit: files and addresses call it by them", r.Name)
		}
		errs = append(errs, claim("rotation name", id.Slug(r.Name)))
		c, err := r.Compile()
		if err != nil {
			return fmt.Errorf("rotation %s: %w", r.Name, err)
		}
		o.compiled[r.ID] = oncall.Final(c, o.overridesOf(r.ID))
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// overridesOf lists the overrides of a rotation as they were made, without
// those that would put somebody on duty who has left.
func (o *Org) overridesOf(r id.Rotation) []oncall.Override {
	var found []oncall.Override
	for _, v := range Sorted(o.Overrides, func(v oncall.Override) string { return string(v.ID) }) { // ids grow with time
		if u, ok := o.Users[v.User]; v.Rotation == r && ok && !u.Disabled {
			found = append(found, v)
		}
	}
	return found
}

// check says what points at nothing. With was, the organisation before the
// change, it can name what is missing: somebody deletes a thing by its name and
// must read by name what still needs it.
func (o *Org) check(was *Org) error {
	if was.HasAdmin() && !o.HasAdmin() {
		return errors.New("the last administrator cannot be removed: make somebody else administrator first")
	}
	if err := o.checkNames(was); err != nil {
		return err
	}
	for _, t := range Sorted(o.Teams, func(t people.Team) string { return t.Slug }) {
		for _, u := range t.Members {
			if _, ok := o.Users[u]; !ok {
				return was.missing(UserKind, string(u), "a member of team "+t.Name)
			}
		}
	}
	for _, c := range Sorted(o.Holidays, func(c oncall.HolidayCalendar) string { return c.Name }) {
		if _, ok := o.Teams[c.Team]; c.Team != "" && !ok {
			return was.missing(TeamKind, string(c.Team), "the team of the public holidays of "+c.Name)
		}
	}
	for _, r := range Sorted(o.Rotations, func(r oncall.Rotation) string { return r.Name }) {
		if _, ok := o.Teams[r.Team]; r.Team != "" && !ok {
			return was.missing(TeamKind, string(r.Team), "the team of rotation "+r.Name)
		}
		for _, u := range members(r) {
			if _, ok := o.Users[u]; !ok {
				return was.missing(UserKind, string(u), "a member of rotation "+r.Name)
			}
		}
	}
	for _, p := range Sorted(o.Policies, func(p escalation.Policy) string { return p.Name }) {
		if err := o.checkPolicy(was, p); err != nil {
			return err
		}
	}
	for _, k := range Sorted(o.Keys, func(k routing.Key) string { return k.Name }) {
		if _, ok := o.Policies[k.Policy]; !ok {
			return was.missing(PolicyKind, string(k.Policy), "the policy of routing key "+k.Name)
		}
	}
	if err := o.checkRobots(was); err != nil {
		return err
	}
	if _, ok := o.Policies[o.Settings.DefaultPolicy]; o.Settings.DefaultPolicy != "" && !ok {
		return was.missing(PolicyKind, string(o.Settings.DefaultPolicy), "the default policy")
	}
	return nil
}

func (o *Org) checkPolicy(was *Org, p escalation.Policy) error {
	if _, ok := o.Teams[p.Team]; p.Team != "" && !ok {
		return was.missing(TeamKind, string(p.Team), "the team of policy "+p.Name)
	}
	for i, s := range p.Steps {
		if err := o.checkTargets(was, s.Targets, fmt.Sprintf("a target of step %d of policy %s", i+1, p.Name)); err != nil {
			return err
		}
	}
	if err := o.checkTargets(was, p.LastResort, "a target of the last resort of policy "+p.Name); err != nil {
		return err
	}
	return o.checkLoop(p)
}

func (o *Org) checkTargets(was *Org, targets []escalation.Target, as string) error {
	for _, t := range targets {
		kind, target := UserKind, string(t.User)
		switch {
		case t.Webhook != "" && !o.hasWebhook(t.Webhook) && (was.hasWebhook(t.Webhook) || !was.TellsWebhook(t.Webhook)):
			return was.noWebhook(t.Webhook, as)
		case t.Told():
			continue // outside of the organisation
		case t.Rotation != "":
			kind, target = RotationKind, string(t.Rotation)
		case t.Team != "":
			kind, target = TeamKind, string(t.Team)
		case t.Policy != "":
			kind, target = PolicyKind, string(t.Policy)
		}
		if _, ok := o.Get(kind, target); !ok {
			return was.missing(kind, target, as)
		}
	}
	return nil
}

// KnowsWebhook reports whether a step may tell a webhook of that name: it is
// there, or a policy of the time when nobody looked names it already.
func (o *Org) KnowsWebhook(name string) bool { return o.hasWebhook(name) || o.TellsWebhook(name) }

// Webhooks lists the names of the webhooks that a step can tell.
func (o *Org) Webhooks() []string {
	var names []string
	for _, p := range Sorted(o.Providers, func(p Provider) string { return p.Name }) {
		if p.Kind == Webhook {
			names = append(names, p.Name)
		}
	}
	return names
}

func (o *Org) hasWebhook(name string) bool { return slices.Contains(o.Webhooks(), name) }

// TellsWebhook reports whether a policy names a webhook, whether it is there or not.
func (o *Org) TellsWebhook(name string) bool {
	names := func(t escalation.Target) bool { return t.Webhook == name }
	_, ok := find(o.Policies, func(p escalation.Policy) bool {
		return slices.ContainsFunc(p.LastResort, names) || slices.ContainsFunc(p.Steps, func(s escalation.Step) bool { return slices.ContainsFunc(s.Targets, names) })
	})
	return ok
}

// noWebhook is the sentence about a webhook that is gone and is still needed, or
// that never was; o is the organisation before.
func (o *Org) noWebhook(name, as string) error {
	if o.hasWebhook(name) {
		return fmt.Errorf("webhook %s is still %s", name, as)
	}
	return fmt.Errorf("there is no webhook %q to be %s; %s", name, as, o.WebhookHint())
}

// WebhookHint says which webhooks there are.
func (o *Org) WebhookHint() string {
	if names := o.Webhooks(); len(names) > 0 {
		return phrase.T("org.webhooks", strings.Join(names, ", "))
	}
	return phrase.T("org.webhooks.none")
}

// checkLoop refuses a policy that leads back to itself, at once or by others:
// its steps would have no end.
func (o *Org) checkLoop(p escalation.Policy) error {
	seen := map[id.Policy]bool{}
	var back func(from escalation.Policy) (way []string, loops bool)
	back = func(from escalation.Policy) ([]string, bool) {
		for _, next := range leadsTo(from) {
			if next == p.ID {
				return []string{from.Name}, true
			}
			if seen[next] {
				continue
			}
			seen[next] = true
			if way, loops := back(o.Policies[next]); loops {
				return append([]string{from.Name}, way...), true
			}
		}
		return nil, false
	}
	if way, loops := back(p); loops {
		return fmt.Errorf("policy %s leads back to itself: %s → %s", p.Name, strings.Join(way, " → "), p.Name)
	}
	return nil
}

// leadsTo lists the policies that are targets of p.
func leadsTo(p escalation.Policy) []id.Policy {
	var all []id.Policy
	targets := func(list []escalation.Target) {
		for _, t := range list {
			if t.Policy != "" {
				all = append(all, t.Policy)
			}
		}
	}
	for _, s := range p.Steps {
		targets(s.Targets)
	}
	targets(p.LastResort)
	return all
}

// missing is the sentence about an object that is gone and is still needed as
// something, or that never was and is named as something. o is the organisation before.
func (o *Org) missing(kind Kind, objectID, as string) error {
	object, ok := o.Get(kind, objectID)
	if !ok {
		return fmt.Errorf("there is no %s %s to be %s", words(kind), objectID, as)
	}
	_, _, name, _ := describe(object)
	if kind != UserKind {
		name = words(kind) + " " + name
	}
	return fmt.Errorf("%s is still %s", name, as)
}
