package dispatch

import (
	"context"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// AddAbsence says that somebody will be away. It takes nobody off duty; the
// rota warns until somebody else has the duty. Id and maker are set here.
func (d *Dispatcher) AddAbsence(ctx context.Context, by people.Actor, a oncall.Absence) (oncall.Absence, error) {
	if !mayFor(by, a.User) {
		return a, forbidden()
	}
	return store.InTx(ctx, d.store, func(tx *store.Tx) (oncall.Absence, error) {
		a := a
		a.ID, a.By, a.Note = id.Absence(id.New()), by.User, strings.TrimSpace(a.Note)
		a.Start, a.End = a.Start.UTC().Truncate(time.Second), a.End.UTC().Truncate(time.Second)
		if _, err := activeUser(tx, a.User); err != nil {
			return a, err
		}
		if a.End.Before(tx.Now) && !a.End.Before(a.Start) {
			return a, fault.Invalid("end", phrase.T("dispatch.absence_over"))
		}
		if _, err := applyQuietly(tx, org.Put(a)); err != nil {
			return a, err
		}
		tell(tx, by, "", a.User, absent(tx.Org, a))
		return a, nil
	})
}

// RemoveAbsence takes an absence back.
func (d *Dispatcher) RemoveAbsence(ctx context.Context, by people.Actor, n id.Absence) error {
	return d.store.Do(ctx, func(tx *store.Tx) error {
		a, ok := tx.Org.Absences[n]
		switch {
		case !ok && by.May(people.Respond):
			return fault.NotFound(phrase.T("dispatch.no_such_absence"))
		case !ok || !mayFor(by, a.User):
			return forbidden()
		}
		if _, err := applyQuietly(tx, org.Remove(org.AbsenceKind, string(n))); err != nil {
			return err
		}
		tell(tx, by, "", a.User, timeline.AbsenceGone(absent(tx.Org, a)))
		return nil
	})
}

func absent(o *org.Org, a oncall.Absence) timeline.Absence {
	return timeline.Absence{Absence: string(a.ID), User: a.User, Name: o.UserName(a.User), Start: a.Start, End: a.End, Note: a.Note}
}
