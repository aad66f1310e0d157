package dispatch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/maintenance"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// An alert that a window covers is stored and told, and opens no incident. The
// last such alert of an entity is kept as a row, which goes when the entity
// recovers or gets an incident otherwise. When nothing mutes it any more the
// alert is decided again: what has not recovered opens its incident then.
//
// An incident that is open when a window begins goes on as if there were none.

// StartMaintenance announces a window. One that begins now, or has no Start, is
// on with the commit; another begins by itself. The ids and instants of what
// has happened are the server's.
func (d *Dispatcher) StartMaintenance(ctx context.Context, by people.Actor, w maintenance.Window) (maintenance.Window, error) {
	if !by.May(people.Manage) {
		return w, forbidden()
	}
	return store.InTx(ctx, d.store, func(tx *store.Tx) (maintenance.Window, error) {
		w.ID, w.By, w.Started, w.Ended = maintenance.ID(id.New()), by.User, time.Time{}, time.Time{}
		w.Name = strings.TrimSpace(w.Name)
		if w.Start.Before(tx.Now) {
			w.Start = tx.Now
		}
		w.Start, w.End = w.Start.UTC().Truncate(time.Microsecond), w.End.UTC().Truncate(time.Microsecond)
		for _, t := range w.Teams {
			if _, ok := tx.Org.Teams[t]; !ok {
				return w, fault.Invalid("teams", phrase.T("maintenance_web.no_team"))
			}
		}
		if !w.End.IsZero() && !w.End.After(tx.Now) {
			return w, fault.Invalid("end", phrase.T("maintenance_web.past"))
		}
		if w.Start.After(tx.Now) {
			_, err := ApplyChanges(tx, by, []org.Change{org.Put(w)})
			return w, err
		}
		w.Started = tx.Now
		if err := put(tx, w); err != nil {
			return w, err
		}
		windowStarted(tx, w, by.Who())
		return w, nil
	})
}

// EndMaintenance ends a window now: what it muted and has not recovered opens
// its incident at once. One that has not begun is taken back.
func (d *Dispatcher) EndMaintenance(ctx context.Context, by people.Actor, n maintenance.ID) error {
	if !by.May(people.Manage) {
		return forbidden()
	}
	return d.store.Do(ctx, func(tx *store.Tx) error {
		w, ok := tx.Org.Maintenance[n]
		switch {
		case !ok:
			return fault.NotFound(phrase.T("maintenance_web.gone"))
		case !w.Ended.IsZero() || !tx.Now.Before(w.Over()):
			return fault.Conflict(phrase.T("maintenance_web.over_already", w.Name))
		case tx.Now.Before(w.Start):
			_, err := ApplyChanges(tx, by, []org.Change{org.Remove(org.MaintenanceKind, string(n))})
			return err
		}
		return endWindow(tx, w, tx.Now, by.Who())
	})
}

// KeepMaintenance begins and ends windows whose time has come, and decides
// again what is muted no more. It returns how much it did; the caller comes
// again until that is 0. Any number of nodes may call it.
func (d *Dispatcher) KeepMaintenance(ctx context.Context) (int, error) {
	due, err := d.maintenanceDue(ctx) // costs no writer
	if err != nil || !due {
		return 0, err
	}
	return store.InTx(ctx, d.store, func(tx *store.Tx) (int, error) {
		done := 0
		for _, w := range org.Sorted(tx.Org.Maintenance, func(w maintenance.Window) string { return string(w.ID) }) {
			begins, ends := windowDue(w, tx.Now)
			if begins {
				w.Started = tx.Now
				windowStarted(tx, w, timeline.Self)
			}
			var err error
			switch {
			case ends:
				err = endWindow(tx, w, w.End, timeline.Self)
			case begins:
				err = put(tx, w)
			default:
				continue
			}
			if err != nil {
				return 0, err
			}
			done++
		}
		again, err := decideMuted(tx)
		return done + again, err
	})
}

func (d *Dispatcher) maintenanceDue(ctx context.Context) (bool, error) {
	o, err := d.store.Org(ctx)
	if err != nil {
		return false, err
	}
	now, err := d.store.Now(ctx)
	if err != nil {
		return false, err
	}
	for _, w := range o.Maintenance {
		if begins, ends := windowDue(w, now); begins || ends {
			return true, nil
		}
	}
	next, err := d.store.NextMuted(ctx)
	return err == nil && !next.IsZero() && !next.After(now), err
}

