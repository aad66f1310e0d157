package api

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/heartbeat"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/routing"
)

// Everything that has an id can be named by it, or by the name that people and
// YAML files use. Ids are tried first; they cannot be taken for names, because
// nobody chooses them.

func findUser(o *org.Org, ref string) (people.User, bool) {
	if u, ok := o.Users[id.User(ref)]; ok {
		return u, true
	}
	if u, ok := o.UserByName(ref); ok {
		return u, true
	}
	return o.UserByEmail(ref)
}

func findTeam(o *org.Org, ref string) (people.Team, bool) {
	if t, ok := o.Teams[id.Team(ref)]; ok {
		return t, true
	}
	return o.TeamBySlug(ref)
}

func findRotation(o *org.Org, ref string) (oncall.Rotation, bool) {
	if r, ok := o.Rotations[id.Rotation(ref)]; ok {
		return r, true
	}
	return o.RotationBySlug(ref)
}

func findPolicy(o *org.Org, ref string) (escalation.Policy, bool) {
	if p, ok := o.Policies[id.Policy(ref)]; ok {
		return p, true
	}
	return o.PolicyBySlug(ref)
}

func findKey(o *org.Org, ref string) (routing.Key, bool) {
	if k, ok := o.Keys[id.RoutingKey(ref)]; ok {
		return k, true
	}
	return o.KeyByName(ref)
}

func findIntegration(o *org.Org, ref string) (routing.Integration, bool) {
	if i, ok := o.Integrations[id.Integration(ref)]; ok {
		return i, true
	}
	return byName(o.Integrations, ref, func(i routing.Integration) string { return id.Slug(i.Name) })
}

func findOverride(o *org.Org, ref string) (oncall.Override, bool) {
	v, ok := o.Overrides[id.Override(ref)]
	return v, ok
}

func findHeartbeat(o *org.Org, ref string) (heartbeat.Heartbeat, bool) {
	if h, ok := o.Heartbeats[heartbeat.ID(ref)]; ok {
		return h, true
	}
	return byName(o.Heartbeats, ref, func(h heartbeat.Heartbeat) string { return h.Slug })
}

func findProvider(o *org.Org, ref string) (org.Provider, bool) {
	if p, ok := o.Providers[id.Provider(ref)]; ok {
		return p, true
	}
	return byName(o.Providers, ref, func(p org.Provider) string { return id.Slug(p.Name) })
}

// byName finds what goes by a name, of several the same one every time.
func byName[K ~string, V any](all map[K]V, name string, of func(V) string) (V, bool) {
	for _, k := range slices.Sorted(maps.Keys(all)) {
		if of(all[k]) == name {
			return all[k], true
		}
	}
	var none V
	return none, false
}

// References in a body: the field is named when it points at nothing, and ""
// stays "".

func userRef(o *org.Org, field, ref string) (id.User, error) {
	u, ok := findUser(o, ref)
	return u.ID, missing(ok || ref == "", field, org.UserKind, ref)
}

func userRefs(o *org.Org, field string, refs []string) ([]id.User, error) {
	var found []id.User
	for i, ref := range refs {
		u, ok := findUser(o, ref)
		if err := missing(ok, fmt.Sprintf("%s[%d]", field, i), org.UserKind, ref); err != nil {
			return nil, err
		}
		found = append(found, u.ID)
	}
	return found, nil
}

func teamRef(o *org.Org, field, ref string) (id.Team, error) {
	t, ok := findTeam(o, ref)
	return t.ID, missing(ok || ref == "", field, org.TeamKind, ref)
}

func rotationRef(o *org.Org, field, ref string) (id.Rotation, error) {
	r, ok := findRotation(o, ref)
	return r.ID, missing(ok || ref == "", field, org.RotationKind, ref)
}

func policyRef(o *org.Org, field, ref string) (id.Policy, error) {
	p, ok := findPolicy(o, ref)
	return p.ID, missing(ok || ref == "", field, org.PolicyKind, ref)
}

func missing(ok bool, field string, kind org.Kind, ref string) error {
	if ok {
		return nil
	}
	return fault.Invalid(field, phrase.T("api.no_such."+string(kind), ref))
}

// noSuch is the answer when the thing in the address does not exist.
func noSuch(kind org.Kind, ref string) error {
	return fault.NotFound(phrase.T("api.no_such."+string(kind), ref))
}

func checkZone(field, zone string) error {
	if _, err := time.LoadLocation(zone); err != nil || zone == "" || zone == "Local" {
		return fault.Invalid(field, phrase.T("api.no_such_zone", zone))
	}
	return nil
}

// newID keeps the id of what was there and makes one for what is new.
func newID[T ~string](was T) T { return cmp.Or(was, T(id.New())) }

// refs turns ids into plain text, never null in JSON.
func refs[T ~string](ids []T) []string {
	out := make([]string, len(ids))
	for i, x := range ids {
		out[i] = string(x)
	}
	return out
}
