package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
)

const invocationColumns = `id, number, state, command, person, room, incident, lock, short, asked_at, due_at, waits, claimed_by, claimed_until, cancel_at, started_at, body, output`

const (
	selectInvocation = `SELECT ` + invocationColumns + ` FROM invocation`
	insertInvocation = `INSERT INTO invocation (` + invocationColumns + `)`
	upsertInvocation = ` ON CONFLICT (id) DO UPDATE SET state = excluded.state, lock = excluded.lock, short = excluded.short, due_at = excluded.due_at, waits = excluded.waits,
	claimed_by = excluded.claimed_by, claimed_until = excluded.claimed_until, cancel_at = excluded.cancel_at, started_at = excluded.started_at, body = excluded.body, output = excluded.output`
)

// commandBuffers is what a transaction writes about commands.
type commandBuffers struct {
	rows   map[id.Invocation]invocation.Invocation
	number int64     // the last one given out; 0: none was
	chain  *auditEnd // the end of the audit, when something was added to it
}

func scanInvocation(rows *sql.Rows) (invocation.Invocation, error) {
	var at struct{ asked, due, claimed, cancel, started int64 }
	var inc invocation.Invocation
	var body []byte
	var person id.User
	err := rows.Scan(&inc.ID, &inc.Number, &inc.State, &inc.Command, &person, &inc.Room, &inc.Incident, &inc.Lock, &inc.Short, &at.asked, &at.due,
		&inc.Waiting, &inc.ClaimedBy, &at.claimed, &at.cancel, &at.started, &body, &inc.Output)
	if err != nil {
		return inc, err
	}
	inv, err := readJSON[invocation.Invocation](body)
	inv.ID, inv.Number, inv.State, inv.Command, inv.By.User, inv.Room, inv.Incident = inc.ID, inc.Number, inc.State, inc.Command, person, inc.Room, inc.Incident
	inv.Lock, inv.Short, inv.Waiting, inv.ClaimedBy, inv.Output = inc.Lock, inc.Short, inc.Waiting, inc.ClaimedBy, inc.Output
	inv.AskedAt, inv.DueAt, inv.Claimed, inv.CancelAt = instant(at.asked), instant(at.due), instant(at.claimed), instant(at.cancel)
	return inv, err
}

func (tx *Tx) invocationRows() ([][]any, error) {
	rows := make([][]any, 0, len(tx.commands.rows))
	sorted := make([]invocation.Invocation, 0, len(tx.commands.rows))
	for _, inv := range tx.commands.rows {
		sorted = append(sorted, inv)
	}
	slices.SortFunc(sorted, func(a, b invocation.Invocation) int { return cmp.Compare(a.Number, b.Number) })
	for _, inv := range sorted {
		body, err := writeJSON(inv)
		if err != nil {
			return nil, fmt.Errorf("write invocation %s: %w", inv.ID, err)
		}
		started := inv.StartedAt
		if inv.DryRun {
			started = time.Time{} // see Started
		}
		rows = append(rows, []any{
			string(inv.ID), inv.Number, string(inv.State), inv.Command, string(inv.By.User), string(inv.Room), int64(inv.Incident), inv.Lock, inv.Short,
			micros(inv.AskedAt), micros(inv.DueAt), inv.Waiting, inv.ClaimedBy, micros(inv.Claimed), micros(inv.CancelAt), micros(started), body, inv.Output,
		})
	}
	return rows, nil
}

// AddInvocation buffers a new invocation and returns it with its number.
func (tx *Tx) AddInvocation(inv invocation.Invocation) (invocation.Invocation, error) {
	if tx.commands.number == 0 {
		last, err := one(tx.ctx, tx.tx, value[int64], `SELECT COALESCE(MAX(number), 0) FROM invocation`)
		if err != nil {
			return inv, fmt.Errorf("number invocation: %w", err)
		}
		tx.commands.number = last
	}
	tx.commands.number++
	inv.Number = tx.commands.number
	tx.PutInvocation(inv)
	return inv, nil
}

// PutInvocation buffers a changed invocation, and wakes those who run commands.
func (tx *Tx) PutInvocation(inv invocation.Invocation) {
	if tx.commands.rows == nil {
		tx.commands.rows = map[id.Invocation]invocation.Invocation{}
	}
	tx.commands.rows[inv.ID] = inv
	tx.about |= Commands
}

