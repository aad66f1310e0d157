package org

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/routing"
)

func TestApply(t *testing.T) {
	renamed := person("kim", "Kim Lang", people.Member)
	moved := renamed
	moved.Zone, moved.Contacts = "Europe/Berlin", nil
	late := policy("database", "Database", escalation.Target{Rotation: "primary"}, escalation.Target{Team: "dba"})
	late.Steps[0].After = 5 * minute
	next := policy("database", "Database", escalation.Target{Rotation: "primary"}, escalation.Target{Team: "dba"})
	next.Version = 9
	tests := []struct {
		intent  string
		changes []Change
		want    []string // kind id name action fields
	}{
		{"nothing to do", nil, nil},
		{"a new thing is created", puts(people.Team{ID: "net", Slug: "net", Name: "Network"}), []string{"team net Network created"}},
		{"a known one is changed, the fields are told", puts(renamed), []string{"user kim Kim Lang changed name"}},
		{"several fields, in order, also those that are gone", puts(moved), []string{"user kim Kim Lang changed contacts name zone"}},
		{"a step's delay is a change of steps", puts(late), []string{"policy database Database changed steps"}},
		{"a version is no change", puts(next), nil},
		{"what is as it was is not told", puts(objects()...), nil},
		{"a change and no change", puts(person("kim", "Kim", people.Member), person("lee", "Leo", people.Member)), []string{"user lee Leo changed name"}},
		{"a thing nobody needs is deleted", []Change{Remove(KeyKind, "k1")}, []string{"routing_key k1 DataBase deleted"}},
		{"together: the new one takes over before the old one goes", []Change{
			Remove(PolicyKind, "database"), Put(policy("db2", "Database", escalation.Target{Rotation: "primary"})),
			Put(routing.Key{ID: "k1", Name: "DataBase", Policy: "db2"}),
		}, []string{"policy database Database deleted", "policy db2 Database created", "routing_key k1 DataBase changed policy"}},
		{"names may be swapped together", []Change{
			Put(people.Team{ID: "net", Slug: "dba", Name: "Network"}), Put(people.Team{ID: "dba", Slug: "old", Name: "Databases", Members: []id.User{"kim", "lee"}}),
		}, []string{"team net Network created", "team dba Databases changed slug"}},
		{"the settings are changed", puts(Settings{Name: "Example", DefaultPolicy: "fallback", SnoozeMorningAt: "08:00"}),
			[]string{"settings settings Example changed snooze_morning_at warnings_open"}},
		{"one administrator may follow another", puts(person("ada", "Ada", people.Member), person("kim", "Kim", people.Admin)),
			[]string{"user ada Ada changed role", "user kim Kim changed role"}},
	}
	for _, tt := range tests {
		t.Run(tt.intent, func(t *testing.T) {
			_, done, err := example(t).Apply(tt.changes...)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, a := range done {
				got = append(got, strings.Join(append([]string{string(a.Kind), a.ID, a.Name, a.Action}, a.Fields...), " "))
				if (a.Action == "deleted") != (len(a.Body) == 0) {
					t.Errorf("%s %s was %s and has the body %s", a.Kind, a.ID, a.Action, a.Body)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Apply() (-want +got):\n%s", diff)
			}
		})
	}
}

// Settings that are the same as the built-in ones are told once, or a new
// organisation would never have any.
func TestApplyTellsTheFirstSettings(t *testing.T) {
	o, err := Build(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	first := o.Settings
	first.Name = "Example"
	o, done, err := o.Apply(Put(first))
	if err != nil || len(done) != 1 {
		t.Fatalf("Apply() = %v, %v, want the settings", done, err)
	}
	if _, done, err = o.Apply(Put(first)); err != nil || len(done) != 1 {
		t.Errorf("Apply() before anything was stored = %v, %v, want the settings again", done, err)
	}
}

func TestApplyRefuses(t *testing.T) {
	disabled := person("ada", "Ada", people.Admin)
	disabled.Disabled = true
	twin := person("max", "Max", people.Member)
	twin.Email = "KIM@example.org"
	namesake := person("max", "Max", people.Member)
	namesake.Username = "kim"
	sameContact := person("max", "Max", people.Member)
	sameContact.Contacts[0].ID = "c-kim"
	homeless := rota("primary", "Primary", "kim", "lee")
	homeless.Team = "gone"
	tests := []struct {
		intent  string
		changes []Change
		want    string
	}{
		{"a person on a rota", []Change{Remove(UserKind, "kim"), Put(people.Team{ID: "dba", Slug: "dba", Name: "Databases"})},
			"Kim is still a member of rotation Primary"},
		{"a person in a team", []Change{Remove(UserKind, "kim"), Put(rota("primary", "Primary", "lee"))}, "Kim is still a member of team Databases"},
		{"a person in a policy", []Change{Remove(UserKind, "ada"), Put(person("kim", "Kim", people.Admin))},
			"Ada is still a target of step 1 of policy Fallback"},
		{"a team with a rotation", []Change{Remove(TeamKind, "dba")}, "team Databases is still the team of rotation Primary"},
		{"a team with a policy", []Change{Remove(TeamKind, "dba"), Put(func() oncall.Rotation { r := homeless; r.Team = ""; return r }())},
			"team Databases is still the team of policy Database"},
		{"a rotation in a policy", []Change{Remove(RotationKind, "primary")}, "rotation Primary is still a target of step 1 of policy Database"},
		{"a policy with a routing key", []Change{Remove(PolicyKind, "database")}, "policy Database is still the policy of routing key DataBase"},
		{"the default policy", []Change{Remove(PolicyKind, "fallback")}, "policy Fallback is still the default policy"},

		{"a member who does not exist", puts(people.Team{ID: "net", Slug: "net", Name: "Network", Members: []id.User{"max"}}),
			"there is no user max to be a member of team Network"},
		{"a rotation of nobody we know", puts(rota("night", "Night", "max")), "there is no user max to be a member of rotation Night"},
		{"a rotation of no team", puts(homeless), "there is no team gone to be the team of rotation Primary"},
		{"a policy of no rotation", puts(policy("x", "X", escalation.Target{Rotation: "night"})), "there is no rotation night to be a target of step 1 of policy X"},
		{"a policy of no team", puts(policy("x", "X", escalation.Target{Team: "net"})), "there is no team net to be a target of step 1 of policy X"},
		{"a key of no policy", puts(routing.Key{ID: "k2", Name: "net", Policy: "x"}), "there is no policy x to be the policy of routing key net"},
		{"a default that is none", puts(Settings{Name: "E", DefaultPolicy: "x", SnoozeMorningAt: "09:00"}), "there is no policy x to be the default policy"},

		{"the last administrator goes", []Change{Put(policy("fallback", "Fallback")), Remove(UserKind, "ada")}, "the last administrator cannot be removed"},
		{"the last administrator becomes a member", puts(person("ada", "Ada", people.Member)), "the last administrator cannot be removed"},
		{"the last administrator is disabled", puts(disabled), "the last administrator cannot be removed"},

		{"a username that is taken", puts(namesake), `the username "kim" is taken already`},
		{"an address that is taken, in another case", puts(twin), `the e-mail address "kim@example.org" is taken already`},
		{"somebody else's contact method", puts(sameContact), `the contact method id "c-kim" is taken already`},
		{"a team slug that is taken", puts(people.Team{ID: "x", Slug: "dba", Name: "X"}), `the team slug "dba" is taken already`},
		{"a policy slug that is taken", puts(func() escalation.Policy { p := policy("x", "X"); p.Slug = "database"; return p }()), `the policy slug "database" is taken already`},
		{"a rotation name that is taken", puts(rota("x", "PRIMARY")), `the rotation name "primary" is taken already`},
		{"a routing key that is taken, in another case", puts(routing.Key{ID: "x", Name: "database", Policy: "fallback"}), `the routing key "database" is taken already`},
		{"an integration name that is taken", puts(routing.Integration{ID: "x", Kind: routing.REST, Name: "Nagios", KeyHash: "other"}), `the integration name "Nagios" is taken already`},
		{"an integration key that is taken", puts(routing.Integration{ID: "x", Kind: routing.REST, Name: "X", KeyHash: "hash"}), `the integration key "hash" is taken already`},

		{"a thing that says itself what is wrong", puts(people.Team{ID: "x", Slug: "x"}), "team x: name"},
		{"a rotation in no zone", puts(func() oncall.Rotation { r := rota("x", "X"); r.Zone = "Mars"; return r }()), "rotation X"},
		{"settings without a name", puts(Settings{SnoozeMorningAt: "09:00"}), "organisation: name"},
		{"settings with a strange morning", puts(Settings{Name: "E", SnoozeMorningAt: "late"}), `morning "late" is not a time`},
		{"a thing without an id", puts(people.Team{Slug: "x", Name: "X"}), "team X has no id"},
		{"a thing of another world", puts(42), "int is not part of an organisation"},
		{"deleting what is not there", []Change{Remove(TeamKind, "x")}, "there is no team x to delete"},
		{"deleting what never was a kind", []Change{Remove("planet", "x")}, "there is no planet x to delete"},
		{"deleting the settings", []Change{Remove(SettingsKind, SettingsID)}, "there is no settings settings to delete"},
		{"the first good change is not kept when the second is bad", []Change{Put(person("max", "Max", people.Member)), Remove(KeyKind, "x")}, "there is no routing key x to delete"},
	}
	for _, tt := range tests {
		t.Run(tt.intent, func(t *testing.T) {
			o := example(t)
			next, done, err := o.Apply(tt.changes...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Apply() = %v, want … %s …", err, tt.want)
			}
			if next != nil || done != nil {
				t.Errorf("Apply() gave %v, %v beside the error", next, done)
			}
		})
	}
}

// An Org is a snapshot: it is read by many at once and never changes.
func TestApplyLeavesTheOldOne(t *testing.T) {
	was, same := example(t), example(t)
	next, _, err := was.Apply(
		Put(person("kim", "Kim Lang", people.Admin)), Put(person("max", "Max", people.Member)), Remove(KeyKind, "k1"), Remove(IntegrationKind, "i1"),
		Put(Settings{Name: "Other", DefaultPolicy: "database", SnoozeMorningAt: "07:00"}), Put(rota("primary", "Primary", "lee")),
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []Kind{UserKind, TeamKind, RotationKind, PolicyKind, KeyKind, IntegrationKind, SettingsKind} {
		for _, objectID := range []string{"kim", "max", "dba", "primary", "database", "fallback", "k1", "i1", SettingsID} {
			a, okA := was.Get(kind, objectID)
			b, okB := same.Get(kind, objectID)
			if okA != okB || !cmp.Equal(a, b) {
				t.Errorf("%s %s of the old organisation changed: %s", kind, objectID, cmp.Diff(b, a))
			}
		}
	}
	if was.Route("database").Policy.ID != "database" || !next.Route("database").Default {
		t.Error("the routes of the old and the new organisation are mixed up")
	}
	if _, ok := was.Integration("hash"); !ok {
		t.Error("the old organisation lost its integration")
	}
	if got := was.OnCall("primary", now); len(got) != 1 || got[0].User != "kim" {
		t.Errorf("OnCall() of the old organisation = %v, want Kim", got)
	}
	if got := next.OnCall("primary", now); len(got) != 1 || got[0].User != "lee" {
		t.Errorf("OnCall() of the new organisation = %v, want Lee", got)
	}
}

func stored(t *testing.T, kind Kind, objectID string, rev int64, current bool, object any) Definition {
	t.Helper()
	d := Definition{Kind: kind, ID: objectID, Rev: rev, Current: current}
	if object != nil {
		body, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		d.Body = body
	}
	return d
}

// A running incident keeps the version of its policy, also when that is long
// changed or gone.
func TestBuildKeepsPolicyVersions(t *testing.T) {
	first, second, gone := policy("p", "First"), policy("p", "Second"), policy("q", "Gone")
	first.Team, second.Team, gone.Team = "", "", ""
	o, err := Build(5, []Definition{
		stored(t, PolicyKind, "p", 2, false, first),
		stored(t, PolicyKind, "p", 4, true, second),
		stored(t, PolicyKind, "q", 3, false, gone),
		stored(t, PolicyKind, "q", 5, true, nil),
		stored(t, UserKind, "ada", 1, true, person("ada", "Ada", people.Admin)),
		stored(t, UserKind, "kim", 1, false, person("kim", "Kim of old", people.Member)),
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		intent  string
		policy  id.Policy
		version int64
		want    string
	}{
		{"the version it started with", "p", 2, "First"},
		{"the present one", "p", 4, "Second"},
		{"an unknown version is the present one", "p", 3, "Second"},
		{"a deleted policy as it was", "q", 3, "Gone"},
		{"a deleted policy has no present one", "q", 5, ""},
		{"a policy that never was", "z", 1, ""},
	}
	for _, tt := range tests {
		p, ok := o.PolicyVersion(tt.policy, tt.version)
		if p.Name != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: PolicyVersion(%s, %d) = %q, %t, want %q", tt.intent, tt.policy, tt.version, p.Name, ok, tt.want)
		}
	}
	if got := o.Policies["p"].Version; got != 4 {
		t.Errorf("the present policy has version %d, want 4", got)
	}
	if len(o.Policies) != 1 || len(o.Users) != 1 || o.Rev != 5 {
		t.Errorf("Build() has %d policies, %d users, revision %d; what is not current must not be there", len(o.Policies), len(o.Users), o.Rev)
	}
	next, _, err := o.Apply(Remove(PolicyKind, "p"))
	if err != nil {
		t.Fatal(err)
	}
	if p, _ := next.PolicyVersion("p", 2); p.Name != "First" {
		t.Errorf("after a change PolicyVersion(p, 2) = %q, want First", p.Name)
	}
}

func TestBuildRefuses(t *testing.T) {
	for want, d := range map[string]Definition{
		`read planet x: unknown kind "planet"`: {Kind: "planet", ID: "x", Current: true, Body: []byte(`{}`)},
		"read user kim":                        {Kind: UserKind, ID: "kim", Current: true, Body: []byte(`{`)},
		"read policy p at 3":                   {Kind: PolicyKind, ID: "p", Rev: 3, Body: []byte(`[]`)},
	} {
		if _, err := Build(1, []Definition{d}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Build() = %v, want … %s …", err, want)
		}
	}
}

// What is stored is read back as it was, for every kind.
func TestDecode(t *testing.T) {
	for _, object := range objects() {
		kind, objectID, _, err := describe(object)
		if err != nil {
			t.Fatal(err)
		}
		body, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Decode(kind, body)
		if err != nil {
			t.Errorf("Decode(%s): %v", kind, err)
		}
		if diff := cmp.Diff(object, back); diff != "" {
			t.Errorf("%s %s is read back as something else (-was +is):\n%s", kind, objectID, diff)
		}
	}
}

func TestDiffering(t *testing.T) {
	tests := []struct {
		intent, a, b string
		want         []string
	}{
		{"the same in another order", `{"a":1,"b":[1,2]}`, `{"b":[1,2],"a":1}`, nil},
		{"a value", `{"a":1}`, `{"a":2}`, []string{"a"}},
		{"the order of a list", `{"a":[1,2]}`, `{"a":[2,1]}`, []string{"a"}},
		{"deep inside", `{"a":{"b":[{"c":1}]}}`, `{"a":{"b":[{"c":2}]}}`, []string{"a"}},
		{"a new name and one that is gone, sorted", `{"z":1}`, `{"a":1}`, []string{"a", "z"}},
		{"several, sorted", `{}`, `{"b":5,"a":1}`, []string{"a", "b"}},
		{"what cannot be read differs in everything", `{`, `{}`, []string{"everything"}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, differing([]byte(tt.a), []byte(tt.b))); diff != "" {
			t.Errorf("%s: differing() (-want +got):\n%s", tt.intent, diff)
		}
	}
}
