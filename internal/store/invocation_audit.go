package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
)

// auditEnd is the end of the chain of the audit.
type auditEnd struct {
	seq  int64
	hash string
}

const selectEvent = `SELECT seq, invocation, at, kind, body, sum, hash FROM invocation_event`

// AppendEvent buffers an event of the audit; it is chained to the one before.
func (tx *Tx) AppendEvent(e invocation.Event) {
	if tx.commands.chain == nil {
		last, _, err := orNone(one(tx.ctx, tx.tx, scanEnd, `SELECT seq, hash FROM invocation_event ORDER BY seq DESC LIMIT 1`))
		if err != nil {
			tx.failed = errors.Join(tx.failed, fmt.Errorf("end of the audit: %w", err))
		}
		tx.commands.chain = &last
	}
	if e.At.IsZero() {
		e.At = tx.Now
	}
	body, err := writeJSON(e)
	if err != nil {
		tx.failed = errors.Join(tx.failed, fmt.Errorf("write event: %w", err))
	}
	c := tx.commands.chain
	c.seq++
	sum := sumOfEvent(c.seq, e.Invocation, micros(e.At), e.Kind, body)
	c.hash = chained(c.hash, sum)
	tx.exec(`INSERT INTO invocation_event (seq, invocation, at, kind, body, sum, hash) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		c.seq, string(e.Invocation), micros(e.At), string(e.Kind), body, sum, c.hash)
}

func scanEnd(rows *sql.Rows) (auditEnd, error) {
	var l auditEnd
	err := rows.Scan(&l.seq, &l.hash)
	return l, err
}

// sumOfEvent is of all that an event says. No part can run into the next: only
// the last has no fixed form.
func sumOfEvent(seq int64, n id.Invocation, at int64, kind invocation.EventKind, body string) string {
	text := strconv.FormatInt(seq, 10) + "\n" + string(n) + "\n" + strconv.FormatInt(at, 10) + "\n" + string(kind) + "\n" + body
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func chained(before, sum string) string {
	next := sha256.Sum256([]byte(before + "\n" + sum))
	return hex.EncodeToString(next[:])
}

// storedEvent is an event and the text it is stored as.
type storedEvent struct {
	invocation.Event
	at   int64
	body string
}

func scanStoredEvent(rows *sql.Rows) (storedEvent, error) {
	var s storedEvent
	var e invocation.Event
	var n id.Invocation
	var kind invocation.EventKind
	var seq int64
	var sum, hash string
	if err := rows.Scan(&seq, &n, &s.at, &kind, &s.body, &sum, &hash); err != nil {
		return s, err
	}
	e, err := readJSON[invocation.Event]([]byte(s.body))
	e.Seq, e.Invocation, e.At, e.Kind, e.Sum, e.Hash = seq, n, instant(s.at), kind, sum, hash
	s.Event = e
	return s, err
}

func scanEvent(rows *sql.Rows) (invocation.Event, error) {
	s, err := scanStoredEvent(rows)
	return s.Event, err
}

// EventsOf returns the audit of one invocation, in order.
func (s *Store) EventsOf(ctx context.Context, n id.Invocation) ([]invocation.Event, error) {
	return all(ctx, s.read, scanEvent, selectEvent+` WHERE invocation = $1 ORDER BY seq LIMIT 1000`, string(n))
}

// Audit returns up to limit events after a number.
func (s *Store) Audit(ctx context.Context, after int64, limit int) ([]invocation.Event, error) {
	return all(ctx, s.read, scanEvent, selectEvent+` WHERE seq > $1 ORDER BY seq LIMIT $2`, after, limit)
}

// auditAtOnce bounds what one look at the chain reads.
const auditAtOnce = 1000

// CheckAudit follows the chain of the audit from its beginning, or from behind
// what retention has removed, and returns how many events are as they were
// written. When that is not all of them, broken is the number of the first that
// was changed, put in or follows one that was taken out; else it is 0. What was
// cut off at the end does not show here: keep the last hash of an export elsewhere.
func (s *Store) CheckAudit(ctx context.Context) (good, broken int64, err error) {
	for {
		from, err := s.beginning(ctx)
		if err != nil {
			return 0, 0, fmt.Errorf("check audit: %w", err)
		}
		good, broken, err = s.checkAudit(ctx, from)
		if err != nil || broken == 0 {
			return good, broken, err
		}
		if now, err := s.beginning(ctx); err != nil || now == from { // else its first events were removed meanwhile
			return good, broken, err
		}
	}
}

func (s *Store) checkAudit(ctx context.Context, before auditEnd) (good, broken int64, err error) {
	for after := int64(0); ; after = before.seq {
		some, err := all(ctx, s.read, scanStoredEvent, selectEvent+` WHERE seq > $1 ORDER BY seq LIMIT $2`, after, auditAtOnce)
		if err != nil {
			return good, 0, fmt.Errorf("check audit: %w", err)
		}
		for _, e := range some {
			sum := sumOfEvent(e.Seq, e.Invocation, e.at, e.Kind, e.body)
			if e.Seq != before.seq+1 || e.Sum != sum || e.Hash != chained(before.hash, sum) {
				return good, e.Seq, nil
			}
			good, before = good+1, auditEnd{e.Seq, e.Hash}
		}
		if len(some) < auditAtOnce {
			return good, 0, nil
		}
	}
}
