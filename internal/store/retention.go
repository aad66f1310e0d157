package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/timeline"
)

// What retention needs to know of old rows, and how they are removed. What may
// go is decided in package retention; the facts are read again in the
// transaction that removes.

// removalSpan is how many numbers one look passes over at most, however few of
// them are asked for.
const removalSpan = 20_000

// Removed counts what was removed.
type Removed struct {
	Messages   int
	Entries    int // that are no messages
	Incidents  int
	Alerts     int
	Deliveries int
	Files      int
	Bytes      int64 // of files
	Outputs    int
	Commands   int
	Events     int // of the audit
}

// Add adds up.
func (r Removed) Add(o Removed) Removed {
	return Removed{
		r.Messages + o.Messages, r.Entries + o.Entries, r.Incidents + o.Incidents, r.Alerts + o.Alerts, r.Deliveries + o.Deliveries,
		r.Files + o.Files, r.Bytes + o.Bytes, r.Outputs + o.Outputs, r.Commands + o.Commands, r.Events + o.Events,
	}
}

// Rows is how many rows these are.
func (r Removed) Rows() int {
	return r.Messages + r.Entries + r.Incidents + r.Alerts + r.Deliveries + r.Outputs + r.Commands + r.Events
}

// OldEntry is what retention needs to know of an entry.
type OldEntry struct {
	Seq    id.Seq
	At     time.Time
	Kind   timeline.Kind
	Room   id.Room
	Thread id.Seq

	// Of a message, see Threads.
	RepliedAt time.Time // the last answer in its thread; zero: none
	Pinned    bool      // it, or a message of its thread
	Linked    bool      // it, or a message of its thread, is part of the record of an incident that is there
}

// IsMessage reports whether it is something that was said.
func (e OldEntry) IsMessage() bool { return e.Kind == timeline.MessagePosted }

func scanOldEntry(rows *sql.Rows) (OldEntry, error) {
	var e OldEntry
	var at int64
	err := rows.Scan(&e.Seq, &at, &e.Kind, &e.Room, &e.Thread)
	e.At = instant(at)
	return e, err
}

// OldEntries returns up to limit entries after a number and not after upto that
// belong to no incident, and how far it has looked.
func (s *Store) OldEntries(ctx context.Context, after, upto id.Seq, limit int) ([]OldEntry, id.Seq, error) {
	reached := min(upto, after+removalSpan)
	found, err := all(ctx, s.read, scanOldEntry, `SELECT seq, at, kind, room, thread FROM entry
		WHERE seq > $1 AND seq <= $2 AND incident = 0 ORDER BY seq LIMIT $3`, int64(after), int64(reached), limit)
	if err != nil {
		return nil, after, fmt.Errorf("load old entries: %w", err)
	}
	if len(found) == limit {
		reached = found[limit-1].Seq
	}
	return found, reached, nil
}

// FirstEntry returns the number and time of the oldest entry there is; 0 when there is none.
func (s *Store) FirstEntry(ctx context.Context) (id.Seq, time.Time, error) {
	e, err := one(ctx, s.read, scanOldEntry, `SELECT seq, at, kind, room, thread FROM entry ORDER BY seq LIMIT 1`)
	if errors.Is(err, ErrNotFound) {
		return 0, time.Time{}, nil
	}
	return e.Seq, e.At, err
}

// Gone reports whether there once was an entry with a number and is none any
// more: all numbers up to the last were given out.
func (s *Store) Gone(ctx context.Context, seq id.Seq) (bool, error) {
	return one(ctx, s.read, value[bool], `SELECT CAST($1 AS BIGINT) > 0 AND CAST($1 AS BIGINT) <= head.seq
		AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.seq = $1) FROM head WHERE head.id = 1`, int64(seq))
}

// IncidentGone is Gone for an incident.
func (s *Store) IncidentGone(ctx context.Context, n id.Incident) (bool, error) {
	return one(ctx, s.read, value[bool], `SELECT CAST($1 AS BIGINT) > 0 AND CAST($1 AS BIGINT) <= head.incident
		AND NOT EXISTS (SELECT 1 FROM incident WHERE incident.id = $1) FROM head WHERE head.id = 1`, int64(n))
}

// Removals returns the newest entries that tell what was removed, the last one
// first. There are few: the index of kinds has to find them.
func (s *Store) Removals(ctx context.Context, limit int) ([]timeline.Entry, error) {
	return all(ctx, s.read, scanEntry, selectEntry+` WHERE kind = $1 ORDER BY kind DESC, seq DESC LIMIT $2`, string(timeline.RecordsRemoved), limit)
}

// Threads completes what is known of messages by what happened to them and in their threads.
func (s *Store) Threads(ctx context.Context, entries []OldEntry) error {
	return threads(ctx, s.read, entries)
}

// Threads is that of Store, in the transaction.
func (tx *Tx) Threads(entries []OldEntry) error { return threads(tx.ctx, tx.tx, entries) }

