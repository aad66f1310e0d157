package storetest

import (
	"sync"
	"testing"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
)

// apply commits changes of the organisation.
func apply(t *testing.T, s *store.Store, changes ...org.Change) {
	t.Helper()
	err := s.Do(t.Context(), func(tx *store.Tx) error {
		_, done, err := tx.Org.Apply(changes...)
		tx.PutDefinition(done...)
		return err
	})
	if err != nil {
		t.Fatalf("change the organisation: %v", err)
	}
}

func person(n id.User) people.User {
	return people.User{
		ID: n, Username: string(n), Name: "Person " + string(n), Email: string(n) + "@example.org", Role: people.Admin, Zone: "UTC",
		Contacts: []people.Contact{{ID: id.Contact("c" + n), Method: people.Email, Address: string(n) + "@example.org"}},
	}
}

func policy(n id.Policy, name string) escalation.Policy {
	return escalation.Policy{
		ID: n, Slug: string(n), Name: name, RepeatAfter: escalation.DefaultRepeatAfter,
		Steps: []escalation.Step{{Targets: []escalation.Target{{User: "u1"}}}},
	}
}

func definitions(t *testing.T, s *store.Store) {
	empty := must[*org.Org](t)(s.Org(t.Context()))
	if again := must[*org.Org](t)(s.Org(t.Context())); again != empty {
		t.Error("Org was read twice though nothing changed")
	}
	apply(t, s, org.Put(person("u1")), org.Put(person("u2")), org.Put(policy("p1", "Database")))
	o := must[*org.Org](t)(s.Org(t.Context()))
	if len(o.Users) != 2 || len(empty.Users) != 0 {
		t.Errorf("%d users, and %d in the snapshot from before; want 2 and 0", len(o.Users), len(empty.Users))
	}
	same(t, "user", o.Users["u1"], person("u1"))
	changed := person("u1")
	changed.Name = "Another name"
	apply(t, s, org.Put(changed), org.Remove(org.UserKind, "u2"))
	o = must[*org.Org](t)(s.Org(t.Context()))
	if len(o.Users) != 1 || o.Users["u1"].Name != "Another name" || o.Rev != 2 {
		t.Errorf("users at revision %d: %v", o.Rev, o.Users)
	}
	do(t, s, func(tx *store.Tx) {
		if tx.Org != o {
			t.Error("a transaction did not use the snapshot at hand")
		}
	})

	// Readers beside a writer see each revision whole.
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if o, err := s.Org(t.Context()); err != nil || len(o.Users) != 1 {
				t.Errorf("Org while it is changed: %v, %v", o, err)
				return
			}
		}
	})
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		changed.Name = name
		apply(t, s, org.Put(changed))
	}
	close(stop)
	wg.Wait()
}

func policyVersions(t *testing.T, s *store.Store) {
	apply(t, s, org.Put(person("u1")), org.Put(policy("p1", "First")))
	first := must[*org.Org](t)(s.Org(t.Context())).Policies["p1"].Version
	apply(t, s, org.Put(policy("p1", "Second")))
	second := must[*org.Org](t)(s.Org(t.Context())).Policies["p1"].Version
	apply(t, s, org.Remove(org.PolicyKind, "p1"))
	o := must[*org.Org](t)(s.Org(t.Context()))
	if len(o.Policies) != 0 {
		t.Errorf("policies after the last was deleted: %v", o.Policies)
	}
	for version, want := range map[int64]string{first: "First", second: "Second"} {
		if p, ok := o.PolicyVersion("p1", version); !ok || p.Name != want || p.Version != version {
			t.Errorf("PolicyVersion(p1, %d) = %+v, %v, want %s", version, p, ok, want)
		}
	}
}
