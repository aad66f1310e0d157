package app

import (
	"context"
	"errors"

	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
)

// KeyFits says in a sentence when box is not what the stored secrets were sealed
// with: where the data folder is not the database, another folder has another key.
func KeyFits(ctx context.Context, s *store.Store, box *secret.Box) error {
	o, err := s.Org(ctx)
	if err != nil {
		return err
	}
	for _, i := range o.Integrations {
		if _, err := box.Open(i.Sealed); err != nil {
			return errors.New(phrase.T("app.key", i.Name))
		}
	}
	return nil
}
