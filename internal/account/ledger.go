package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/auth"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
)

// ledger counts attempts for all nodes, so that several give nobody more of
// them than one does. What a key is booked up to is when a link runs out, which
// leads nowhere: no text has its hash.
type ledger struct{ store *store.Store }

const turnLink store.LinkPurpose = "turn"

func turnHash(key string) string { return secret.Hash("turn\n" + key) }

// Take implements auth.Ledger.
func (l ledger) Take(ctx context.Context, turns []auth.Turn) (wait time.Duration, ok bool, err error) {
	now, err := l.store.Now(ctx)
	if err != nil {
		return 0, false, err
	}
	// Whoever is refused must not keep others from writing: that is looked at
	// before, and decided when it is our turn.
	_, wait, err = book(turns, now, func(hash string) (store.Link, error) { return l.store.Link(ctx, hash) })
	if err != nil || wait > 0 {
		return wait, false, err
	}
	err = l.store.Do(ctx, func(tx *store.Tx) error {
		var next []time.Time
		if next, wait, err = book(turns, tx.Now, tx.Link); err != nil || wait > 0 {
			return err
		}
		for i, t := range turns {
			hash := turnHash(t.Key)
			tx.DropLink(hash)
			tx.AddLink(hash, store.Link{Purpose: turnLink, ExpiresAt: next[i]})
		}
		return nil
	})
	return wait, err == nil && wait == 0, err
}

// book is up to when all of the turns' keys are booked once they are taken, or
// how long to wait for one of them.
func book(turns []auth.Turn, now time.Time, find func(hash string) (store.Link, error)) (next []time.Time, wait time.Duration, err error) {
	next = make([]time.Time, len(turns))
	for i, t := range turns {
		booked, err := find(turnHash(t.Key))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, 0, fmt.Errorf("look up attempts: %w", err)
		}
		if next[i], wait = t.Book(booked.ExpiresAt, now); wait > 0 {
			return nil, wait, nil
		}
	}
	return next, 0, nil
}

// Forget implements auth.Ledger.
func (l ledger) Forget(ctx context.Context, key string) error {
	return l.store.Do(ctx, func(tx *store.Tx) error { tx.DropLink(turnHash(key)); return nil })
}
