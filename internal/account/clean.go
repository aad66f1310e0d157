package account

import (
	"context"
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/store"
)

// Clean forgets sessions and links that have run out, and whatever would let
// in people who were deleted.
func (s *Service) Clean(ctx context.Context) error {
	return s.store.Do(ctx, func(tx *store.Tx) error {
		tx.RemoveExpired()
		able, err := tx.Passwords()
		if err != nil {
			return fmt.Errorf("clean up: %w", err)
		}
		for u := range able {
			if _, ok := tx.Org.Users[u]; !ok {
				tx.RemoveAccess(u)
			}
		}
		return nil
	})
}

// Run cleans every hour until ctx ends. One node among several is enough: run
// it inside lease.Run.
func (s *Service) Run(ctx context.Context) error {
	for {
		if err := s.Clean(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "forget old sessions and links", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Hour):
		}
	}
}
