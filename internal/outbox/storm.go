package outbox

import (
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/paging"
	"github.com/watchroom/watchroom/internal/store"
)

// flows are what went to everybody lately, as it follows from the deliveries up
// to one position of the planner.
type flows map[id.Contact]*paging.Flow

// note adds what deliveries, oldest first, say about them.
func (all flows) note(latest []store.Delivery) {
	for _, d := range latest {
		if !stormy(d) {
			continue
		}
		f := all.of(d.Contact)
		if d.Body.HeldUntil.IsZero() {
			f.Singles = append(f.Singles, d.CreatedAt)
		} else {
			f.Gathered(d.Body.HeldUntil)
		}
	}
}

// stormy reports whether a page takes part in the rule of storms: the first
// ones about an incident. What somebody's own policy sends later is spread by it.
func stormy(d store.Delivery) bool {
	return d.Contact != "" && d.Incident != 0 && (d.Body.Chain == nil || d.Body.Chain.Seq <= 1 || !d.DueAt.After(d.CreatedAt))
}

func (all flows) of(c id.Contact) *paging.Flow {
	f, ok := all[c]
	if !ok {
		f = &paging.Flow{}
		all[c] = f
	}
	return f
}

// hold moves a planned delivery to when it may go out. Opened says that it is
// the first that waits for its digest.
func (all flows) hold(d *store.Delivery, now time.Time) (opened bool) {
	if d.Contact == "" || d.DueAt.After(now) {
		return false
	}
	due, held, opened := all.of(d.Contact).Next(now)
	if held {
		d.ExpiresAt = d.ExpiresAt.Add(due.Sub(d.DueAt))
		d.DueAt, d.Body.HeldUntil = due, due
	}
	return opened
}

// forget drops what has no effect any more.
func (all flows) forget(now time.Time) {
	for c, f := range all {
		if f.Over(now) {
			delete(all, c)
		}
	}
}
