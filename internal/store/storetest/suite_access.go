package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
)

func wantNone(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%s: %v, want ErrNotFound", what, err)
	}
}

func passwords(t *testing.T, s *store.Store) {
	_, err := s.Password(t.Context(), "u1")
	wantNone(t, "no password", err)
	do(t, s, func(tx *store.Tx) {
		tx.PutPassword("u1", "one")
		tx.PutPassword("u2", "two")
	})
	do(t, s, func(tx *store.Tx) {
		if p := must[string](t)(tx.Password("u1")); p != "one" {
			t.Errorf("Password = %q", p)
		}
		tx.PutPassword("u1", "three")
	})
	if p := must[string](t)(s.Password(t.Context(), "u1")); p != "three" {
		t.Errorf("Password = %q", p)
	}
	same(t, "who has one", must[map[id.User]bool](t)(s.Passwords(t.Context())), map[id.User]bool{"u1": true, "u2": true})
	do(t, s, func(tx *store.Tx) {
		tx.AddSession("h", store.Session{ID: "s", Person: "u1"})
		tx.AddToken("h", store.Token{ID: "t", Person: "u1"})
		tx.AddLink("h", store.Link{Purpose: store.ResetLink, Person: "u1"})
	})
	do(t, s, func(tx *store.Tx) { tx.RemoveAccess("u1") })
	_, err = s.Session(t.Context(), "h")
	wantNone(t, "session of a removed person", err)
	_, err = s.Token(t.Context(), "h")
	wantNone(t, "token of a removed person", err)
	_, err = s.Link(t.Context(), "h")
	wantNone(t, "link of a removed person", err)
	same(t, "who has one", must[map[id.User]bool](t)(s.Passwords(t.Context())), map[id.User]bool{"u2": true})
}

func sessions(t *testing.T, s *store.Store) {
	want := store.Session{ID: "s1", Person: "u1", CreatedAt: at(0), SeenAt: at(1), ExpiresAt: at(60), Address: "192.0.2.1", Agent: "Firefox ✓"}
	other := store.Session{ID: "s2", Person: "u1", CreatedAt: at(5), SeenAt: at(5), ExpiresAt: at(60)}
	do(t, s, func(tx *store.Tx) {
		tx.AddSession("h1", want)
		tx.AddSession("h2", other)
		tx.AddSession("h3", store.Session{ID: "s3", Person: "u2", CreatedAt: at(0), ExpiresAt: tx.Now.Add(time.Hour)})
	})
	same(t, "session", must[store.Session](t)(s.Session(t.Context(), "h1")), want)
	same(t, "sessions, newest first", must[[]store.Session](t)(s.Sessions(t.Context(), "u1")), []store.Session{other, want})
	do(t, s, func(tx *store.Tx) {
		same(t, "sessions in a transaction", must[[]store.Session](t)(tx.Sessions("u1")), []store.Session{other, want})
		want.SeenAt, want.ExpiresAt = tx.Now, at(90)
		tx.TouchSession("s1", at(90))
	})
	same(t, "session after use", must[store.Session](t)(s.Session(t.Context(), "h1")), want)
	do(t, s, func(tx *store.Tx) { tx.RemoveSessions("u1", "s1") })
	same(t, "all but one removed", must[[]store.Session](t)(s.Sessions(t.Context(), "u1")), []store.Session{want})
	do(t, s, func(tx *store.Tx) { tx.DropSession("h1") })
	_, err := s.Session(t.Context(), "h1")
	wantNone(t, "dropped session", err)
	do(t, s, func(tx *store.Tx) {
		tx.AddSession("h4", store.Session{ID: "s4", Person: "u2", ExpiresAt: tx.Now})
		tx.RemoveExpired()
	})
	_, err = s.Session(t.Context(), "h4")
	wantNone(t, "expired session", err)
	if list := must[[]store.Session](t)(s.Sessions(t.Context(), "u2")); len(list) != 1 {
		t.Errorf("sessions of the other person: %+v, want one", list)
	}
	do(t, s, func(tx *store.Tx) { tx.RemoveSession("s3") })
	if list := must[[]store.Session](t)(s.Sessions(t.Context(), "u2")); len(list) != 0 {
		t.Errorf("sessions after the last was removed: %+v", list)
	}
}

