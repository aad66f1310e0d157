package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
)

// InvocationFilter chooses invocations; the zero value means all. Who may see
// which is for the caller to say.
type InvocationFilter struct {
	Person   id.User            // who asked
	Rooms    []id.Room          // asked in any of these; nil: anywhere
	Or       id.User            // or asked by them, wherever that was; with Rooms
	Command  string             // the declaration's id
	Incident id.Incident        // it was about
	States   []invocation.State // in any of these
	Open     bool               // only what is not over
	Before   int64              // only lower numbers
	Limit    int                // 50 when 0, at most 1000
}

// without leaves the output away, which may be long.
const selectInvocationShort = `SELECT id, number, state, command, person, room, incident, lock, short, asked_at, due_at, waits, claimed_by, claimed_until, cancel_at, started_at, body, '' FROM invocation`

// Invocations returns invocations, the latest first and without their output.
func (s *Store) Invocations(ctx context.Context, f InvocationFilter) ([]invocation.Invocation, error) {
	var q query
	q.limit(f.Limit)
	if f.Before > 0 {
		q.where(`number < `, f.Before)
	}
	if f.Person != "" {
		q.where(`person = `, string(f.Person))
	}
	if f.Rooms != nil {
		in := `1 = 0`
		if len(f.Rooms) > 0 {
			in = `room IN ` + q.list(f.Rooms)
		}
		if f.Or != "" {
			in = `(` + in + ` OR person = ` + q.arg(string(f.Or)) + `)`
		}
		q.and(in)
	}
	if f.Command != "" {
		q.where(`command = `, f.Command)
	}
	if f.Incident > 0 {
		q.where(`incident > 0 AND incident = `, int64(f.Incident))
	}
	if f.Open {
		q.and(`due_at > 0`)
	}
	if len(f.States) > 0 {
		states := make([]any, len(f.States))
		for i, st := range f.States {
			states[i] = string(st)
		}
		q.whereIn(`state`, states)
	}
	found, err := all(ctx, s.read, scanInvocation, selectInvocationShort+q.text()+` ORDER BY number DESC LIMIT `+q.max(), q.args...)
	if err != nil {
		return nil, fmt.Errorf("load invocations: %w", err)
	}
	return found, nil
}

// AwaitingApproval returns what waits for approval, the oldest first.
func (s *Store) AwaitingApproval(ctx context.Context) ([]invocation.Invocation, error) {
	found, err := s.Invocations(ctx, InvocationFilter{Open: true, States: []invocation.State{invocation.Awaiting}, Limit: 1000})
	slices.Reverse(found)
	return found, err
}

// Invocation returns one invocation with its output; ErrNotFound when there is none.
func (s *Store) Invocation(ctx context.Context, n id.Invocation) (invocation.Invocation, error) {
	return one(ctx, s.read, scanInvocation, selectInvocation+` WHERE id = $1`, string(n))
}

// InvocationByNumber returns the invocation that people call by a number.
func (s *Store) InvocationByNumber(ctx context.Context, n int64) (invocation.Invocation, error) {
	return one(ctx, s.read, scanInvocation, selectInvocation+` WHERE number = $1`, n)
}

// NextInvocation returns when the next invocation or lock must be looked at,
// which may be past; the zero time when none waits.
func (s *Store) NextInvocation(ctx context.Context) (time.Time, error) {
	us, err := one(ctx, s.read, value[int64], `SELECT COALESCE(MIN(at), 0) FROM (
		SELECT MIN(due_at) AS at FROM invocation WHERE due_at > 0
		UNION ALL SELECT MIN(until) FROM lock WHERE until > 0) AS next WHERE at IS NOT NULL`)
	return instant(us), err
}

// ToCancel returns which runs of a holder somebody wants to stop.
func (s *Store) ToCancel(ctx context.Context, holder string) ([]id.Invocation, error) {
	return all(ctx, s.read, value[id.Invocation], `SELECT id FROM invocation WHERE due_at > 0 AND state = 'running' AND claimed_by = $1 AND cancel_at > 0`, holder)
}