func threads(ctx context.Context, q querier, entries []OldEntry) error {
	about := map[id.Seq][]Message{} // by the first message of a thread
	var roots []any
	for _, e := range entries {
		if root := e.root(); root != 0 && about[root] == nil {
			about[root] = []Message{}
			roots = append(roots, int64(root))
		}
	}
	var linked []id.Incident
	for chunk := range slices.Chunk(roots, 256) {
		args := padded(slices.Clone(chunk))
		within := in(1, len(args))
		_, err := all(ctx, q, func(rows *sql.Rows) (struct{}, error) {
			var root, seq, pinned int64
			var body []byte
			if err := rows.Scan(&root, &seq, &pinned, &body); err != nil {
				return struct{}{}, err
			}
			m, err := readJSON[Message](body)
			m.Seq, m.PinnedAt = id.Seq(seq), instant(pinned)
			about[id.Seq(root)] = append(about[id.Seq(root)], m)
			linked = append(linked, m.Incidents...)
			return struct{}{}, err
		}, `SELECT seq, seq, pinned, body FROM message WHERE seq IN `+within+`
			UNION ALL SELECT entry.thread, message.seq, message.pinned, message.body FROM entry JOIN message ON message.seq = entry.seq
			WHERE entry.thread > 0 AND entry.thread IN `+within, args...)
		if err != nil {
			return fmt.Errorf("load threads: %w", err)
		}
	}
	there := map[id.Incident]bool{}
	for chunk := range slices.Chunk(linked, 256) {
		args := numbersOf(chunk)
		some, err := all(ctx, q, value[id.Incident], `SELECT id FROM incident WHERE id IN `+in(1, len(args)), args...)
		if err != nil {
			return fmt.Errorf("load threads: %w", err)
		}
		for _, n := range some {
			there[n] = true
		}
	}
	for i := range entries {
		e := &entries[i]
		e.RepliedAt, e.Pinned, e.Linked = time.Time{}, false, false
		for _, m := range about[e.root()] {
			e.Pinned = e.Pinned || !m.PinnedAt.IsZero()
			e.Linked = e.Linked || slices.ContainsFunc(m.Incidents, func(n id.Incident) bool { return there[n] })
			if m.Seq == e.root() {
				e.RepliedAt = m.RepliedAt
			}
		}
	}
	return nil
}

// root is the first message of the thread that a message is in or begins; 0 for other entries.
func (e OldEntry) root() id.Seq {
	switch {
	case !e.IsMessage():
		return 0
	case e.Thread != 0:
		return e.Thread
	}
	return e.Seq
}

// filesOf are the files of messages: how many, and their size.
func filesOf(ctx context.Context, q querier, where string, args ...any) (Removed, error) {
	files, err := all(ctx, q, scanFile, selectFile+where, args...)
	if err != nil {
		return Removed{}, fmt.Errorf("load files: %w", err)
	}
	r := Removed{Files: len(files)}
	for _, f := range files {
		r.Bytes += f.Size
	}
	return r, nil
}

// Count counts entries, and the files that the messages among them show.
func (s *Store) Count(ctx context.Context, entries []OldEntry) (Removed, error) {
	r, messages := countEntries(entries)
	files, err := filesOfAll(ctx, s.read, messages)
	return r.Add(files), err
}

// countEntries counts entries and returns the numbers of the messages. Those that
// tell of what was removed do not count: else each would bring another.
func countEntries(entries []OldEntry) (r Removed, messages []id.Seq) {
	for _, e := range entries {
		switch {
		case e.IsMessage():
			messages = append(messages, e.Seq)
		case e.Kind != timeline.RecordsRemoved:
			r.Entries++
		}
	}
	r.Messages = len(messages)
	return r, messages
}

func filesOfAll(ctx context.Context, q querier, messages []id.Seq) (r Removed, err error) {
	for chunk := range slices.Chunk(messages, 256) {
		args := numbersOf(chunk)
		some, err := filesOf(ctx, q, ` WHERE seq > 0 AND seq IN `+in(1, len(args)), args...)
		if err != nil {
			return r, err
		}
		r = r.Add(some)
	}
	return r, nil
}

// RemoveEntries removes entries with all that is kept beside them. The content
// of files is for others to remove: nothing shows it any more. See LooseFiles.
func (tx *Tx) RemoveEntries(entries []OldEntry) (Removed, error) {
	counted, messages := countEntries(entries)
	r, err := filesOfAll(tx.ctx, tx.tx, messages)
	if err != nil {
		return r, err
	}
	r = r.Add(counted)
	numbers := make([]id.Seq, len(entries))
	for i, e := range entries {
		numbers[i] = e.Seq
	}
	for chunk := range slices.Chunk(messages, 256) {
		args := numbersOf(chunk)
		within := in(1, len(args))
		tx.exec(condemn+` WHERE seq > 0 AND seq IN `+within, args...)
		tx.exec(`DELETE FROM mention WHERE seq IN `+within, args...)
		tx.exec(`DELETE FROM message WHERE seq IN `+within, args...)
	}
	for chunk := range slices.Chunk(numbers, 256) {
		args := numbersOf(chunk)
		tx.exec(`DELETE FROM entry WHERE seq IN `+in(1, len(args)), args...)
		tx.more = append(tx.more, tx.s.engine.forgetWords(chunk))
	}
	tx.OnCommit(tx.s.recent.forget)
	return r, nil
}