// Invocation returns one invocation, also as this transaction has put it;
// ErrNotFound when there is none.
func (tx *Tx) Invocation(n id.Invocation) (invocation.Invocation, error) {
	if inv, ok := tx.commands.rows[n]; ok {
		return inv, nil
	}
	return one(tx.ctx, tx.tx, scanInvocation, selectInvocation+` WHERE id = $1`, string(n))
}

// InvocationByNumber returns the invocation that people call by a number.
func (tx *Tx) InvocationByNumber(n int64) (invocation.Invocation, error) {
	return one(tx.ctx, tx.tx, scanInvocation, selectInvocation+` WHERE number = $1`, n)
}

// InvocationByShort returns the invocation that waits for approval by a code;
// ErrNotFound when none does.
func (tx *Tx) InvocationByShort(short string) (invocation.Invocation, error) {
	waits := func(inv invocation.Invocation) bool { return inv.State == invocation.Awaiting && inv.Short == short }
	return tx.freshInvocation(waits, ` WHERE due_at > 0 AND state = 'awaiting_approval' AND short = $1`, short)
}

// ConfirmingOf returns what somebody is asked to confirm in a room;
// ErrNotFound when that is nothing.
func (tx *Tx) ConfirmingOf(person id.User, room id.Room) (invocation.Invocation, error) {
	waits := func(inv invocation.Invocation) bool {
		return inv.State == invocation.Confirming && inv.By.User == person && inv.Room == room
	}
	return tx.freshInvocation(waits, ` WHERE due_at > 0 AND state = 'confirming' AND person = $1 AND room = $2`, string(person), string(room))
}

// freshInvocation finds an invocation as this transaction has put it, or else as it was.
func (tx *Tx) freshInvocation(wanted func(invocation.Invocation) bool, where string, args ...any) (invocation.Invocation, error) {
	for _, inv := range tx.commands.rows {
		if wanted(inv) {
			return inv, nil
		}
	}
	found, err := all(tx.ctx, tx.tx, scanInvocation, selectInvocation+where+` ORDER BY number DESC`, args...)
	if err != nil {
		return invocation.Invocation{}, err
	}
	for _, inv := range found {
		if _, changed := tx.commands.rows[inv.ID]; !changed {
			return inv, nil
		}
	}
	return invocation.Invocation{}, ErrNotFound
}

// DueInvocations returns up to limit invocations whose state must be looked at
// now, the first due first.
func (tx *Tx) DueInvocations(limit int) ([]invocation.Invocation, error) {
	return all(tx.ctx, tx.tx, scanInvocation, selectInvocation+` WHERE due_at > 0 AND due_at <= $1 ORDER BY due_at, number LIMIT $2`, micros(tx.Now), limit)
}

// Started chooses among the last runs of invocations; a dry run is none.
type Started struct {
	Commands []string
	Since    time.Time // they began then or later
	Person   *id.User  // who asked; nil: anybody
	Room     *id.Room  // where they asked; nil: anywhere
	Limit    int
}

// Started returns the invocations with the latest runs that f chooses, without
// their output.
func (tx *Tx) Started(f Started) ([]invocation.Invocation, error) { return started(tx.ctx, tx.tx, f) }

// Started is Tx.Started outside of a transaction.
func (s *Store) Started(ctx context.Context, f Started) ([]invocation.Invocation, error) {
	return started(ctx, s.read, f)
}

func started(ctx context.Context, from querier, f Started) ([]invocation.Invocation, error) {
	if len(f.Commands) == 0 {
		return nil, nil
	}
	var q query
	q.and(`started_at > 0`) // the index has no others
	q.where(`started_at >= `, micros(f.Since))
	q.whereIn(`command`, textsOf(f.Commands))
	if f.Person != nil {
		q.where(`person = `, string(*f.Person))
	}
	if f.Room != nil {
		q.where(`room = `, string(*f.Room))
	}
	return all(ctx, from, scanInvocation, selectInvocationShort+q.text()+` ORDER BY started_at DESC LIMIT `+q.arg(f.Limit), q.args...)
}

// RunsOf counts the runs of a command.
func (tx *Tx) RunsOf(command string) (int, error) {
	return one(tx.ctx, tx.tx, value[int], `SELECT COUNT(*) FROM invocation WHERE due_at > 0 AND state = 'running' AND command = $1`, command)
}

