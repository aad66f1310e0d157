package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/watchroom/watchroom/internal/heartbeat"
)

// Beat is what is known of a monitored job beside its definition.
//
// In its row, "at" is the last call, or before there is one the negative of the
// instant since which it is awaited; "missed" is since when it is silent, 0
// while it is not, and -1 while nobody waits for it.
type Beat struct {
	Heartbeat heartbeat.ID
	At        time.Time // the last call; when Called is false, since when a first one is awaited
	Called    bool      // it has called since it is awaited
	Missed    time.Time // since when it is known to be silent; zero: it is not
	Paused    bool      // nobody waits for it
}

// LastAt is the last call; zero when there was none.
func (b Beat) LastAt() time.Time {
	if b.Called {
		return b.At
	}
	return time.Time{}
}

const (
	selectBeat = `SELECT heartbeat, at, missed FROM beat`
	notWatched = -1
)

func scanBeat(rows *sql.Rows) (Beat, error) {
	var b Beat
	var at, missed int64
	err := rows.Scan(&b.Heartbeat, &at, &missed)
	b.Called, b.At = at > 0, instant(max(at, -at))
	if b.Paused = missed == notWatched; !b.Paused {
		b.Missed = instant(missed)
	}
	return b, err
}

// Beats returns what is known of every job.
func (s *Store) Beats(ctx context.Context) (map[heartbeat.ID]Beat, error) {
	return byHeartbeat(all(ctx, s.read, scanBeat, selectBeat))
}

// Beats is that of Store, in the transaction.
func (tx *Tx) Beats() (map[heartbeat.ID]Beat, error) {
	return byHeartbeat(all(tx.ctx, tx.tx, scanBeat, selectBeat))
}

func byHeartbeat(list []Beat, err error) (map[heartbeat.ID]Beat, error) {
	found := make(map[heartbeat.ID]Beat, len(list))
	for _, b := range list {
		found[b.Heartbeat] = b
	}
	return found, err
}

// Beat returns what is known of one job; false when that is nothing.
func (tx *Tx) Beat(h heartbeat.ID) (Beat, bool, error) {
	b, err := one(tx.ctx, tx.tx, scanBeat, selectBeat+` WHERE heartbeat = $1`, string(h))
	if errors.Is(err, ErrNotFound) {
		return Beat{Heartbeat: h}, false, nil
	}
	return b, err == nil, err
}

// PutBeat buffers what is known of a job.
func (tx *Tx) PutBeat(b Beat) {
	at, missed := micros(b.At), micros(b.Missed)
	if !b.Called {
		at = -at
	}
	if b.Paused {
		missed = notWatched
	}
	tx.exec(`INSERT INTO beat (heartbeat, at, missed) VALUES ($1, $2, $3)
		ON CONFLICT (heartbeat) DO UPDATE SET at = excluded.at, missed = excluded.missed`, string(b.Heartbeat), at, missed)
}

// DropBeat forgets a job.
func (tx *Tx) DropBeat(h heartbeat.ID) { tx.exec(`DELETE FROM beat WHERE heartbeat = $1`, string(h)) }
