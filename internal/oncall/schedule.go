package oncall

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"time"
)

// forever is the number of a turn that never comes.
const forever = math.MaxInt64

// OnCall returns who is on duty at the instant, in the order of the layers: at
// most one shift per layer.
func (s *Schedule) OnCall(at time.Time) []Shift {
	var on []Shift
	for i := range s.layers {
		l := &s.layers[i]
		if !l.covers(at) {
			continue
		}
		on = append(on, l.shift(l.turn(at.Unix())))
	}
	return on
}

// Next returns the first n shifts that begin after the instant, over all layers
// in the order of time, then of the layers. There are fewer when the layers end
// or nothing is handed over any more.
func (s *Schedule) Next(at time.Time, n int) []Shift {
	if n <= 0 {
		return nil
	}
	var next []Shift
	for i := range s.layers {
		taken := 0
		for shift := range s.layers[i].from(at) {
			if !shift.Start.After(at) {
				continue
			}
			next = append(next, shift)
			if taken++; taken == n {
				break
			}
		}
	}
	sortShifts(next)
	return next[:min(n, len(next))]
}

// Between returns the shifts that overlap [from, to), whole, not cut to it, in
// the order of their beginning, then of the layers. It is as long as the rota
// makes it: callers bound the interval.
func (s *Schedule) Between(from, to time.Time) []Shift {
	if !from.Before(to) {
		return nil
	}
	var shifts []Shift
	for i := range s.layers {
		for shift := range s.layers[i].from(from) {
			if !shift.Start.Before(to) {
				break
			}
			shifts = append(shifts, shift)
		}
	}
	sortShifts(shifts)
	return shifts
}

func sortShifts(shifts []Shift) {
	slices.SortFunc(shifts, func(a, b Shift) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Layer, b.Layer))
	})
}

// from goes through the shifts of the layer, beginning with the one that
// contains the instant or else the first one after it.
func (l *line) from(at time.Time) iter.Seq[Shift] {
	return func(yield func(Shift) bool) {
		if len(l.members) == 0 || !at.Before(time.Unix(l.end, 0)) {
			return
		}
		var turn int64
		if l.covers(at) {
			turn = l.turn(at.Unix())
		}
		for turn != forever && l.boundary(turn) < l.end {
			shift := l.shift(turn)
			_, turn = l.run(turn)
			// A turn that lasts no time passes unnoticed.
			if shift.Start.Equal(shift.End) {
				continue
			}
			if !yield(shift) {
				return
			}
		}
	}
}

// covers says whether somebody is on duty in the layer at the instant.
func (l *line) covers(at time.Time) bool {
	// Compared as times, because Unix overflows for the remotest ones.
	return len(l.members) > 0 && !at.Before(time.Unix(l.anchor, 0)) && at.Before(time.Unix(l.end, 0))
}

// shift returns the whole shift of which the turn is a part.
func (l *line) shift(turn int64) Shift {
	first, next := l.run(turn)
	s := Shift{
		Layer:     l.index,
		LayerName: l.name,
		User:      l.members[turn%int64(len(l.members))],
		Start:     time.Unix(l.boundary(first), 0).UTC(),
	}
	end := int64(forever)
	if next != forever {
		end = l.boundary(next)
	}
	// The end of the calendar is nobody's end of duty.
	if l.end < horizon {
		end = min(end, l.end)
	}
	if end != forever {
		s.End = time.Unix(end, 0).UTC()
	}
	return s
}

// run returns the first turn of the shift to which the turn belongs, and the
// first turn after it.
func (l *line) run(turn int64) (first, next int64) {
	at := turn % int64(len(l.members))
	if l.until[at] == 0 {
		return 0, forever
	}
	return max(0, turn-l.since[at]), turn + l.until[at]
}

// turn returns the number of the turn that contains the instant, which the layer
// covers: the last one that has begun.
func (l *line) turn(at int64) int64 {
	// An estimate that takes the local clock for UTC is at most one turn off;
	// the loops make it exact.
	k := max(0, l.estimate(at))
	for k > 0 && l.boundary(k) > at {
		k--
	}
	for l.boundary(k+1) <= at {
		k++
	}
	return k
}

func (l *line) estimate(at int64) int64 {
	switch l.unit {
	case Hours:
		return (at - l.anchor) / (l.every * 60 * 60)
	case Months:
		year, month, _ := time.Unix(at, 0).UTC().Date()
		startYear, startMonth, _ := l.start.Date()
		return floorDiv(int64(year-startYear)*12+int64(month-startMonth), l.every)
	default:
		return floorDiv(at-l.start.Unix()-int64(l.handoff), l.days()*day)
	}
}

// boundary returns the instant at which the turn begins. It never decreases from
// one turn to the next, and each is computed from Start, so that nothing adds up.
func (l *line) boundary(turn int64) int64 {
	switch l.unit {
	case Hours:
		return l.anchor + turn*l.every*60*60
	case Months:
		return (l.month(turn*l.every) + l.handoff).instant(l.loc)
	default:
		return (wall(l.start.Unix()+turn*l.days()*day) + l.handoff).instant(l.loc)
	}
}

// days is the length of a turn counted in days or weeks.
func (l *line) days() int64 {
	if l.unit == Weeks {
		return 7 * l.every
	}
	return l.every
}

// month returns the date n months after Start: on the same day of the month, or
// on its last when it is too short.
func (l *line) month(n int64) wall {
	year, month, dayOfMonth := l.start.Date()
	month += time.Month(n)
	lastDay := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return wallOf(year, month, min(dayOfMonth, lastDay))
}
