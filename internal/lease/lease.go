// Package lease lets one node among many do what must be done once: it runs a
// function on whichever node holds a named lease.
//
//	waiting ──acquired──▶ holding ──renewed every third of its time──▶ holding
//	   ▲                     │
//	   └──released, lost─────┘
//
// A node that cannot renew stops its function before the lease runs out, by
// its own clock counted from before it asked; so two nodes overlap only when a
// function ignores the end of its context. What must never happen twice still
// needs a transaction. Which work is a singleton is left to the callers.
//
// A node that has its database for itself holds every lease without asking: no
// commits for renewals, and no waiting for the leases of a process that died.
package lease

import (
	"context"
	"time"

	"github.com/watchroom/watchroom/internal/store"
)

// Run runs fn while holder has the lease name, which is kept for ttl at a time.
// When the lease is lost, fn's context ends, fn is waited for, and Run tries
// to get the lease again. Run ends when ctx does, with nil, or when fn returns
// while the lease is held, with fn's error; either way the lease is free then.
func Run(ctx context.Context, s *store.Store, name, holder string, ttl time.Duration, fn func(context.Context) error) error {
	if s.Alone() {
		if err := fn(ctx); ctx.Err() == nil {
			return err
		}
		return nil
	}
	l := &lease{store: s, name: name, holder: holder, ttl: ttl}
	for {
		began := time.Now()
		if held, err := l.acquire(ctx); err == nil && held {
			if done, err := l.hold(ctx, began.Add(ttl), fn); done {
				return err
			}
		}
		// An error is met like a lease that somebody else has: try again.
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(ttl / 3):
		}
	}
}

type lease struct {
	store        *store.Store
	name, holder string
	ttl          time.Duration
}

func (l *lease) acquire(ctx context.Context) (bool, error) {
	return store.InTx(ctx, l.store, func(tx *store.Tx) (bool, error) {
		_, held, err := tx.Acquire(l.name, l.holder, l.ttl)
		return held, err
	})
}

// release gives the lease back even when ctx is over; failing costs the next
// holder a wait.
func (l *lease) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.ttl)
	defer cancel()
	_ = l.store.Do(ctx, func(tx *store.Tx) error {
		tx.Release(l.name, l.holder)
		return nil
	})
}

// hold runs fn and renews until fn returns, ctx ends, or the lease is lost.
// done says that Run is to end.
func (l *lease) hold(ctx context.Context, until time.Time, fn func(context.Context) error) (done bool, err error) {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err = fn(inner)
	}()
	for {
		select {
		case <-ended:
			l.release(ctx)
			if ctx.Err() != nil {
				return true, nil
			}
			return true, err
		case <-ctx.Done():
			<-ended
			l.release(ctx)
			return true, nil
		case <-time.After(l.ttl / 3):
		}
		began := time.Now()
		if held, renewed := l.renew(inner, until); renewed {
			until = began.Add(l.ttl)
		} else if !held || !time.Now().Add(l.ttl/3).Before(until) {
			cancel()
			<-ended
			return false, nil
		}
	}
}

// renew asks for more time. held is false when somebody else has the lease; an
// error leaves it held for what is left of its time.
func (l *lease) renew(ctx context.Context, until time.Time) (held, renewed bool) {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	held, err := l.acquire(ctx)
	if err != nil {
		return true, false
	}
	return held, held
}
