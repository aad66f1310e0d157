package dispatch

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

func asFault(err error) (*fault.Error, bool) { return errors.AsType[*fault.Error](err) }

// Two administrators take the same name at once: one gets it.
func TestChangeOrgConflicts(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		errs := make([]error, 2)
		var wg sync.WaitGroup
		for i, d := range []*Dispatcher{h.Dispatcher, h.other} {
			wg.Go(func() {
				_, errs[i] = d.ChangeOrg(t.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) {
					return []org.Change{org.Put(people.Team{ID: id.Team(id.New()), Slug: "net", Name: "Network"})}, nil
				})
			})
		}
		wg.Wait()
		lost := errs[0]
		if lost == nil {
			lost = errs[1]
		}
		if (errs[0] == nil) == (errs[1] == nil) || !fault.Is(lost, fault.CodeInvalid) {
			t.Fatalf("ChangeOrg() = %v and %v, want one that is told of the taken name", errs[0], errs[1])
		}
		if got := fault.MessageOf(lost); got != `the team slug "net" is taken already` {
			t.Errorf("the other was told %q", got)
		}
		o, err := h.store.Org(t.Context())
		if err != nil || len(o.Teams) != 2 {
			t.Errorf("there are %d teams, %v, want 2", len(o.Teams), err)
		}
	})
}

// Each change is computed from what the one before it left: nothing is lost.
func TestChangeOrgLosesNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		join := func(d *Dispatcher, u id.User) error {
			_, err := d.ChangeOrg(t.Context(), people.Operator(), func(o *org.Org) ([]org.Change, error) {
				team := o.Teams["dba"]
				team.Members = append(append([]id.User{}, team.Members...), u)
				return []org.Change{org.Put(team)}, nil
			})
			return err
		}
		var wg sync.WaitGroup
		for i, u := range []id.User{"lee", "ada", "obi", "ann"} {
			wg.Go(func() {
				if err := join([]*Dispatcher{h.Dispatcher, h.other}[i%2], u); err != nil {
					t.Errorf("%s joins: %v", u, err)
				}
			})
		}
		wg.Wait()
		o, err := h.store.Org(t.Context())
		if err != nil || len(o.Teams["dba"].Members) != 5 {
			t.Errorf("the team is %v, %v, want all five", o.Teams["dba"].Members, err)
		}
	})
}

func TestChangeOrgTells(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		before := h.head(t)
		o, err := h.store.Org(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		team := o.Teams["dba"]
		h.change(t, org.Put(team))
		if diff := cmp.Diff(before, h.head(t)); diff != "" {
			t.Errorf("a change of nothing left something:\n%s", diff)
		}
		team.Name = "Data"
		h.change(t, org.Put(team), org.Put(people.Team{ID: "net", Slug: "net", Name: "Network"}))
		h.change(t, org.Remove(org.TeamKind, "net"))
		var told []timeline.Payload
		for _, e := range h.entries(t, store.EntryFilter{After: before.Seq}) {
			told = append(told, e.Payload)
		}
		want := []timeline.Payload{
			timeline.Change{Object: "team", ID: "dba", Name: "Data", Action: "changed", Fields: []string{"name"}},
			timeline.Change{Object: "team", ID: "net", Name: "Network", Action: "created"},
			timeline.Change{Object: "team", ID: "net", Name: "Network", Action: "deleted"},
		}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("the timeline (-want +got):\n%s", diff)
		}
		if got := h.head(t).Org - before.Org; got != 2 {
			t.Errorf("the organisation went on by %d revisions, want 2", got)
		}
		if _, err := h.ChangeOrg(t.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) {
			return []org.Change{org.Put(people.Team{ID: "x", Slug: "x", Name: "X"}), org.Remove(org.UserKind, "kim")}, nil
		}); fault.MessageOf(err) != "Kim is still a member of team Data" {
			t.Errorf("deleting somebody in use = %v, want by name what still needs them", err)
		}
		if o, err := h.store.Org(t.Context()); err != nil || len(o.Teams) != 1 {
			t.Errorf("a refused change left the teams %v, %v", o.Teams, err)
		}
	})
}

// A running incident keeps the version of the policy it started with.
func TestPolicyOfARunningIncident(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		n := h.open(t, "disk").ID
		o, err := h.store.Org(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p := o.Policies["p1"]
		p.Steps = p.Steps[:1]
		h.change(t, org.Put(p))
		h.clock.pass(stepTwo)
		h.fire(t, 1)
		if got := h.incident(t, n).Paged; !cmp.Equal(got, []id.User{"kim", "lee"}) {
			t.Errorf("paged %v, want Lee too: the policy was changed after the incident opened", got)
		}
	})
}

func TestEditSelf(t *testing.T) {
	h := newHouse(t, "sqlite")
	err := h.EditSelf(t.Context(), kim(), func(u people.User) people.User {
		u.Name, u.Zone = "Kim Lang", "Europe/Berlin"
		u.ID, u.Role, u.Username, u.Email, u.Disabled = "ada", people.Admin, "root", "root@example.org", true
		return u
	})
	if err != nil {
		t.Fatal(err)
	}
	o, err := h.store.Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := people.User{
		ID: "kim", Username: "kim", Name: "Kim Lang", Email: "kim@example.org", Role: people.Member, Zone: "Europe/Berlin",
		Contacts: []people.Contact{{ID: "c-kim", Method: people.Email, Address: "kim@example.org"}},
	}
	if diff := cmp.Diff(want, o.Users["kim"]); diff != "" {
		t.Errorf("after EditSelf() (-want +got):\n%s", diff)
	}
	err = h.EditSelf(t.Context(), kim(), func(u people.User) people.User {
		u.Contacts = append([]people.Contact{}, u.Contacts...)
		u.Contacts[0].ID = "c-lee"
		return u
	})
	if !fault.Is(err, fault.CodeInvalid) {
		t.Errorf("taking the id of somebody else's contact method = %v, want invalid", err)
	}
}

func TestIntegrations(t *testing.T) {
	h := newHouse(t, "sqlite")
	on, off := h.NewIntegration("rest", "Nagios", ""), h.NewIntegration("rest", "Zabbix", "given-key")
	off.Off = true
	h.change(t, org.Put(on), org.Put(off))
	key, err := h.IntegrationKey(actor("ada", "Ada", people.Admin), on)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok, err := h.Integration(t.Context(), key); err != nil || !ok || got != on.ID {
		t.Errorf("Integration() of a fresh key = %s, %t, %v, want %s", got, ok, err, on.ID)
	}
	for name, key := range map[string]string{"switched off": "given-key", "unknown": "?", "empty": "", "the hash": on.KeyHash} {
		if _, ok, err := h.Integration(t.Context(), key); ok || err != nil {
			t.Errorf("Integration() of a key that is %s = %t, %v, want false", name, ok, err)
		}
	}
}

// Rules that nobody could read would stop every command.
func TestRulesAreReadBeforeTheyCount(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		save := func(rules string) error {
			_, err := h.ChangeOrg(t.Context(), ada(), func(o *org.Org) ([]org.Change, error) {
				s := o.Settings
				s.Rules = rules
				return []org.Change{org.Put(s)}, nil
			})
			return err
		}
		if err := save("deny everyone deploy.run\nalow role:admin *"); !fault.Is(err, fault.CodeInvalid) {
			t.Errorf("a slip in line 2: %v, want invalid", err)
		}
		if err := save("deny everyone deploy.run"); err != nil {
			t.Error(err)
		}
	})
}
