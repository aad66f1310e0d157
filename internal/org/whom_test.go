package org

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/people"
)

// more is example with a rotation of three and policies that lead to one another.
func more(t *testing.T, objects ...any) *Org {
	t.Helper()
	all := append([]any{
		rota("trio", "Trio", "kim", "ada", "lee"),
		policy("second", "Second", escalation.Target{User: "lee"}, escalation.Target{Room: "#dba"}),
	}, objects...)
	o, _, err := example(t).Apply(puts(all...)...)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestWhomIsBehindTheNewTargets(t *testing.T) {
	now := time.Date(2026, 1, 6, 12, 0, 0, 0, time.UTC) // in the first week: Kim
	o := more(t,
		policy("third", "Third", escalation.Target{Policy: "second"}, escalation.Target{Rotation: "trio"}, escalation.Target{Policy: "second"}),
	)
	who := func(u id.User, name, why string) incident.Person {
		return incident.Person{User: u, Name: name, Why: why, Reachable: true}
	}
	tests := []struct {
		intent string
		target escalation.Target
		want   []incident.Person
	}{
		{"next in the turns", escalation.Target{Rotation: "trio", Pick: escalation.PickNext}, []incident.Person{who("ada", "Ada", "You are on call next in Trio.")}},
		{"previous in the turns", escalation.Target{Rotation: "trio", Pick: escalation.PickPrevious}, []incident.Person{who("lee", "Lee", "You were on call before in Trio.")}},
		{"next of nothing", escalation.Target{Rotation: "night", Pick: escalation.PickNext}, nil},
		{"a policy is its first step, whatever leads there", escalation.Target{Policy: "third"}, []incident.Person{
			who("lee", "Lee", "The policy names you."), who("kim", "Kim", "You are on call in Trio.")}},
		{"a policy that is gone is nobody", escalation.Target{Policy: "gone"}, nil},
		{"a room is nobody", escalation.Target{Room: "#dba"}, nil},
		{"an address is nobody", escalation.Target{Email: "noc@example.org"}, nil},
		{"a webhook is nobody", escalation.Target{Webhook: "status"}, nil},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, o.Whom(now)(tt.target)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.intent, diff)
		}
	}
}

func TestPoliciesMustNotLeadBack(t *testing.T) {
	to := func(p id.Policy) escalation.Target { return escalation.Target{Policy: p} }
	last := policy("a", "A")
	last.LastResort = []escalation.Target{to("b")}
	tests := []struct {
		intent  string
		changes []Change
		want    string // part of the sentence; "" when it is fine
	}{
		{"to itself", puts(policy("a", "A", to("a"))), "policy A leads back to itself: A → A"},
		{"by another", puts(policy("a", "A", to("b")), policy("b", "B", to("a"))), "policy A leads back to itself: A → B → A"},
		{"by its last resort", puts(last, policy("b", "B", to("a"))), "policy A leads back to itself: A → B → A"},
		{"by two others", puts(policy("a", "A", to("b")), policy("b", "B", to("c")), policy("c", "C", to("a"))), "A → B → C → A"},
		{"two ways to the same are none", puts(policy("a", "A", to("b"), to("c")), policy("b", "B", to("c")), policy("c", "C")), ""},
		{"into nothing", puts(policy("a", "A", to("x"))), "there is no policy x to be a target of step 1 of policy A"},
		{"the last resort is somebody", puts(func() escalation.Policy {
			p := policy("a", "A")
			p.LastResort = []escalation.Target{{User: "max"}}
			return p
		}()), "there is no user max to be a target of the last resort of policy A"},
		{"what is outside is not looked for", puts(policy("a", "A", escalation.Target{Email: "noc@example.org"}, escalation.Target{Room: "#x"})), ""},
		{"a webhook that is there", puts(hook("status"), policy("a", "A", escalation.Target{Webhook: "status"})), ""},
		{"one that is not", puts(hook("status"), policy("a", "A", escalation.Target{Webhook: "Status"})), `there is no webhook "Status" to be a target of step 1 of policy A; there is none yet`},
		{"another provider is none", puts(Provider{ID: "t", Kind: Twilio, Name: "status"}, policy("a", "A", escalation.Target{Webhook: "status"})), `there is no webhook "status"`},
		{"a policy that is still led to stays", []Change{Put(policy("a", "A", to("database"))), Remove(KeyKind, "k1"), Remove(PolicyKind, "database")},
			"policy Database is still a target of step 1 of policy A"},
	}
	for _, tt := range tests {
		_, _, err := example(t).Apply(tt.changes...)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: Apply() = %v, want nil", tt.intent, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: Apply() = %v, want … %s …", tt.intent, err, tt.want)
		}
	}
}

func hook(name string) Provider { return Provider{ID: "hook", Kind: Webhook, Name: name} }

