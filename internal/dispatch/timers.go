package dispatch

import (
	"context"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/store"
)

// timersAtOnce bounds how many due timers share a transaction.
const timersAtOnce = 256

// FireTimers deals with timers that are due, in one transaction: what follows
// from a timer and its end are one commit, so each fires exactly once. It
// returns how many it dealt with; the caller comes again until that is 0.
func (d *Dispatcher) FireTimers(ctx context.Context) (int, error) {
	return store.InTx(ctx, d.store, func(tx *store.Tx) (int, error) {
		due, err := tx.DueTimers(timersAtOnce)
		if err != nil || len(due) == 0 {
			return 0, err
		}
		numbers := make([]id.Incident, len(due))
		for i, t := range due {
			numbers[i] = t.Incident
		}
		incs, err := tx.Incidents(numbers)
		if err != nil {
			return 0, err
		}
		for _, t := range due {
			tx.ClearTimer(t.Kind, t.Incident)
			inc, ok := incs[t.Incident]
			if !ok {
				continue
			}
			dec := incident.Decide(inc, t.Kind.Due(), facts(tx, inc, ""), tx.Now)
			incs[t.Incident] = dec.Incident
			tx.Save(dec)
		}
		return len(due), nil
	})
}
