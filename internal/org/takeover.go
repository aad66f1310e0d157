package org

import (
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
)

// shiftsAhead is how many shifts are looked at for somebody else to take over.
const shiftsAhead = 20

// TakeOver returns when other people than those on duty now take over in a
// rotation, and who of them begins then: a shift that is followed by the same
// person's is no end. Where nobody is on duty it is when somebody will be; zero
// when nobody else comes in sight.
func (o *Org) TakeOver(r id.Rotation, now time.Time) (at time.Time, next []id.User) {
	return takeOver(o.OnCall(r, now), o.Upcoming(r, now, shiftsAhead), func(at time.Time) []oncall.Shift { return o.OnCall(r, at) })
}

func takeOver(shifts, upcoming []oncall.Shift, on func(time.Time) []oncall.Shift) (at time.Time, next []id.User) {
	now := usersOf(shifts)
	var changes []time.Time
	for _, shift := range slices.Concat(shifts, upcoming) {
		changes = append(changes, shift.Start, shift.End)
	}
	begun := time.Time{}
	for _, shift := range shifts {
		if shift.Start.After(begun) {
			begun = shift.Start
		}
	}
	slices.SortFunc(changes, time.Time.Compare)
	for _, at := range slices.CompactFunc(changes, time.Time.Equal) {
		if !at.After(begun) { // no end, or before those of now began
			continue
		}
		then := usersOf(on(at))
		left := slices.ContainsFunc(now, func(u id.User) bool { return !slices.Contains(then, u) })
		then = slices.DeleteFunc(then, func(u id.User) bool { return slices.Contains(now, u) })
		if left || len(then) > 0 {
			return at, then
		}
	}
	return time.Time{}, nil
}

func usersOf(shifts []oncall.Shift) []id.User {
	var all []id.User
	for _, s := range shifts {
		all = append(all, s.User)
	}
	return all
}