func tokens(t *testing.T, s *store.Store) {
	scoped := store.Token{ID: "t1", Person: "u1", Name: "deploys", Scopes: []people.Permission{people.Read, people.Talk}, CreatedAt: at(0)}
	whole := store.Token{ID: "t2", Person: "u2", Name: "all", CreatedAt: at(1)}
	do(t, s, func(tx *store.Tx) {
		tx.AddToken("h1", scoped)
		tx.AddToken("h2", whole)
	})
	same(t, "token", must[store.Token](t)(s.Token(t.Context(), "h1")), scoped)
	same(t, "tokens", must[[]store.Token](t)(s.Tokens(t.Context())), []store.Token{scoped, whole})
	do(t, s, func(tx *store.Tx) {
		same(t, "tokens of a person", must[[]store.Token](t)(tx.Tokens("u2")), []store.Token{whole})
		same(t, "token by id", must[store.Token](t)(tx.Token("t2")), whole)
		tx.TouchToken("t1")
		scoped.SeenAt = tx.Now
	})
	same(t, "token after use", must[store.Token](t)(s.Token(t.Context(), "h1")), scoped)
	do(t, s, func(tx *store.Tx) { tx.RemoveToken("t1") })
	_, err := s.Token(t.Context(), "h1")
	wantNone(t, "removed token", err)
}

func links(t *testing.T, s *store.Store) {
	invite := store.Link{Purpose: store.InviteLink, Person: "u1", ExpiresAt: at(60 * 24 * 365 * 100)}
	do(t, s, func(tx *store.Tx) {
		tx.AddLink("h1", invite)
		tx.AddLink("h2", store.Link{Purpose: store.ResetLink, Person: "u1", ExpiresAt: invite.ExpiresAt})
		tx.AddLink("h3", store.Link{Purpose: store.SetupLink, ExpiresAt: tx.Now})
	})
	same(t, "link", must[store.Link](t)(s.Link(t.Context(), "h1")), invite)
	do(t, s, func(tx *store.Tx) {
		same(t, "link in a transaction", must[store.Link](t)(tx.Link("h1")), invite)
		tx.RemoveLinks(store.ResetLink, "u1")
		tx.RemoveExpired()
	})
	for _, hash := range []string{"h2", "h3", "none"} {
		_, err := s.Link(t.Context(), hash)
		wantNone(t, "link "+hash, err)
	}
	same(t, "link", must[store.Link](t)(s.Link(t.Context(), "h1")), invite)
}

func leases(t *testing.T, s *store.Store) {
	type result struct {
		term int64
		held bool
	}
	acquire := func(holder string, ttl time.Duration) result {
		t.Helper()
		return inTx(t, s, func(tx *store.Tx) (result, error) {
			term, held, err := tx.Acquire("clean", holder, ttl)
			return result{term, held}, err
		})
	}
	for _, c := range []struct {
		what   string
		holder string
		ttl    time.Duration
		want   result
	}{
		{"free", "a", time.Hour, result{1, true}},
		{"somebody has it", "b", time.Hour, result{1, false}},
		{"kept by its holder", "a", 0, result{1, true}}, // and over at once
		{"taken when it is over", "b", 0, result{2, true}},
		{"a new term for the same holder", "b", time.Hour, result{3, true}},
	} {
		if got := acquire(c.holder, c.ttl); got != c.want {
			t.Errorf("%s: Acquire by %s = %+v, want %+v", c.what, c.holder, got, c.want)
		}
	}
	do(t, s, func(tx *store.Tx) { tx.Release("clean", "a") }) // not its holder
	if got := acquire("a", time.Hour); got.held {
		t.Error("Release by somebody else gave the lease away")
	}
	do(t, s, func(tx *store.Tx) { tx.Release("clean", "b") })
	if got := acquire("a", time.Hour); got != (result{4, true}) {
		t.Errorf("Acquire after release = %+v", got)
	}
}
