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

// openAhead is how far an override without an end is looked at for what it changes.
const openAhead = 366 * 24 * time.Hour

// AddOverride plans that somebody is on duty instead of the rota's own person.
// Everybody may take duties on themselves; to put others on duty is for who may
// manage, for a colleague is asked with a swap. Id, kind and maker are set here.
func (d *Dispatcher) AddOverride(ctx context.Context, by people.Actor, o oncall.Override) (oncall.Override, error) {
	if !mayFor(by, o.User) {
		if by.May(people.Respond) {
			return o, fault.Forbidden(phrase.T("dispatch.others_duty"))
		}
		return o, forbidden()
	}
	return store.InTx(ctx, d.store, func(tx *store.Tx) (oncall.Override, error) {
		o := o
		o.ID, o.Kind, o.By, o.Note = id.Override(id.New()), oncall.Planned, by.User, strings.TrimSpace(o.Note)
		var err error
		if o.Start, o.End, err = period(o.Start, o.End, tx.Now); err != nil {
			return o, err
		}
		if _, err := checkDuty(tx.Org, o); err != nil {
			return o, err
		}
		return o, putOverride(tx, by, o, func(c timeline.Cover) timeline.Payload { return timeline.Overridden(c) })
	})
}

// RemoveOverride takes an override back: one that has not begun is gone, one
// that runs ends now.
func (d *Dispatcher) RemoveOverride(ctx context.Context, by people.Actor, o id.Override) error {
	return d.endOverride(ctx, by, o, false)
}

// period makes the beginning and end of a duty whole seconds, as they count,
// and the beginning now when it was a moment ago.
func period(start, end, now time.Time) (from, to time.Time, err error) {
	from, to, now = start.UTC().Truncate(time.Second), end.UTC().Truncate(time.Second), now.Truncate(time.Second)
	if end.IsZero() {
		to = time.Time{}
	}
	switch {
	case start.IsZero():
		return from, to, fault.Invalid("start", phrase.T("dispatch.no_start"))
	case from.Before(now.Add(-nowFor)):
		return from, to, fault.Invalid("start", phrase.T("dispatch.starts_in_past"))
	case from.Before(now):
		from = now
	}
	if !end.IsZero() && !to.After(from) {
		return from, to, fault.Invalid("end", phrase.T("dispatch.ends_before_start"))
	}
	return from, to, nil
}

// checkDuty says whether rotation, layer and people of an override are there,
// and whether who is to be on duty can be reached.
func checkDuty(o *org.Org, v oncall.Override) (oncall.Rotation, error) {
	r, ok := o.Rotations[v.Rotation]
	if !ok {
		return r, fault.Invalid("rotation", phrase.T("dispatch.no_such_rotation"))
	}
	if v.Layer != nil && (*v.Layer < 0 || *v.Layer >= len(r.Layers)) {
		return r, fault.Invalid("layer", phrase.T("dispatch.no_such_layer", r.Name))
	}
	if err := checkAble(o, "user", v.User); err != nil {
		return r, err
	}
	if _, ok := o.Users[v.For]; v.For != "" && !ok {
		return r, fault.Invalid("for", phrase.T("dispatch.no_such_user"))
	}
	return r, nil
}

// checkAble says whether somebody can be on duty at all.
func checkAble(o *org.Org, field string, u id.User) error {
	user, ok := o.Users[u]
	switch {
	case !ok || user.Disabled:
		return fault.Invalid(field, phrase.T("dispatch.no_such_user"))
	case !user.Reachable():
		return fault.Invalid(field, phrase.T("dispatch.unreachable", user.Name))
	}
	return nil
}

// putOverride saves a new override, unless it changes nothing, and tells of it.
func putOverride(tx *store.Tx, by people.Actor, o oncall.Override, payload func(timeline.Cover) timeline.Payload) error {
	next, err := applyQuietly(tx, org.Put(o))
	if err != nil {
		return err
	}
	r := tx.Org.Rotations[o.Rotation]
	if !changesDuty(tx.Org.Schedule(o.Rotation), next.Schedule(o.Rotation), o) {
		return fault.Conflict(phrase.T("dispatch.override_of_nothing", tx.Org.UserName(o.User), r.Name))
	}
	tell(tx, by, r.Team, o.User, payload(coverOf(next, next.Schedule(o.Rotation), o)))
	return nil
}

// changesDuty reports whether anybody else is on duty at any time by an override.
func changesDuty(before, after oncall.Plan, o oncall.Override) bool {
	end := o.End
	if end.IsZero() {
		end = o.Start.Add(openAhead)
	}
	return len(oncall.Compare(before, after, o.Start, end).Changes) > 0
}