// A webhook that a policy tells stays and keeps its name. One that is named
// since before anybody looked is no mistake of whoever changes something else.
func TestWebhooksThatAreTold(t *testing.T) {
	o, _, err := example(t).Apply(puts(hook("status"), policy("a", "A", escalation.Target{Webhook: "status"}))...)
	if err != nil {
		t.Fatal(err)
	}
	for intent, change := range map[string]Change{"deleted": Remove(CarrierKind, "hook"), "renamed": Put(hook("board"))} {
		if _, _, err := o.Apply(change); err == nil || err.Error() != "webhook status is still a target of step 1 of policy A" {
			t.Errorf("%s: Apply() = %v, want it to be needed", intent, err)
		}
	}
	if _, _, err := o.Apply(Remove(CarrierKind, "hook"), Put(policy("a", "A", escalation.Target{User: "kim"}))); err != nil {
		t.Errorf("deleted with the target: %v", err)
	}
	delete(o.Providers, "hook") // as it was stored before
	if _, _, err := o.Apply(Put(person("new", "New", people.Member))); err != nil {
		t.Errorf("something else changes: %v", err)
	}
	if _, _, err := o.Apply(Put(policy("b", "B", escalation.Target{Webhook: "other"}))); err == nil {
		t.Error("another policy may name a webhook that is not there")
	}
}

func TestReaches(t *testing.T) {
	silent := person("lee", "Lee", people.Member)
	silent.Contacts[0].Off = true
	empty := policy("empty", "Empty", escalation.Target{User: "lee"})
	rescued := empty
	rescued.LastResort = []escalation.Target{{User: "ada"}}
	late := policy("late", "Late", escalation.Target{User: "lee"})
	late.Steps = append(late.Steps, escalation.Step{Targets: []escalation.Target{{User: "kim"}}})
	now := time.Date(2026, 1, 6, 12, 0, 0, 0, time.UTC)
	o := more(t, silent, late)
	for _, tt := range []struct {
		intent string
		policy escalation.Policy
		want   bool
	}{
		{"nobody who can be reached", empty, false},
		{"what is told is not somebody", policy("x", "X", escalation.Target{Room: "#ops"}), false},
		{"the last resort is", rescued, true},
		{"any step of a policy it leads to", policy("x", "X", escalation.Target{Policy: "late"}), true},
		{"a policy that reaches nobody does not help", policy("x", "X", escalation.Target{Policy: "second"}), false},
	} {
		if got := o.Reaches(tt.policy, now); got != tt.want {
			t.Errorf("%s: Reaches() = %t, want %t", tt.intent, got, tt.want)
		}
	}
}

func TestFactsOfPolicies(t *testing.T) {
	late := policy("office", "Office", escalation.Target{User: "kim"})
	late.LowWaits = true
	late.Hours = escalation.Hours{Zone: "Asia/Kathmandu", Windows: []people.PagingWindow{{From: "09:00", To: "17:00"}}}
	disabled := person("lee", "Lee", people.Member)
	disabled.Disabled = true
	f := more(t, late, disabled).Facts(incident.Incident{}, "database", time.Date(2026, 1, 6, 12, 0, 0, 0, time.UTC))
	if p, ok := f.Find("office"); !ok || p.Name != "Office" {
		t.Errorf("Find(office) = %v, %t", p.Name, ok)
	}
	if _, ok := f.Find("none"); ok {
		t.Error("Find finds a policy that is not there")
	}
	for u, want := range map[id.User]bool{"kim": false, "lee": true, "nobody": true} {
		if got := f.Gone(u); got != want {
			t.Errorf("Gone(%s) = %t, want %t", u, got, want)
		}
	}
	if loc := f.Zone("Asia/Kathmandu"); loc == nil || loc.String() != "Asia/Kathmandu" {
		t.Errorf("Zone of a policy's hours = %v", loc)
	}
}

// The zone of an old version stays known: an incident may still run it.
func TestZonesOfOldVersions(t *testing.T) {
	body := `{"id":"p","slug":"p","name":"P","steps":[{"after":"0s","targets":[],"when":{"hours":{"zone":"Europe/Oslo","windows":[{"days":["mon"]}]}}}],"repeat":0,"repeat_after":"5m"}`
	plain := `{"id":"p","slug":"p","name":"P","steps":[],"repeat":0,"repeat_after":"5m"}`
	o, err := Build(2, []Definition{
		{Kind: PolicyKind, ID: "p", Rev: 1, Body: []byte(body)}, {Kind: PolicyKind, ID: "p", Rev: 2, Current: true, Body: []byte(plain)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if f := o.Facts(incident.Incident{State: incident.Triggered, Policy: "p", PolicyVersion: 1}, "", time.Unix(0, 0)); f.Zone("Europe/Oslo") == nil {
		t.Error("the zone of version 1 is not known any more")
	}
}
