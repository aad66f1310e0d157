package retention

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

const (
	// Every is how much time is between two runs. A setting that was changed does
	// not wait for the next.
	Every = 6 * time.Hour
	// look is how often it is looked whether a run is due.
	look = time.Minute
	// rest is how long the writer is left to others at least; and so that nine
	// tenths of its time are theirs, nine times as long as the last transaction took.
	rest  = 20 * time.Millisecond
	rests = 9
)

// ranCursor is where it is kept when the last run ended, in microseconds since 1970.
const ranCursor = "retention:ran"

// Keeper removes what is old until its Run ends. One node of several does.
type Keeper struct {
	store *store.Store
	log   *slog.Logger
	// Observe is told how much was removed with each commit; may be nil.
	Observe func(store.Removed)

	setting *org.Retention // of the last run, or as it was found
}

// New returns a Keeper.
func New(s *store.Store, log *slog.Logger) *Keeper { return &Keeper{store: s, log: log} }

// Run removes what is old until ctx ends. Run it inside lease.Run.
func (k *Keeper) Run(ctx context.Context) error {
	for {
		if err := k.runOnce(ctx); err != nil && ctx.Err() == nil {
			k.log.ErrorContext(ctx, "remove what is old", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(look):
		}
	}
}

// runOnce does a whole run when one is due.
func (k *Keeper) runOnce(ctx context.Context) (err error) {
	defer fault.Recover(&err)
	o, err := k.store.Org(ctx)
	if err != nil {
		return err
	}
	now, err := k.store.Now(ctx)
	if err != nil {
		return err
	}
	at, err := k.store.Cursors(ctx)
	if err != nil {
		return err
	}
	setting := o.Settings.Retention
	changed := k.setting != nil && *k.setting != setting
	if !changed && now.Before(ranAt(at).Add(Every)) {
		k.setting = &setting
		return nil
	}
	r := &run{keeper: k, limits: LimitsAt(setting, now), total: counted(at)}
	if err := walk(ctx, k.store, r.limits, r); err != nil {
		return err
	}
	if err := r.end(ctx); err != nil {
		return err
	}
	k.setting = &setting // not before: what is left of a change is not for later
	return nil
}

func ranAt(cursors map[string]id.Seq) time.Time {
	if us := cursors[ranCursor]; us > 0 {
		return time.UnixMicro(int64(us)).UTC()
	}
	return time.Time{}
}

// run is one run; a found that removes.
type run struct {
	keeper *Keeper
	limits Limits
	total  store.Removed // since the last entry about it, also by a run that was cut short
}

// do removes something in a transaction and rests.
func (r *run) do(ctx context.Context, remove func(*store.Tx) (store.Removed, error)) error {
	began := time.Now()
	var gone store.Removed
	err := r.keeper.store.Do(ctx, func(tx *store.Tx) error {
		var err error
		if gone, err = remove(tx); err != nil {
			return err
		}
		keepCounts(tx, r.total, r.total.Add(gone))
		return nil
	})
	if err != nil {
		return err
	}
	r.total = r.total.Add(gone)
	if r.keeper.Observe != nil {
		r.keeper.Observe(gone)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(max(rest, rests*time.Since(began))):
		return nil
	}
}

// end tells how much has gone, and sweeps up.
func (r *run) end(ctx context.Context) error {
	return r.keeper.store.Do(ctx, func(tx *store.Tx) error {
		tx.Sweep()
		tx.SetCursor(ranCursor, id.Seq(tx.Now.UnixMicro()))
		t := r.total
		if t == (store.Removed{}) {
			return nil
		}
		keepCounts(tx, t, store.Removed{})
		tx.Append(timeline.Entry{Kind: timeline.RecordsRemoved, Actor: timeline.Self, Payload: timeline.Removal{
			Messages: t.Messages, Entries: t.Entries, Incidents: t.Incidents, Alerts: t.Alerts, Files: t.Files, Bytes: t.Bytes,
			Deliveries: t.Deliveries, Outputs: t.Outputs, Commands: t.Commands, Events: t.Events,
		}})
		return nil
	})
}

func (r *run) entries(ctx context.Context, old []store.OldEntry) error {
	return r.do(ctx, func(tx *store.Tx) (store.Removed, error) {
		may := slices.Clone(old)
		if err := tx.Threads(may); err != nil { // somebody may have answered or pinned one meanwhile
			return store.Removed{}, err
		}
		return tx.RemoveEntries(slices.DeleteFunc(may, func(e store.OldEntry) bool { return !r.limits.Entry(e) }))
	})
}

// incidents removes as many in one transaction as have few rows together, and
// those that have many in several.
func (r *run) incidents(ctx context.Context, old []store.OldIncident) error {
	for len(old) > 0 {
		err := r.do(ctx, func(tx *store.Tx) (gone store.Removed, err error) {
			for len(old) > 0 && gone.Rows() < batch {
				now, err := tx.OldIncident(old[0].ID)
				if err != nil && !errors.Is(err, store.ErrNotFound) {
					return gone, err
				}
				if err == nil && r.limits.Incident(now) {
					part, done, err := tx.RemoveIncident(now.ID, batch-gone.Rows())
					if gone = gone.Add(part); err != nil || !done {
						return gone, err
					}
				}
				old = old[1:]
			}
			return gone, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *run) alerts(ctx context.Context, old []store.OldAlert) error {
	numbers := make([]id.Alert, len(old))
	for i, a := range old {
		numbers[i] = a.ID
	}
	return r.do(ctx, func(tx *store.Tx) (store.Removed, error) { return tx.RemoveAlerts(numbers) })
}

func (r *run) deliveries(ctx context.Context, old []store.OldDelivery) error {
	numbers := make([]id.Delivery, len(old))
	for i, d := range old {
		numbers[i] = d.ID
	}
	return r.do(ctx, func(tx *store.Tx) (store.Removed, error) { return tx.RemoveDeliveries(numbers) })
}

func (r *run) invocations(ctx context.Context, records, outputs []invocation.Invocation) error {
	return r.do(ctx, func(tx *store.Tx) (gone store.Removed, err error) {
		numbers := make([]id.Invocation, len(records))
		for i, inv := range records {
			numbers[i] = inv.ID
		}
		if gone, err = tx.RemoveInvocations(numbers); err != nil {
			return gone, err
		}
		for _, inv := range outputs {
			now, err := tx.Invocation(inv.ID) // of an unknown end more may have become known
			if err != nil {
				return gone, err
			}
			if _, output := r.limits.Invocation(now, 0); output {
				gone = gone.Add(tx.RemoveOutput(now))
			}
		}
		return gone, nil
	})
}

func (r *run) events(ctx context.Context, _ []store.OldEvent) error {
	return r.do(ctx, func(tx *store.Tx) (store.Removed, error) {
		first, err := tx.OldEvents(batch)
		if err != nil {
			return store.Removed{}, err
		}
		return tx.RemoveEvents(first[:r.limits.Events(first)]), nil
	})
}
