package dispatch

import (
	"context"
	"slices"
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

const (
	// nowFor is how long ago a beginning still means now: forms take a while to fill in.
	nowFor = 5 * time.Minute
	// justNow is for how long a duty that was taken is not taken again by somebody
	// who did not say from whom: they saw the page of before.
	justNow = time.Minute
	// gapAhead is among how many shifts the end of a gap is looked for.
	gapAhead = 50
)

// Take says which duty somebody takes over.
type Take struct {
	Rotation id.Rotation
	From     id.User   // whose duty; "" for whoever is on duty, when that is one person, or for a gap
	Layer    *int      // only in this layer; nil for all in which From is on duty
	Until    time.Time // zero: to the end of their shift, or open when it has none
	Note     string
}

// TakeOnCall puts the actor on duty in somebody's place, from now on. Of several
// who take the same duty at once one gets it, and the others are told who.
func (d *Dispatcher) TakeOnCall(ctx context.Context, by people.Actor, t Take) (oncall.Override, error) {
	if !by.May(people.Respond) || by.User == "" {
		return oncall.Override{}, forbidden()
	}
	return store.InTx(ctx, d.store, func(tx *store.Tx) (oncall.Override, error) {
		now := tx.Now.Truncate(time.Second)
		o := oncall.Override{
			ID: id.Override(id.New()), Rotation: t.Rotation, User: by.User, For: t.From, Layer: t.Layer, Start: now, Kind: oncall.Taken, By: by.User,
			Note: strings.TrimSpace(t.Note),
		}
		rotation, err := checkDuty(tx.Org, o)
		if err != nil {
			return o, err
		}
		from, err := takenFrom(tx.Org, rotation, t, by.User, tx.Now)
		if err != nil {
			return o, err
		}
		if len(from) > 0 {
			o.For = from[0].User
		}
		if o.End, err = takenUntil(tx.Org, t, from, tx.Now); err != nil {
			return o, err
		}
		return o, putOverride(tx, by, o, func(c timeline.Cover) timeline.Payload { return timeline.Taken(c) })
	})
}

// takenFrom returns the shifts that a take is about, all of one person; none for a gap.
func takenFrom(o *org.Org, r oncall.Rotation, t Take, by id.User, now time.Time) ([]oncall.Shift, error) {
	var on, from []oncall.Shift
	for _, s := range o.OnCall(r.ID, now) {
		if t.Layer == nil || s.Layer == *t.Layer {
			on = append(on, s)
		}
	}
	var names []string
	for _, s := range on {
		if s.User == by && (t.From == "" || t.From == s.Instead) {
			return nil, fault.Conflict(phrase.T("dispatch.on_call_already", r.Name)).With("by", o.UserName(by))
		}
		if t.From == "" || s.User == t.From {
			from = append(from, s)
		}
		if name := o.UserName(s.User); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	switch {
	case len(from) == 0 && t.From != "":
		return nil, notOnDuty(o, r, t.From, on, names)
	case t.From == "" && len(names) > 1:
		return nil, fault.Invalid("from", phrase.T("dispatch.take_from_whom", strings.Join(names, ", "), r.Name))
	case t.From == "" && len(from) == 1:
		if v, ok := o.Overrides[from[0].Override]; ok && v.Kind == oncall.Taken && now.Sub(v.Start) < justNow {
			return nil, taken(o, r, v.User, v.Start)
		}
	}
	return from, nil
}

// notOnDuty answers somebody who takes the duty of a person who does not have it.
func notOnDuty(o *org.Org, r oncall.Rotation, from id.User, on []oncall.Shift, names []string) error {
	for _, s := range on {
		if s.Instead == from {
			return taken(o, r, s.User, s.Start)
		}
	}
	if len(names) == 0 {
		return fault.Conflict(phrase.T("dispatch.not_on_call.nobody", o.UserName(from), r.Name))
	}
	return fault.Conflict(phrase.T("dispatch.not_on_call", o.UserName(from), r.Name, strings.Join(names, ", "))).With("by", strings.Join(names, ", "))
}

func taken(o *org.Org, r oncall.Rotation, by id.User, at time.Time) error {
	return fault.Conflict(phrase.T("dispatch.taken_already", o.UserName(by), r.Name)).
		With("by", o.UserName(by)).With("at", at.Format(time.RFC3339))
}

// takenUntil is when the duty ends; zero when it is open.
func takenUntil(o *org.Org, t Take, from []oncall.Shift, now time.Time) (time.Time, error) {
	if !t.Until.IsZero() {
		if t.Until.Sub(now) < time.Minute {
			return t.Until, fault.Invalid("until", phrase.T("dispatch.ends_too_soon"))
		}
		return t.Until.UTC().Truncate(time.Second), nil
	}
	var end time.Time
	for _, s := range from {
		if s.End.IsZero() {
			return time.Time{}, nil
		}
		if s.End.After(end) {
			end = s.End
		}
	}
	if len(from) == 0 { // a gap: until somebody's shift begins
		for _, next := range o.Upcoming(t.Rotation, now, gapAhead) {
			if t.Layer == nil || next.Layer == *t.Layer {
				return next.Start, nil
			}
		}
	}
	return end, nil
}

// HandBack ends an override that runs, now: the rota's own person is on duty again.
func (d *Dispatcher) HandBack(ctx context.Context, by people.Actor, o id.Override) error {
	return d.endOverride(ctx, by, o, true)
}

// endOverride ends what runs and removes what has not begun.
func (d *Dispatcher) endOverride(ctx context.Context, by people.Actor, n id.Override, back bool) error {
	return d.store.Do(ctx, func(tx *store.Tx) error {
		o, ok := tx.Org.Overrides[n]
		if !ok {
			if !by.May(people.Respond) {
				return forbidden()
			}
			return fault.NotFound(phrase.T("dispatch.no_such_override"))
		}
		told := coverOf(tx.Org, tx.Org.Schedule(o.Rotation), o)
		if !mayFor(by, o.User, o.For, o.By, told.User) {
			return forbidden()
		}
		now := tx.Now.Truncate(time.Second)
		if !o.End.IsZero() && !o.End.After(now) {
			return fault.Conflict(phrase.T("dispatch.override_over")).With("at", o.End.Format(time.RFC3339))
		}
		if back && o.Start.After(tx.Now) {
			return fault.Conflict(phrase.T("dispatch.override_not_begun")).With("at", o.Start.Format(time.RFC3339))
		}
		change := org.Remove(org.OverrideKind, string(n))
		if now.After(o.Start) {
			o.End = now
			change = org.Put(o)
		}
		if _, err := applyQuietly(tx, change); err != nil {
			return err
		}
		told.End = tx.Now
		if o.Start.After(tx.Now) {
			told.End = o.End
		}
		var payload timeline.Payload = timeline.OverrideGone(told)
		if back || o.Kind == oncall.Taken {
			payload = timeline.HandedBack(told)
		}
		tell(tx, by, tx.Org.Rotations[o.Rotation].Team, o.User, payload)
		return nil
	})
}

// mayFor reports whether somebody may act on what concerns the given people.
func mayFor(by people.Actor, whom ...id.User) bool {
	return by.May(people.Manage) || by.May(people.Respond) && by.User != "" && slices.Contains(whom, by.User)
}

// applyQuietly checks and saves changes that have an entry of their own, and
// returns the organisation after them.
func applyQuietly(tx *store.Tx, changes ...org.Change) (*org.Org, error) {
	next, done, err := tx.Org.Apply(changes...)
	if err != nil {
		return nil, fault.Invalid(fieldOf(err), err.Error())
	}
	tx.PutDefinition(done...)
	return next, nil
}

// fieldOf finds the field in a sentence such as "override: end: ...".
func fieldOf(err error) string {
	parts := strings.SplitN(err.Error(), ": ", 3)
	if len(parts) < 3 || strings.Contains(parts[1], " ") {
		return ""
	}
	return parts[1]
}

func tell(tx *store.Tx, by people.Actor, team id.Team, about id.User, p timeline.Payload) {
	tx.Append(timeline.Entry{Kind: p.Kind(), Actor: by.Who(), Team: team, Person: about, Payload: p})
}

// coverOf tells of an override that is part of a plan.
func coverOf(o *org.Org, plan oncall.Plan, v oncall.Override) timeline.Cover {
	c := timeline.Cover{
		Override: string(v.ID), Rotation: v.Rotation, RotationName: o.Rotations[v.Rotation].Name, User: v.For,
		By: v.User, ByName: o.UserName(v.User), Start: v.Start, End: v.End, Note: v.Note,
	}
	if c.User == "" && plan != nil {
		for _, s := range plan.Between(v.Start, v.Start.Add(time.Second)) {
			if s.Override == v.ID {
				c.User = s.Instead
			}
		}
	}
	if c.User != "" {
		c.Name = o.UserName(c.User)
	}
	return c
}
