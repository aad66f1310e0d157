package storetest

import (
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/store"
)

func factors(t *testing.T, s *store.Store) {
	_, err := s.Factor(t.Context(), "u1")
	wantNone(t, "no second factor", err)
	want := store.Factor{Person: "u1", Sealed: "v1.abc", MadeAt: at(0), LastStep: 59_000_000}
	do(t, s, func(tx *store.Tx) {
		tx.PutFactor(store.Factor{Person: "u1", Sealed: "v1.old", MadeAt: at(0)})
		tx.PutFactor(store.Factor{Person: "u2", Sealed: "v1.other", MadeAt: at(1)})
		tx.PutRecoveries("u1", []string{"r1", "r2"})
		tx.PutRecoveries("u2", []string{"r3"})
		tx.AddSession("h1", store.Session{ID: "s1", Person: "u1", ExpiresAt: tx.Now.Add(time.Hour)})
		tx.AddSession("h2", store.Session{ID: "s2", Person: "u1", ExpiresAt: tx.Now.Add(time.Hour), ProvenAt: at(3)})
	})
	do(t, s, func(tx *store.Tx) {
		tx.PutFactor(want)
		same(t, "who has one", must[map[id.User]bool](t)(s.Factors(t.Context())), map[id.User]bool{"u1": true, "u2": true})
	})
	same(t, "second factor", must[store.Factor](t)(s.Factor(t.Context(), "u1")), want)
	do(t, s, func(tx *store.Tx) {
		same(t, "in a transaction", must[store.Factor](t)(tx.Factor("u1")), want)
		for hash, has := range map[string]bool{"r1": true, "r3": false, "": false} {
			if got := must[bool](t)(tx.HasRecovery("u1", hash)); got != has {
				t.Errorf("HasRecovery(u1, %q) = %v", hash, got)
			}
		}
		tx.UseRecovery("r1")
		tx.ProveSession("s1")
	})
	if n := must[int](t)(s.Recoveries(t.Context(), "u1")); n != 1 {
		t.Errorf("%d recovery codes are left, want 1", n)
	}
	if v := must[store.Session](t)(s.Session(t.Context(), "h1")); v.ProvenAt.IsZero() {
		t.Error("the session was not proven")
	}
	if v := must[store.Session](t)(s.Session(t.Context(), "h2")); !v.ProvenAt.Equal(at(3)) {
		t.Errorf("another session is proven at %v", v.ProvenAt)
	}
	do(t, s, func(tx *store.Tx) { tx.DropFactor("u1") })
	_, err = s.Factor(t.Context(), "u1")
	wantNone(t, "second factor after it was removed", err)
	if n := must[int](t)(s.Recoveries(t.Context(), "u1")); n != 0 {
		t.Errorf("%d recovery codes of no second factor", n)
	}
	if v := must[store.Session](t)(s.Session(t.Context(), "h2")); !v.ProvenAt.IsZero() {
		t.Error("a session is proven by a second factor that is no more")
	}
	do(t, s, func(tx *store.Tx) {
		tx.AddLink("l1", store.Link{Purpose: store.HalfLink, Person: "u2", ExpiresAt: tx.Now})
		tx.AddLink("l2", store.Link{Purpose: store.HalfLink, Person: "u2", ExpiresAt: tx.Now})
	})
	do(t, s, func(tx *store.Tx) { tx.DropLink("l1") })
	_, err = s.Link(t.Context(), "l1")
	wantNone(t, "link that was dropped", err)
	_ = must[store.Link](t)(s.Link(t.Context(), "l2"))
	do(t, s, func(tx *store.Tx) { tx.RemoveAccess("u2") })
	_, err = s.Factor(t.Context(), "u2")
	wantNone(t, "second factor of a removed person", err)
}
