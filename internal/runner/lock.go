package runner

import (
	"context"
	"regexp"
	"time"
	"unicode/utf8"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// maxLockName is in characters. The pattern does not count them: it would hold
// all letters there are a hundred times.
const maxLockName = 100

var lockName = regexp.MustCompile(`^[\pL\pN][\pL\pN_./:-]*$`)

// Lock keeps others from what a name stands for, until somebody releases it or
// until an instant. Taking one's own again changes its reason and end.
func (d *Desk) Lock(ctx context.Context, actor people.Actor, name, reason string, in id.Room, until time.Time) (invocation.Lock, error) {
	switch {
	case !actor.May(people.Respond):
		return invocation.Lock{}, forbidden()
	case !lockName.MatchString(name), utf8.RuneCountInString(name) > maxLockName:
		return invocation.Lock{}, fault.Invalid("name", phrase.T("runner.lock_name"))
	case len([]rune(reason)) > maxWhy:
		return invocation.Lock{}, fault.Invalid("reason", phrase.T("runner.lock_reason"))
	}
	return store.InTx(ctx, d.store, func(tx *store.Tx) (invocation.Lock, error) {
		l := invocation.Lock{
			Name: name, Kind: invocation.Sticky, Owner: actor.Who(), Reason: clean(reason, maxWhy), Room: in, Since: tx.Now, Until: until.UTC().Truncate(time.Microsecond),
		}
		if !until.IsZero() && !until.After(tx.Now) {
			return l, fault.Invalid("until", phrase.T("runner.lock_until"))
		}
		old, taken, err := tx.Lock(name, invocation.Sticky)
		if err != nil {
			return l, err
		}
		if taken && old.Blocks(actor.User, tx.Now) {
			return old, fault.Conflict(phrase.T("runner.lock_taken", name, nameOf(old.Owner, tx.Org))).With("by", old.Owner.Name)
		}
		if taken && old.Owner.User == actor.User {
			l.Since = old.Since
		}
		if err := tx.PutLock(l); err != nil {
			return l, err
		}
		tx.Append(timeline.Entry{
			Kind: timeline.LockTaken, Actor: l.Owner, Person: actor.User, Room: in, Payload: timeline.Lock{Name: name, Reason: l.Reason, Until: l.Until},
		})
		return l, nil
	})
}

// Locks returns all locks. That something is locked, and by whom, concerns
// everybody; why is for those who read the room where it was said.
func (d *Desk) Locks(ctx context.Context, actor people.Actor) ([]invocation.Lock, error) {
	o, err := d.store.Org(ctx)
	if err != nil {
		return nil, err
	}
	locks, err := d.store.Locks(ctx)
	for i, l := range locks {
		own := actor.User != "" && l.Owner.User == actor.User
		if operator := actor.User == "" && actor.Origin == timeline.Command; !own && !operator && !o.CanRead(actor.User, l.Room) {
			locks[i].Reason, locks[i].Room, locks[i].Invocation = "", "", ""
		}
	}
	return locks, err
}

// Unlock releases a lock, also that of somebody else: people see who did. What
// a run has locked is free when the run is cancelled.
func (d *Desk) Unlock(ctx context.Context, actor people.Actor, name string) (invocation.Lock, error) {
	if !actor.May(people.Respond) {
		return invocation.Lock{}, forbidden()
	}
	return store.InTx(ctx, d.store, func(tx *store.Tx) (invocation.Lock, error) {
		l, taken, err := tx.Lock(name, invocation.Sticky)
		if err != nil {
			return l, err
		}
		if taken {
			d.unlock(tx, l, actor.Who())
			return l, nil
		}
		if l, taken, err = tx.Lock(name, invocation.ForRun); err != nil {
			return l, err
		}
		if !taken {
			return l, fault.NotFound(phrase.T("runner.lock_none", name))
		}
		inv, err := tx.Invocation(l.Invocation)
		if err == nil && inv.State == invocation.Running {
			return l, fault.Conflict(phrase.T("runner.lock_run", name, inv.Number))
		}
		d.unlock(tx, l, actor.Who()) // of a run that is over: nobody else would free it
		return l, nil
	})
}

func (d *Desk) unlock(tx *store.Tx, l invocation.Lock, by timeline.Actor) {
	tx.DropLock(l.Name, l.Kind)
	tx.TellWaiting(l.Name, "")
	if l.Kind != invocation.Sticky {
		return // a run says itself that it is over
	}
	owner := ""
	if l.Owner.User != by.User {
		owner = l.Owner.Name
	}
	tx.Append(timeline.Entry{Kind: timeline.LockReleased, Actor: by, Person: by.User, Room: l.Room, Payload: timeline.Unlock{Name: l.Name, Owner: owner}})
}

func forbidden() error { return fault.Forbidden(phrase.T("runner.forbidden")) }