// windowDue reports what of w the timeline has still to be told at an instant.
func windowDue(w maintenance.Window, now time.Time) (begins, ends bool) {
	if !w.Start.Before(w.Over()) || !w.Ended.IsZero() {
		return false, false // it never is, or is over
	}
	return w.Started.IsZero() && !now.Before(w.Start), !now.Before(w.End)
}

// lookAgain decides again what is muted when somebody has changed windows by
// another way than through here.
func lookAgain(tx *store.Tx, done []org.Applied) {
	if slices.ContainsFunc(done, func(a org.Applied) bool { return a.Kind == org.MaintenanceKind }) {
		tx.LookAtMuted()
	}
}

// put saves an object of which an entry of its own tells.
func put(tx *store.Tx, object any) error {
	_, done, err := tx.Org.Apply(org.Put(object))
	if err != nil {
		return fault.Invalid("", err.Error())
	}
	tx.PutDefinition(done...)
	return nil
}

func windowStarted(tx *store.Tx, w maintenance.Window, by timeline.Actor) {
	tx.Append(timeline.Entry{
		Kind: timeline.MaintenanceStarted, Actor: by, Person: by.User, Team: teamOf(w),
		Payload: timeline.Maintenance{Maintenance: string(w.ID), Name: w.Name, Scope: w.Scope(tx.Org.TeamName), Until: w.End},
	})
}

// teamOf is the team that a window is for, where that is one.
func teamOf(w maintenance.Window) id.Team {
	if len(w.Teams) == 1 {
		return w.Teams[0]
	}
	return ""
}

// heldCounted bounds how many muted alerts are counted when a window ends.
const heldCounted = 10_000

func endWindow(tx *store.Tx, w maintenance.Window, at time.Time, by timeline.Actor) error {
	w.Ended = at
	if err := put(tx, w); err != nil {
		return err
	}
	held, err := tx.Muted(heldCounted)
	if err != nil {
		return err
	}
	rest := slices.DeleteFunc(org.Sorted(tx.Org.Maintenance, func(m maintenance.Window) string { return string(m.ID) }),
		func(m maintenance.Window) bool { return m.ID == w.ID })
	over := timeline.MaintenanceOver{Maintenance: string(w.ID), Name: w.Name}
	for _, m := range held {
		a := maintenance.Alert{RoutingKey: m.RoutingKey, EntityID: m.Entity, Team: tx.Org.Route(m.RoutingKey).Policy.Team}
		if _, still := maintenance.Muting(rest, a, tx.Now); w.Covers(a) && !still {
			over.Held++
		}
	}
	tx.Append(timeline.Entry{Kind: timeline.MaintenanceEnded, Actor: by, Person: by.User, Team: teamOf(w), Payload: over})
	tx.LookAtMuted()
	return nil
}

// keepMuted remembers what an alert that was just decided leaves for the end of
// a window, or forgets what an earlier one did.
func keepMuted(tx *store.Tx, a alert.Alert, why incident.Reason, until time.Time) {
	switch {
	case why == incident.ReasonMuted:
		tx.Mute(a.EntityID, a.ID, until)
	case (a.Type == alert.Critical || a.Type == alert.Warning || a.Type == alert.Recovery) && tx.Org.Quiet(tx.Now):
		tx.Unmute(a.EntityID)
	}
}

// mutedAtOnce bounds how many muted alerts share a transaction.
const mutedAtOnce = 64

// decideMuted opens the incidents of alerts whose window is over. A transaction
// that has just ended a window still knows it as it was; what that one mutes
// is met again by the next.
func decideMuted(tx *store.Tx) (int, error) {
	due, err := tx.MutedDue(mutedAtOnce)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	entities := make([]string, len(due))
	for i, a := range due {
		entities[i] = a.EntityID
	}
	open, err := tx.OpenIncidents(entities)
	if err != nil {
		return 0, fmt.Errorf("decide muted alerts: %w", err)
	}
	for _, a := range due {
		if m := tx.Org.Muted(a, tx.Now); !m.Until.IsZero() {
			tx.RemuteUntil(a.EntityID, m.Until)
			continue
		}
		tx.Unmute(a.EntityID)
		if _, exists := open[a.EntityID]; exists {
			continue
		}
		inc := incident.Incident{ID: tx.NewIncident()}
		dec := incident.Decide(inc, incident.Arrived{Alert: a}, tx.Org.Facts(inc, a.RoutingKey, tx.Now), tx.Now)
		if dec.Incident.State == "" {
			tx.ReturnIncident(inc.ID)
		} else {
			tx.LinkAlert(a.ID, dec.Incident.ID)
		}
		tx.Save(dec)
	}
	return len(due), nil
}
