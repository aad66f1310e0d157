package org

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/routing"
)

// now is a Monday, an hour after the hand-off.
var now = time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)

const minute = escalation.Duration(time.Minute)

func person(u id.User, name string, role people.Role) people.User {
	return people.User{
		ID: u, Username: string(u), Name: name, Email: string(u) + "@example.org", Role: role, Zone: "UTC",
		Contacts: []people.Contact{{ID: id.Contact("c-" + u), Method: people.Email, Address: string(u) + "@example.org"}},
	}
}

func rota(r id.Rotation, name string, members ...id.User) oncall.Rotation {
	return oncall.Rotation{ID: r, Name: name, Team: "dba", Zone: "UTC", Layers: []oncall.Layer{{
		Members: members, Every: 1, Unit: oncall.Weeks, HandoffAt: "09:00", Start: "2026-01-05",
	}}}
}

func policy(p id.Policy, name string, targets ...escalation.Target) escalation.Policy {
	return escalation.Policy{
		ID: p, Slug: string(p), Name: name, Team: "dba", RepeatAfter: 5 * minute, Steps: []escalation.Step{{Targets: targets}},
	}
}

func objects() []any {
	return []any{
		Settings{Name: "Example", DefaultPolicy: "fallback", WarningsOpen: true, SnoozeMorningAt: "09:00"},
		person("ada", "Ada", people.Admin), person("kim", "Kim", people.Member), person("lee", "Lee", people.Member),
		people.Team{ID: "dba", Slug: "dba", Name: "Databases", Members: []id.User{"kim", "lee"}},
		rota("primary", "Primary", "kim", "lee"),
		policy("database", "Database", escalation.Target{Rotation: "primary"}, escalation.Target{Team: "dba"}),
		policy("fallback", "Fallback", escalation.Target{User: "ada"}),
		routing.Key{ID: "k1", Name: "DataBase", Policy: "database"},
		routing.Integration{ID: "i1", Kind: routing.REST, Name: "Nagios", KeyHash: "hash"},
	}
}

func puts(objects ...any) []Change {
	var all []Change
	for _, o := range objects {
		all = append(all, Put(o))
	}
	return all
}

