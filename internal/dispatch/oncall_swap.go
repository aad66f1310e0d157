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

// AskSwap asks a colleague to take over a duty, perhaps for another in return.
// Nothing changes until they accept. Id, state and time are set here.
func (d *Dispatcher) AskSwap(ctx context.Context, by people.Actor, s oncall.Swap) (oncall.Swap, error) {
	if !mayFor(by, s.From) {
		return s, forbidden()
	}
	return store.InTx(ctx, d.store, func(tx *store.Tx) (oncall.Swap, error) {
		s := s
		s.ID, s.State, s.At, s.Made, s.Note = id.Swap(id.New()), oncall.SwapAsked, tx.Now, nil, strings.TrimSpace(s.Note)
		if s.From == s.To || s.To == "" {
			return s, fault.Invalid("to", phrase.T("dispatch.swap_with_whom"))
		}
		if s.End.IsZero() || s.Return != nil && s.Return.End.IsZero() {
			return s, fault.Invalid("end", phrase.T("dispatch.swap_no_end"))
		}
		var err error
		if s.Start, s.End, err = period(s.Start, s.End, tx.Now); err != nil {
			return s, err
		}
		if s.Return != nil {
			r := *s.Return
			if r.Start, r.End, err = period(r.Start, r.End, tx.Now); err != nil {
				return s, err
			}
			s.Return = &r
		}
		if err := checkSwap(tx.Org, s); err != nil {
			return s, err
		}
		if _, err := applyQuietly(tx, org.Put(s)); err != nil {
			return s, err
		}
		tell(tx, by, tx.Org.Rotations[s.Rotation].Team, s.From, timeline.Swap{
			Swap: string(s.ID), Rotation: s.Rotation, RotationName: tx.Org.Rotations[s.Rotation].Name, From: s.From, FromName: tx.Org.UserName(s.From),
			To: s.To, ToName: tx.Org.UserName(s.To), Start: s.Start, End: s.End, Note: s.Note,
		})
		return s, nil
	})
}

// checkSwap says whether both people have the duties that they would swap.
func checkSwap(o *org.Org, s oncall.Swap) error {
	for _, v := range s.Overrides() {
		r, err := checkDuty(o, v)
		if err != nil {
			return err
		}
		onDuty := func(shift oncall.Shift) bool { return shift.User == v.For }
		if !slices.ContainsFunc(o.Schedule(r.ID).Between(v.Start, v.End), onDuty) {
			return fault.Conflict(phrase.T("dispatch.swap_of_nothing", o.UserName(v.For), r.Name))
		}
	}
	return nil
}

// AnswerSwap accepts or declines a swap, as the person who was asked. Accepted
// it becomes overrides; a time that has begun meanwhile counts from now.
func (d *Dispatcher) AnswerSwap(ctx context.Context, by people.Actor, n id.Swap, accept bool) (oncall.Swap, error) {
	return store.InTx(ctx, d.store, func(tx *store.Tx) (oncall.Swap, error) {
		s, err := askedSwap(tx, by, n, func(s oncall.Swap) id.User { return s.To })
		if err != nil {
			return s, err
		}
		var made []oncall.Override
		changes := make([]org.Change, 0, 3)
		s.State = oncall.SwapDeclined
		if accept {
			s.State = oncall.SwapAccepted
			if made, err = acceptedSwap(tx, s); err != nil {
				return s, err
			}
		}
		for _, v := range made {
			s.Made = append(s.Made, v.ID)
			changes = append(changes, org.Put(v))
		}
		next, err := applyQuietly(tx, append(changes, org.Put(s))...)
		if err != nil {
			return s, err
		}
		r := tx.Org.Rotations[s.Rotation]
		tell(tx, by, r.Team, s.To, timeline.SwapAnswer{
			Swap: string(s.ID), Rotation: s.Rotation, RotationName: r.Name, From: s.From, FromName: tx.Org.UserName(s.From),
			To: s.To, ToName: tx.Org.UserName(s.To), Start: s.Start, End: s.End, Accepted: accept, Note: s.Note,
		})
		for _, v := range made {
			tell(tx, by, r.Team, v.User, timeline.Overridden(coverOf(next, next.Schedule(v.Rotation), v)))
		}
		return s, nil
	})
}

// acceptedSwap makes the overrides that a swap becomes.
func acceptedSwap(tx *store.Tx, s oncall.Swap) ([]oncall.Override, error) {
	if err := checkSwap(tx.Org, s); err != nil {
		return nil, err
	}
	now := tx.Now.Truncate(time.Second)
	all := s.Overrides()
	for i, v := range all {
		if !v.End.After(now) {
			return nil, fault.Conflict(phrase.T("dispatch.swap_over"))
		}
		if v.Start.Before(now) {
			all[i].Start = now
		}
		all[i].ID = id.Override(id.New())
	}
	return all, nil
}

// WithdrawSwap takes a request back, as the person who made it.
func (d *Dispatcher) WithdrawSwap(ctx context.Context, by people.Actor, n id.Swap) error {
	return d.store.Do(ctx, func(tx *store.Tx) error {
		s, err := askedSwap(tx, by, n, func(s oncall.Swap) id.User { return s.From })
		if err != nil {
			return err
		}
		s.State = oncall.SwapWithdrawn
		_, err = ApplyChanges(tx, by, []org.Change{org.Put(s)})
		return err
	})
}

// askedSwap loads a swap that nobody has answered, for the one whose turn it is.
func askedSwap(tx *store.Tx, by people.Actor, n id.Swap, whose func(oncall.Swap) id.User) (oncall.Swap, error) {
	s, ok := tx.Org.Swaps[n]
	switch {
	case !ok && by.May(people.Respond):
		return s, fault.NotFound(phrase.T("dispatch.no_such_swap"))
	case !ok || !mayFor(by, whose(s)):
		return s, forbidden()
	case s.State != oncall.SwapAsked:
		return s, fault.Conflict(phrase.T("dispatch.swap_is."+string(s.State))).With("state", string(s.State))
	}
	return s, nil
}
