package dispatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/ical"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

const (
	importAhead = 366 * 24 * time.Hour // which shifts of a calendar are imported
	maxImported = 1000                 // overrides of one import
)

// Import says which calendar goes over which rotation.
type Import struct {
	Rotation id.Rotation
	Layer    *int   // only over this layer; nil for whoever is on duty
	Calendar []byte // iCalendar, at most ical.MaxSize
	DryRun   bool   // only say what would be done
}

// Imported is what an import did, or would do.
type Imported struct {
	Made      []oncall.Override // in the order of time; without ids in a dry run
	Same      []ical.Occurrence // shifts that the rota has like this already
	Unmatched []ical.Occurrence // shifts of nobody we know, of somebody who cannot be on duty, or of several people
}

// ImportCalendar lays the shifts that another calendar has in the coming year
// over a rotation, as planned overrides: all that can be matched to people, or
// none. Importing the same calendar again changes nothing. Shifts that have
// vanished from it since stay: somebody may rely on them.
func (d *Dispatcher) ImportCalendar(ctx context.Context, by people.Actor, i Import) (Imported, error) {
	if !by.May(people.Manage) {
		return Imported{}, fault.Forbidden(phrase.T("dispatch.import_rights"))
	}
	o, err := d.store.Org(ctx)
	if err != nil {
		return Imported{}, fmt.Errorf("import a calendar: %w", err)
	}
	now, err := d.store.Now(ctx)
	if err != nil {
		return Imported{}, fmt.Errorf("import a calendar: %w", err)
	}
	zone, err := time.LoadLocation(o.Rotations[i.Rotation].Zone)
	if err != nil {
		zone = time.UTC
	}
	shifts, err := ical.Parse(ctx, i.Calendar, now, now.Add(importAhead), zone) // before the transaction: it may take a while
	if bad, ok := errors.AsType[*ical.Error](err); ok {
		return Imported{}, fault.Invalid("calendar", bad.Error())
	}
	if err != nil {
		return Imported{}, fmt.Errorf("import calendar: %w", err)
	}
	if len(shifts) > maxImported {
		return Imported{}, fault.Invalid("calendar", phrase.T("dispatch.import_many", len(shifts), maxImported))
	}
	if i.DryRun {
		return planImport(o, by, i, shifts, now)
	}
	return store.InTx(ctx, d.store, func(tx *store.Tx) (Imported, error) {
		plan, err := planImport(tx.Org, by, i, shifts, tx.Now)
		if err != nil || len(plan.Made) == 0 {
			return plan, err
		}
		changes := make([]org.Change, len(plan.Made))
		for n := range plan.Made {
			plan.Made[n].ID = id.Override(id.New())
			changes[n] = org.Put(plan.Made[n])
		}
		next, err := applyQuietly(tx, changes...)
		if err != nil {
			return plan, err
		}
		for _, v := range plan.Made {
			tell(tx, by, tx.Org.Rotations[v.Rotation].Team, v.User, timeline.Overridden(coverOf(next, next.Schedule(v.Rotation), v)))
		}
		return plan, nil
	})
}

// planImport turns shifts, which are in order, into overrides. Each is laid over
// what those before it have left.
func planImport(o *org.Org, by people.Actor, i Import, shifts []ical.Occurrence, now time.Time) (Imported, error) {
	var plan Imported
	r, ok := o.Rotations[i.Rotation]
	if !ok {
		return plan, fault.Invalid("rotation", phrase.T("dispatch.no_such_rotation"))
	}
	if i.Layer != nil && (*i.Layer < 0 || *i.Layer >= len(r.Layers)) {
		return plan, fault.Invalid("layer", phrase.T("dispatch.no_such_layer", r.Name))
	}
	var known []ical.Person
	for _, u := range o.Users {
		if !u.Disabled && !u.Robot {
			known = append(known, ical.Person{ID: u.ID, Name: u.Name, Email: u.Email, Username: u.Username})
		}
	}
	rota := o.Schedule(r.ID).Rota()
	var over []oncall.Override
	for _, v := range org.Sorted(o.Overrides, func(v oncall.Override) string { return string(v.ID) }) {
		if u, ok := o.Users[v.User]; v.Rotation == r.ID && ok && !u.Disabled {
			over = append(over, v)
		}
	}
	before := o.Schedule(r.ID)
	for _, s := range shifts {
		who, ok := ical.Match(s, known)
		from, to, err := period(s.Start, s.End, now)
		if s.Start.Before(now) { // it runs: the rest of it
			from, to, err = period(now, s.End, now)
		}
		if err != nil {
			continue // over in this very second
		}
		if !ok || checkAble(o, "", who.ID) != nil {
			plan.Unmatched = append(plan.Unmatched, s)
			continue
		}
		v := oncall.Override{Rotation: r.ID, User: who.ID, Layer: i.Layer, Start: from, End: to, Kind: oncall.Planned, By: by.User}
		with := append(slices.Clip(over), v)
		after := oncall.Final(rota, with)
		if !changesDuty(before, after, v) {
			plan.Same = append(plan.Same, s)
			continue
		}
		plan.Made = append(plan.Made, v)
		over, before = with, after
	}
	return plan, nil
}
