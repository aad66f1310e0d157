// Package org is the organisation as one value: people, teams, rotations,
// policies, routing keys, integrations and settings. The store reads it as a
// snapshot of one revision; decisions look things up in it; changes are
// applied to it and checked as a whole before anything is saved.
//
// An Org is never changed after it was built: Apply returns a new one.
package org

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/heartbeat"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/maintenance"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/routing"
)

// Settings are the choices that hold for everybody.
type Settings struct {
	Name            string    `json:"name"`              // of the organisation
	DefaultPolicy   id.Policy `json:"default_policy"`    // for alerts whose routing key is unknown or absent
	WarningsOpen    bool      `json:"warnings_open"`     // a WARNING opens an incident
	SnoozeMorningAt string    `json:"snooze_morning_at"` // local time of "until tomorrow morning", "09:00"
	Bot             Bot       `json:"bot,omitzero"`
	Rules           string    `json:"rules,omitempty"` // who may run which command; see package permit
	// SecondFactor are the roles that are asked to set up a second factor before anything else.
	SecondFactor people.RoleSet `json:"second_factor,omitempty"`
	Retention    Retention      `json:"retention,omitzero"`
}

// Org is the organisation at one revision.
type Org struct {
	Rev          int64
	Settings     Settings
	Users        map[id.User]people.User
	Teams        map[id.Team]people.Team
	Rotations    map[id.Rotation]oncall.Rotation
	Policies     map[id.Policy]escalation.Policy
	Keys         map[id.RoutingKey]routing.Key
	Integrations map[id.Integration]routing.Integration
	Overrides    map[id.Override]oncall.Override
	Absences     map[id.Absence]oncall.Absence
	Swaps        map[id.Swap]oncall.Swap
	Holidays     map[id.Holidays]oncall.HolidayCalendar
	Maintenance  map[maintenance.ID]maintenance.Window
	Heartbeats   map[heartbeat.ID]heartbeat.Heartbeat
	Providers    map[id.Provider]Provider
	Feeds        map[id.Feed]Feed
	Drills       map[id.Drill]Drill
	Robots       map[id.Robot]Robot
	Rooms        map[id.Room]room.Room

	versions map[policyVersion]escalation.Policy
	zones    map[string]*time.Location // of the hours of policies, in all their versions
	compiled map[id.Rotation]*oncall.FinalSchedule
	keys     map[string]routing.Key         // by folded name
	doors    map[string]routing.Integration // by key hash
	jobs     map[string]heartbeat.ID        // by key hash
	robots   map[string]id.Robot            // by key hash
	windows  []maintenance.Window           // those that end last in front
	rooms    map[string]id.Room             // by slug
}

type policyVersion struct {
	policy  id.Policy
	version int64
}

// Route is where an alert goes.
type Route struct {
	Policy  escalation.Policy
	Found   bool // false: no policy at all
	Default bool // the routing key was unknown or absent
}

// Route finds the policy for a routing key as a sender spelled it.
func (o *Org) Route(key string) Route {
	if k, ok := o.keys[routing.Fold(key)]; ok {
		if p, ok := o.Policies[k.Policy]; ok {
			return Route{Policy: p, Found: true}
		}
	}
	p, ok := o.Policies[o.Settings.DefaultPolicy]
	return Route{Policy: p, Found: ok, Default: true}
}

// PolicyVersion returns the policy as it was at a version, which a running
// incident keeps; the current one when that version is unknown.
func (o *Org) PolicyVersion(p id.Policy, version int64) (escalation.Policy, bool) {
	if v, ok := o.versions[policyVersion{p, version}]; ok {
		return v, true
	}
	v, ok := o.Policies[p]
	return v, ok
}

// Integration finds the integration whose key has the given hash.
func (o *Org) Integration(keyHash string) (routing.Integration, bool) {
	i, ok := o.doors[keyHash]
	return i, ok
}

// OnCall returns who is on duty in a rotation at an instant.
func (o *Org) OnCall(r id.Rotation, at time.Time) []oncall.Shift {
	if c := o.compiled[r]; c != nil {
		return c.OnCall(at)
	}
	return nil
}

// Schedule is who is on duty in a rotation when, overrides included; nil when
// there is no such rotation.
func (o *Org) Schedule(r id.Rotation) *oncall.FinalSchedule { return o.compiled[r] }

// Upcoming returns the next n hand-overs of a rotation after an instant.
func (o *Org) Upcoming(r id.Rotation, at time.Time, n int) []oncall.Shift {
	if c := o.compiled[r]; c != nil {
		return c.Next(at, n)
	}
	return nil
}

// UserName is how people call u; the id when the person is gone.
func (o *Org) UserName(u id.User) string {
	if user, ok := o.Users[u]; ok {
		return user.Name
	}
	return string(u)
}

// UserByEmail finds a person by e-mail address, whatever its case.
func (o *Org) UserByEmail(email string) (people.User, bool) {
	return find(o.Users, func(u people.User) bool { return !u.Robot && strings.EqualFold(u.Email, strings.TrimSpace(email)) })
}

// UserByName finds a person by username.
func (o *Org) UserByName(username string) (people.User, bool) {
	name := strings.ToLower(strings.TrimSpace(username))
	return find(o.Users, func(u people.User) bool { return u.Username == name })
}

// TeamBySlug finds a team.
func (o *Org) TeamBySlug(slug string) (people.Team, bool) {
	return find(o.Teams, func(t people.Team) bool { return t.Slug == slug })
}

// PolicyBySlug finds a policy.
func (o *Org) PolicyBySlug(slug string) (escalation.Policy, bool) {
	return find(o.Policies, func(p escalation.Policy) bool { return p.Slug == slug })
}

// RotationBySlug finds a rotation by the slug of its name.
func (o *Org) RotationBySlug(slug string) (oncall.Rotation, bool) {
	return find(o.Rotations, func(r oncall.Rotation) bool { return id.Slug(r.Name) == slug })
}

// KeyByName finds a routing key, whatever its case.
func (o *Org) KeyByName(name string) (routing.Key, bool) {
	k, ok := o.keys[routing.Fold(name)]
	return k, ok
}

// HasAdmin reports whether somebody can administer.
func (o *Org) HasAdmin() bool {
	_, ok := find(o.Users, func(u people.User) bool { return u.Role == people.Admin && !u.Disabled })
	return ok
}

func find[K comparable, V any](m map[K]V, match func(V) bool) (V, bool) {
	for _, v := range m {
		if match(v) {
			return v, true
		}
	}
	var none V
	return none, false
}

// Sorted returns the values of m in the order of the text that by gives.
func Sorted[K comparable, V any](m map[K]V, by func(V) string) []V {
	all := make([]V, 0, len(m))
	for _, v := range m {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b V) int {
		return cmp.Or(cmp.Compare(strings.ToLower(by(a)), strings.ToLower(by(b))), cmp.Compare(by(a), by(b)))
	})
	return all
}

func (o *Org) String() string { return fmt.Sprintf("organisation at revision %d", o.Rev) }
