package oncall

import "time"

// turn returns the number of the turn that contains the instant, which the layer
// covers: the last one that has begun.
func (l *line) turn(at int64) int64 {
	if len(l.count) > 0 {
		return max(0, floorDiv(l.count.begun(at, l.loc)-l.first, l.every))
	}
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
	if len(l.count) > 0 {
		return max(l.anchor, l.count.begin(l.first+turn*l.every, l.loc))
	}
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