// WaitsBefore reports whether an invocation with a lower number waits for a lock.
func (tx *Tx) WaitsBefore(lock string, number int64) (bool, error) {
	n, err := one(tx.ctx, tx.tx, value[int64], `SELECT COUNT(*) FROM invocation WHERE due_at > 0 AND state = 'queued' AND waits AND lock = $1 AND number < $2`, lock, number)
	return n > 0, err
}

// TellWaiting lets those look again at once who wait for a lock or for a
// command to have fewer runs.
func (tx *Tx) TellWaiting(lock, command string) {
	tx.exec(`UPDATE invocation SET due_at = $1 WHERE due_at > $1 AND state = 'queued' AND waits AND (lock <> '' AND lock = $2 OR command = $3)`, micros(tx.Now), lock, command)
	tx.about |= Commands
}

// PutOffInvocation lets nobody look at an invocation until an instant.
func (tx *Tx) PutOffInvocation(n id.Invocation, until time.Time) {
	tx.exec(`UPDATE invocation SET due_at = $1 WHERE id = $2 AND due_at > 0 AND state <> 'running'`, micros(until), string(n))
}

// RenewRuns says until when the given runs of a holder are known to be alive.
func (tx *Tx) RenewRuns(holder string, until time.Time, runs []id.Invocation) {
	for chunk := range slices.Chunk(runs, 256) {
		args := append([]any{micros(until), holder}, textsOf(chunk)...)
		tx.exec(`UPDATE invocation SET claimed_until = $1, due_at = $1 WHERE state = 'running' AND claimed_by = $2 AND id IN `+in(3, len(args)-2), args...)
	}
}

// dropRuns says that nobody is at work on any run.
func (tx *Tx) dropRuns() {
	tx.exec(`UPDATE invocation SET claimed_until = $1, due_at = $1 WHERE state = 'running' AND due_at > $1`, micros(tx.Now))
}

// AddAction buffers a button; one that is there already lasts until the new end.
func (tx *Tx) AddAction(a Action) {
	tx.exec(`INSERT INTO action (hash, seq, invocation, person, line, expires_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (hash) DO UPDATE SET expires_at = excluded.expires_at`,
		a.Hash, int64(a.Message), string(a.Invocation), string(a.Person), a.Line, micros(a.ExpiresAt), micros(a.UsedAt))
}

// Action is a button of a message: who has its token and may press it gives
// Line as a command.
type Action struct {
	Hash       string // of the token; see secret.Hash
	Message    id.Seq
	Invocation id.Invocation // it is about; "" for none
	Person     id.User       // who alone may press it; "": whoever sees it
	Line       string
	ExpiresAt  time.Time
	UsedAt     time.Time // zero: it was not
}

const selectAction = `SELECT hash, seq, invocation, person, line, expires_at, used_at FROM action`

func scanAction(rows *sql.Rows) (Action, error) {
	var a Action
	var expires, used int64
	err := rows.Scan(&a.Hash, &a.Message, &a.Invocation, &a.Person, &a.Line, &expires, &used)
	a.ExpiresAt, a.UsedAt = instant(expires), instant(used)
	return a, err
}

// Action returns the button with a token, used or not; ErrNotFound when there is none.
func (tx *Tx) Action(hash string) (Action, error) {
	return one(tx.ctx, tx.tx, scanAction, selectAction+` WHERE hash = $1`, hash)
}

// UseAction says that a button was pressed and works no more.
func (tx *Tx) UseAction(hash string) {
	tx.exec(`UPDATE action SET used_at = $1 WHERE hash = $2 AND used_at = 0`, micros(tx.Now), hash)
}

// DropActions forgets the buttons of an invocation, and all that are long past.
func (tx *Tx) DropActions(n id.Invocation) {
	tx.exec(`DELETE FROM action WHERE invocation <> '' AND invocation = $1 OR expires_at < $2`, string(n), micros(tx.Now.Add(-24*time.Hour)))
}

// orNone makes a row that is not there the zero value.
func orNone[T any](v T, err error) (T, bool, error) {
	if errors.Is(err, ErrNotFound) {
		return v, false, nil
	}
	return v, err == nil, err
}
