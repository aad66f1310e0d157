package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// Factor is what somebody proves themselves with beside their password.
type Factor struct {
	Person   id.User
	Sealed   string // what its codes are computed from; see package secret
	MadeAt   time.Time
	LastStep int64 // of the last code that was taken
}

const selectFactor = `SELECT person, sealed, made_at, last_step FROM factor WHERE person = $1`

func scanFactor(rows *sql.Rows) (Factor, error) {
	var f Factor
	var made int64
	err := rows.Scan(&f.Person, &f.Sealed, &made, &f.LastStep)
	f.MadeAt = instant(made)
	return f, err
}

// Factor returns the second factor of a person; ErrNotFound when they have none.
func (s *Store) Factor(ctx context.Context, person id.User) (Factor, error) {
	return one(ctx, s.read, scanFactor, selectFactor, string(person))
}

// Factors returns who has one.
func (s *Store) Factors(ctx context.Context) (map[id.User]bool, error) {
	found, err := all(ctx, s.read, value[id.User], `SELECT person FROM factor`)
	return set(found), err
}

// Recoveries is how many recovery codes a person has left.
func (s *Store) Recoveries(ctx context.Context, person id.User) (int, error) {
	n, err := one(ctx, s.read, value[int64], `SELECT COUNT(*) FROM recovery WHERE person = $1`, string(person))
	return int(n), err
}

// Factor is Store.Factor inside the transaction.
func (tx *Tx) Factor(person id.User) (Factor, error) {
	return one(tx.ctx, tx.tx, scanFactor, selectFactor, string(person))
}

// PutFactor buffers a second factor, instead of the one there may be.
func (tx *Tx) PutFactor(f Factor) {
	tx.exec(`INSERT INTO factor (person, sealed, made_at, last_step) VALUES ($1, $2, $3, $4)
		ON CONFLICT (person) DO UPDATE SET sealed = excluded.sealed, made_at = excluded.made_at, last_step = excluded.last_step`,
		string(f.Person), f.Sealed, micros(f.MadeAt), f.LastStep)
}

// DropFactor buffers that a person has no second factor and no recovery codes
// any more, and that nothing was proven with it.
func (tx *Tx) DropFactor(person id.User) {
	tx.exec(`DELETE FROM factor WHERE person = $1`, string(person))
	tx.exec(`UPDATE session SET proven_at = 0 WHERE person = $1 AND proven_at <> 0`, string(person))
	tx.PutRecoveries(person, nil)
}

// PutRecoveries buffers recovery codes, by their hashes, instead of those there are.
func (tx *Tx) PutRecoveries(person id.User, hashes []string) {
	tx.exec(`DELETE FROM recovery WHERE person = $1`, string(person))
	for _, h := range hashes {
		tx.exec(`INSERT INTO recovery (hash, person) VALUES ($1, $2)`, h, string(person))
	}
}

// HasRecovery reports whether a hash is that of a recovery code of a person.
func (tx *Tx) HasRecovery(person id.User, hash string) (bool, error) {
	n, err := one(tx.ctx, tx.tx, value[int64], `SELECT COUNT(*) FROM recovery WHERE person = $1 AND hash = $2`, string(person), hash)
	return n > 0, err
}

// UseRecovery buffers that a recovery code was used.
func (tx *Tx) UseRecovery(hash string) { tx.exec(`DELETE FROM recovery WHERE hash = $1`, hash) }

// ProveSession says that the second factor was shown in a session now.
func (tx *Tx) ProveSession(n id.Session) {
	tx.exec(`UPDATE session SET proven_at = $1 WHERE id = $2`, micros(tx.Now), string(n))
}

// DropLink makes one link worthless, by its hash.
func (tx *Tx) DropLink(hash string) { tx.exec(`DELETE FROM link WHERE hash = $1`, hash) }
