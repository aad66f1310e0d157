package store

import (
	"context"
	"errors"
	"fmt"
)

// View is InTx for what only looks: beside the writers, for none of whom it
// waits, and each row as it is when it is asked for. It cannot write.
func View[T any](ctx context.Context, s *Store, fn func(*Tx) (T, error)) (T, error) {
	var none T
	h, err := one(ctx, s.read, scanHead, selectHeadAt(s.engine.clock()))
	if err != nil {
		return none, fmt.Errorf("look: %w", err)
	}
	tx := s.newTx(ctx, pane{s.read}, h)
	if tx.Org, err = s.Org(ctx); err != nil {
		return none, err
	}
	found, err := fn(tx)
	if err != nil || tx.failed != nil {
		return none, errors.Join(err, tx.failed)
	}
	if all, err := tx.statements(); err != nil || len(all) > 0 {
		return none, errors.Join(errWritten, err)
	}
	return found, nil
}

var errWritten = errors.New("what only looks has written")

// pane is a tx through which nobody can reach.
type pane struct{ *reader }

func (pane) commit(context.Context, []statement, Topics, func()) error { return errWritten }
func (pane) rollback()                                                 {}
