package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/timeline"
)

// lockBody is what only people want to know of a lock.
type lockBody struct {
	Owner  timeline.Actor `json:"owner"`
	Reason string         `json:"reason,omitempty"`
	Room   id.Room        `json:"room,omitempty"`
	Since  time.Time      `json:"since"`
}

const selectLock = `SELECT name, kind, until, invocation, body FROM lock`

func scanLock(rows *sql.Rows) (invocation.Lock, error) {
	var l invocation.Lock
	var until int64
	var body []byte
	if err := rows.Scan(&l.Name, &l.Kind, &until, &l.Invocation, &body); err != nil {
		return l, err
	}
	b, err := readJSON[lockBody](body)
	l.Until, l.Owner, l.Reason, l.Room, l.Since = instant(until), b.Owner, b.Reason, b.Room, b.Since
	return l, err
}

// Lock returns the lock with a name, of a kind; false when there is none.
func (tx *Tx) Lock(name string, kind invocation.LockKind) (invocation.Lock, bool, error) {
	return orNone(one(tx.ctx, tx.tx, scanLock, selectLock+` WHERE name = $1 AND kind = $2`, name, string(kind)))
}

// Covering returns the sticky locks that keep others from what a name stands
// for, the narrowest first: "deploy/shop" covers "deploy/shop/prod".
func (tx *Tx) Covering(name string) ([]invocation.Lock, error) {
	names := []string{name}
	for i := range len(name) {
		if name[i] == '/' && i > 0 {
			names = append(names, name[:i])
		}
	}
	args := textsOf(names)
	return all(tx.ctx, tx.tx, scanLock, selectLock+` WHERE kind = 'sticky' AND name IN `+in(1, len(args))+` ORDER BY LENGTH(name) DESC`, args...)
}

// PutLock buffers a lock, instead of one of the same name and kind.
func (tx *Tx) PutLock(l invocation.Lock) error {
	body, err := writeJSON(lockBody{l.Owner, l.Reason, l.Room, l.Since.UTC()})
	if err != nil {
		return fmt.Errorf("write lock %s: %w", l.Name, err)
	}
	tx.exec(`INSERT INTO lock (name, kind, until, invocation, body) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (name, kind) DO UPDATE SET until = excluded.until, invocation = excluded.invocation, body = excluded.body`,
		l.Name, string(l.Kind), micros(l.Until), string(l.Invocation), body)
	tx.about |= Commands
	return nil
}

// DropLock frees what a name stands for.
func (tx *Tx) DropLock(name string, kind invocation.LockKind) {
	tx.exec(`DELETE FROM lock WHERE name = $1 AND kind = $2`, name, string(kind))
	tx.about |= Commands
}

// DropLocksOf frees what the run of an invocation has locked.
func (tx *Tx) DropLocksOf(n id.Invocation) {
	tx.exec(`DELETE FROM lock WHERE kind = 'run' AND invocation = $1`, string(n))
}

// LocksOver returns the locks whose time is over.
func (tx *Tx) LocksOver(limit int) ([]invocation.Lock, error) {
	return all(tx.ctx, tx.tx, scanLock, selectLock+` WHERE until > 0 AND until <= $1 ORDER BY until LIMIT $2`, micros(tx.Now), limit)
}

// Locks returns all locks by name.
func (s *Store) Locks(ctx context.Context) ([]invocation.Lock, error) {
	return all(ctx, s.read, scanLock, selectLock+` ORDER BY name, kind LIMIT 1000`)
}
