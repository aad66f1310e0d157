package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/timeline"
)

// OldInvocations returns up to limit invocations with their output after a
// number, in order, that were asked for before an instant; with printed only
// those that have printed something.
func (s *Store) OldInvocations(ctx context.Context, after int64, before time.Time, printed bool, limit int) ([]invocation.Invocation, error) {
	where := ` WHERE number > $1 AND asked_at < $2`
	if printed {
		where += ` AND (output <> '' OR body LIKE '%"doc":%')`
	}
	found, err := all(ctx, s.read, scanInvocation, selectInvocation+where+` ORDER BY number LIMIT $3`, after, micros(before), limit)
	if err != nil {
		return nil, fmt.Errorf("load old invocations: %w", err)
	}
	return found, nil
}

// LastInvocation is the highest number that was given to an invocation; its row
// is what the next number is counted from.
func (s *Store) LastInvocation(ctx context.Context) (int64, error) {
	return one(ctx, s.read, value[int64], `SELECT COALESCE(MAX(number), 0) FROM invocation`)
}

// InvocationGone reports whether there once was an invocation of a number that
// is there no more: all up to the highest were given out.
func (tx *Tx) InvocationGone(number int64) (bool, error) {
	return one(tx.ctx, tx.tx, value[bool], `SELECT CAST($1 AS BIGINT) > 0 AND CAST($1 AS BIGINT) < COALESCE(MAX(number), 0)
		AND NOT EXISTS (SELECT 1 FROM invocation WHERE number = $1) FROM invocation`, number)
}

// RemoveInvocations removes the records of commands that are over, but never
// that with the highest number.
func (tx *Tx) RemoveInvocations(list []id.Invocation) (r Removed, err error) {
	for chunk := range slices.Chunk(list, 256) {
		args := textsOf(chunk)
		may, err := all(tx.ctx, tx.tx, value[id.Invocation], `SELECT id FROM invocation WHERE due_at = 0 AND number < (SELECT MAX(number) FROM invocation)
			AND id IN `+in(1, len(args)), args...)
		if err != nil {
			return r, fmt.Errorf("remove commands: %w", err)
		}
		if r.Commands += len(may); len(may) == 0 {
			continue
		}
		args = textsOf(may)
		within := in(1, len(args))
		tx.exec(`DELETE FROM action WHERE invocation <> '' AND invocation IN `+within, args...)
		tx.exec(`DELETE FROM invocation WHERE id IN `+within, args...)
	}
	return r, nil
}

// RemoveOutput removes what a command printed; that it did, and the sum of it, stays in the audit.
func (tx *Tx) RemoveOutput(inv invocation.Invocation) Removed {
	if inv.Output == "" && inv.Doc == nil {
		return Removed{}
	}
	inv.Output, inv.Doc, inv.OutputRemoved = "", nil, true
	tx.PutInvocation(inv)
	return Removed{Outputs: 1}
}

// OldEvent is what retention needs to know of an event of the audit.
type OldEvent struct {
	Seq        int64
	At         time.Time
	Kind       invocation.EventKind
	Unfinished bool // its command is not over, and comes once
	hash       string
}

// OldEvents returns the first events of the audit, up to limit.
func (tx *Tx) OldEvents(limit int) ([]OldEvent, error) { return oldEvents(tx.ctx, tx.tx, 0, limit) }

// OldEvents returns the events of the audit after a number, up to limit.
func (s *Store) OldEvents(ctx context.Context, after int64, limit int) ([]OldEvent, error) {
	return oldEvents(ctx, s.read, after, limit)
}

func oldEvents(ctx context.Context, q querier, after int64, limit int) ([]OldEvent, error) {
	events, err := all(ctx, q, scanEvent, selectEvent+` WHERE seq > $1 ORDER BY seq LIMIT $2`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("load the audit: %w", err)
	}
	about := make([]id.Invocation, len(events))
	for i, e := range events {
		about[i] = e.Invocation
	}
	waits := map[id.Invocation]bool{}
	for chunk := range slices.Chunk(slices.Compact(slices.Sorted(slices.Values(about))), 256) {
		args := textsOf(chunk)
		open, err := all(ctx, q, scanInvocation, selectInvocationShort+` WHERE due_at > 0 AND id IN `+in(1, len(args)), args...)
		if err != nil {
			return nil, fmt.Errorf("load open invocations: %w", err)
		}
		for _, inv := range open {
			waits[inv.ID] = inv.Schedule == (invocation.Schedule{})
		}
	}
	old := make([]OldEvent, len(events))
	for i, e := range events {
		old[i] = OldEvent{e.Seq, e.At, e.Kind, waits[e.Invocation], e.Hash}
	}
	return old, nil
}

// RemoveEvents removes the first events of the audit, which must be those that
// OldEvents has returned, and adds one that says so: with it what is left can
// still be followed from its beginning.
func (tx *Tx) RemoveEvents(first []OldEvent) Removed {
	if len(first) == 0 {
		return Removed{}
	}
	last := first[len(first)-1]
	tx.AppendEvent(invocation.Event{Kind: invocation.EventRemoved, By: timeline.Self, Upto: last.Seq, Digest: last.hash})
	tx.exec(`DELETE FROM invocation_event WHERE seq <= $1`, last.Seq)
	return Removed{Events: len(first)}
}

// beginning is what the chain of the audit begins behind: nothing, or what was
// removed last.
func (s *Store) beginning(ctx context.Context) (auditEnd, error) {
	e, err := one(ctx, s.read, scanEvent, selectEvent+` WHERE kind = $1 ORDER BY seq DESC LIMIT 1`, string(invocation.EventRemoved))
	if errors.Is(err, ErrNotFound) {
		return auditEnd{}, nil
	}
	return auditEnd{e.Upto, e.Digest}, err
}