// example is an organisation in which nothing is wrong.
func example(t *testing.T) *Org {
	t.Helper()
	o, err := Build(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	o, _, err = o.Apply(puts(objects()...)...)
	if err != nil {
		t.Fatal(err)
	}
	o.Rev = 1
	return o
}

func TestRoute(t *testing.T) {
	o := example(t)
	bare, err := Build(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		intent, key     string
		org             *Org
		want            id.Policy
		found, fallback bool
	}{
		{"a key leads to its policy", "DataBase", o, "database", true, false},
		{"whatever its case, with space around", " dAtAbAsE\n", o, "database", true, false},
		{"an unknown key takes the default", "network", o, "fallback", true, true},
		{"no key takes the default", "", o, "fallback", true, true},
		{"without a default there is no route", "database", bare, "", false, true},
	}
	for _, tt := range tests {
		got := tt.org.Route(tt.key)
		if got.Policy.ID != tt.want || got.Found != tt.found || got.Default != tt.fallback {
			t.Errorf("%s: Route(%q) = %s, found %t, default %t, want %s, %t, %t",
				tt.intent, tt.key, got.Policy.ID, got.Found, got.Default, tt.want, tt.found, tt.fallback)
		}
	}
}

func TestWhom(t *testing.T) {
	disabled := person("lee", "Lee", people.Member)
	disabled.Disabled = true
	silent := person("kim", "Kim", people.Member)
	silent.Contacts[0].Off = true
	with := func(objects ...any) *Org {
		o, _, err := example(t).Apply(puts(objects...)...)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	kim := incident.Person{User: "kim", Name: "Kim", Reachable: true}
	lee := incident.Person{User: "lee", Name: "Lee", Reachable: true}
	because := func(p incident.Person, why string) incident.Person {
		p.Why = why
		return p
	}
	unreachable := kim
	unreachable.Reachable = false
	week := 7 * 24 * time.Hour
	tests := []struct {
		intent string
		org    *Org
		target escalation.Target
		at     time.Time
		want   []incident.Person
	}{
		{"a person is themselves", example(t), escalation.Target{User: "kim"}, now, []incident.Person{because(kim, "The policy names you.")}},
		{"a team is its members", example(t), escalation.Target{Team: "dba"}, now, []incident.Person{
			because(kim, "You are in the team Databases."), because(lee, "You are in the team Databases.")}},
		{"a rotation is who is on call", example(t), escalation.Target{Rotation: "primary"}, now, []incident.Person{because(kim, "You are on call in Primary.")}},
		{"at that moment", example(t), escalation.Target{Rotation: "primary"}, now.Add(week), []incident.Person{because(lee, "You are on call in Primary.")}},
		{"before its start nobody is", example(t), escalation.Target{Rotation: "primary"}, now.Add(-week), nil},
		{"a disabled person is nobody", with(disabled), escalation.Target{User: "lee"}, now, nil},
		{"also in a team", with(disabled), escalation.Target{Team: "dba"}, now, []incident.Person{because(kim, "You are in the team Databases.")}},
		{"and on call", with(disabled), escalation.Target{Rotation: "primary"}, now.Add(week), nil},
		{"who has all methods off is there and cannot be reached", with(silent), escalation.Target{User: "kim"}, now, []incident.Person{
			because(unreachable, "The policy names you.")}},
		{"an unknown person is nobody", example(t), escalation.Target{User: "max"}, now, nil},
		{"an unknown rotation has nobody", example(t), escalation.Target{Rotation: "night"}, now, nil},
		{"no target, nobody", example(t), escalation.Target{}, now, nil},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, tt.org.Whom(tt.at)(tt.target)); diff != "" {
			t.Errorf("%s: Whom(%+v) (-want +got):\n%s", tt.intent, tt.target, diff)
		}
	}
}

func TestFacts(t *testing.T) {
	o := example(t)
	tests := []struct {
		intent     string
		inc        incident.Incident
		key        string
		policy     string // its name
		has, deflt bool
	}{
		{"a new incident takes the route", incident.Incident{}, "database", "Database", true, false},
		{"or the default one", incident.Incident{}, "?", "Fallback", true, true},
		{"a running one keeps its policy, whatever the key", incident.Incident{State: incident.Triggered, Policy: "fallback"}, "database", "Fallback", true, false},
		{"one that was handed to a person has theirs", incident.Incident{State: incident.Triggered, Direct: "kim"}, "database", "Kim", true, false},
		{"one that never had a policy has none", incident.Incident{State: incident.Triggered}, "database", "", false, false},
	}
	for _, tt := range tests {
		f := o.Facts(tt.inc, tt.key, now)
		if f.Policy.Name != tt.policy || f.HasPolicy != tt.has || f.DefaultRoute != tt.deflt || !f.WarningOpens || f.Whom == nil {
			t.Errorf("%s: Facts() = %+v", tt.intent, f)
		}
	}
}

func TestProblems(t *testing.T) {
	bare, err := Build(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	silent := person("lee", "Lee", people.Member)
	silent.Contacts = nil
	with := func(changes ...Change) *Org {
		o, _, err := example(t).Apply(changes...)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	tests := []struct {
		intent string
		org    *Org
		at     time.Time
		want   []Problem
	}{
		{"all is well", example(t), now, nil},
		{"an empty organisation says what comes first", bare, now, []Problem{
			{"Organisation", "There is no default policy: alerts with an unknown routing key page nobody."},
			{"Organisation", "Nobody is an administrator."},
		}},
		{"a gap, and what it means for the policy", with(Put(policy("database", "Database", escalation.Target{Rotation: "primary"}))), now.AddDate(0, 0, -7), []Problem{
			{"Policy Database", "It can reach nobody right now."},
			{"Rotation Primary", "Nobody is on call right now."},
		}},
		{"somebody in a rotation who cannot be reached, before their turn", with(Put(silent)), now, []Problem{
			{"Rotation Primary", "Lee has no contact method that is on."},
		}},
		{"a policy of one who cannot be reached", with(Put(silent), Put(policy("fallback", "Fallback", escalation.Target{User: "lee"})), Put(rota("primary", "Primary", "kim"))), now, []Problem{
			{"Policy Fallback", "It can reach nobody right now."},
		}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, tt.org.Problems(tt.at)); diff != "" {
			t.Errorf("%s: Problems() (-want +got):\n%s", tt.intent, diff)
		}
	}
}

func TestFind(t *testing.T) {
	o := example(t)
	if u, ok := o.UserByEmail(" KIM@Example.org "); !ok || u.ID != "kim" {
		t.Errorf("UserByEmail() = %s, %t, want kim whatever the case", u.ID, ok)
	}
	if u, ok := o.UserByName(" Kim"); !ok || u.ID != "kim" {
		t.Errorf("UserByName() = %s, %t, want kim", u.ID, ok)
	}
	if x, ok := o.TeamBySlug("dba"); !ok || x.ID != "dba" {
		t.Errorf("TeamBySlug() = %s, %t, want dba", x.ID, ok)
	}
	if x, ok := o.PolicyBySlug("fallback"); !ok || x.ID != "fallback" {
		t.Errorf("PolicyBySlug() = %s, %t, want fallback", x.ID, ok)
	}
	if x, ok := o.RotationBySlug("primary"); !ok || x.ID != "primary" {
		t.Errorf("RotationBySlug() = %s, %t, want primary", x.ID, ok)
	}
	if x, ok := o.KeyByName("DATABASE"); !ok || x.ID != "k1" {
		t.Errorf("KeyByName() = %s, %t, want k1", x.ID, ok)
	}
	if x, ok := o.Integration("hash"); !ok || x.ID != "i1" {
		t.Errorf("Integration() = %s, %t, want i1", x.ID, ok)
	}
	if _, ok := o.Integration(""); ok {
		t.Error("Integration() found something without a key")
	}
	if _, ok := o.UserByEmail(""); ok {
		t.Error("UserByEmail() found somebody without an address")
	}
	if got := o.UserName("max"); got != "max" {
		t.Errorf("UserName() of somebody who left = %q, want the id", got)
	}
	if got := o.Upcoming("primary", now, 2); len(got) != 2 || got[0].User != "lee" {
		t.Errorf("Upcoming() = %v, want Lee next", got)
	}
}

func TestSorted(t *testing.T) {
	got := Sorted(map[int]string{1: "b", 2: "A", 3: "a", 4: "C"}, func(s string) string { return s })
	if want := []string{"A", "a", "b", "C"}; !cmp.Equal(got, want) {
		t.Errorf("Sorted() = %q, want %q", got, want)
	}
}
