package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/id"
)

// Mute remembers the last alert of an entity that opens no incident before an
// instant, when it is to be decided again.
func (tx *Tx) Mute(entity string, a id.Alert, until time.Time) {
	tx.exec(`INSERT INTO muted (entity, alert, until) VALUES ($1, $2, $3)
		ON CONFLICT (entity) DO UPDATE SET alert = excluded.alert, until = excluded.until`, entity, int64(a), micros(until))
}

// Unmute forgets what was muted of an entity.
func (tx *Tx) Unmute(entity string) { tx.exec(`DELETE FROM muted WHERE entity = $1`, entity) }

// RemuteUntil says that what is muted of an entity waits longer.
func (tx *Tx) RemuteUntil(entity string, until time.Time) {
	tx.exec(`UPDATE muted SET until = $2 WHERE entity = $1`, entity, micros(until))
}

// LookAtMuted makes all that is muted due: what mutes it may have changed.
func (tx *Tx) LookAtMuted() { tx.exec(`UPDATE muted SET until = 1`) }

// MutedDue returns up to limit alerts whose time of being muted is over, those
// that came first in front.
func (tx *Tx) MutedDue(limit int) ([]alert.Alert, error) {
	found, err := all(tx.ctx, tx.tx, scanAlert, `SELECT alert.id, alert.incident, alert.integration, alert.received_at, alert.body, alert.raw
		FROM muted JOIN alert ON alert.id = muted.alert WHERE muted.until <= $1 ORDER BY muted.until, alert.id LIMIT $2`, micros(tx.Now), limit)
	if err != nil {
		return nil, fmt.Errorf("load muted alerts: %w", err)
	}
	return found, nil
}

// Muted is an alert that is muted, as far as windows ask for it.
type Muted struct {
	Alert      id.Alert
	Entity     string
	RoutingKey string
}

// Muted returns what is muted, at most limit, the oldest first.
func (tx *Tx) Muted(limit int) ([]Muted, error) { return muted(tx.ctx, tx.tx, limit) }

// Muted returns what is muted, at most limit, the oldest first.
func (s *Store) Muted(ctx context.Context, limit int) ([]Muted, error) {
	return muted(ctx, s.read, limit)
}

func muted(ctx context.Context, q querier, limit int) ([]Muted, error) {
	found, err := all(ctx, q, func(rows *sql.Rows) (Muted, error) {
		var m Muted
		var body []byte
		if err := rows.Scan(&m.Alert, &m.Entity, &body); err != nil {
			return m, err
		}
		a, err := readJSON[storedAlert](body)
		m.RoutingKey = a.RoutingKey
		return m, err
	}, `SELECT muted.alert, muted.entity, alert.body FROM muted JOIN alert ON alert.id = muted.alert ORDER BY alert.id LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("load muted alerts: %w", err)
	}
	return found, nil
}

// NextMuted returns when something muted is to be decided again, which may be
// past; the zero time when nothing is muted.
func (s *Store) NextMuted(ctx context.Context) (time.Time, error) {
	us, err := one(ctx, s.read, func(rows *sql.Rows) (int64, error) {
		var us sql.NullInt64
		err := rows.Scan(&us)
		return us.Int64, err
	}, `SELECT MIN(until) FROM muted`)
	if errors.Is(err, ErrNotFound) {
		return time.Time{}, nil
	}
	return instant(us), err
}

// LinkAlert says which incident an alert has opened after all.
func (tx *Tx) LinkAlert(a id.Alert, inc id.Incident) {
	tx.exec(`UPDATE alert SET incident = $1 WHERE id = $2`, int64(inc), int64(a))
}
