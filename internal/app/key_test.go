package app

import (
	"testing"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/secret/secrettest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
)

func TestKeyFits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		right, wrong := box(t), box(t)
		if err := KeyFits(t.Context(), s, wrong); err != nil {
			t.Errorf("with nothing sealed: %v", err)
		}
		err := s.Do(t.Context(), func(tx *store.Tx) error {
			_, err := dispatch.ApplyChanges(tx, people.Operator(), []org.Change{
				org.Put(routing.Integration{ID: "i", Kind: routing.REST, Name: "Nagios", KeyHash: secret.Hash("key"), Sealed: right.Seal("key")}),
			})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := KeyFits(t.Context(), s, right); err != nil {
			t.Errorf("with the right key: %v", err)
		}
		if err := KeyFits(t.Context(), s, wrong); err == nil {
			t.Error("with a wrong key: no error")
		}
	})
}

func box(t *testing.T) *secret.Box {
	t.Helper()
	b := secrettest.Box(t)
	return b
}
