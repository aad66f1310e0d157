package oncall

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"
)

const (
	// MaxRestrictions is the greatest number of restrictions of a layer.
	MaxRestrictions = 50

	weekLength = 7 * day
	monday     = wall(4 * day) // 5 January 1970, where the weeks are counted from
)

// Weekday is a day of the week, by its English name in lower case.
type Weekday string

// The weekdays.
const (
	Monday    Weekday = "monday"
	Tuesday   Weekday = "tuesday"
	Wednesday Weekday = "wednesday"
	Thursday  Weekday = "thursday"
	Friday    Weekday = "friday"
	Saturday  Weekday = "saturday"
	Sunday    Weekday = "sunday"
)

// Weekdays returns the days of the week, Monday first.
func Weekdays() []Weekday {
	return []Weekday{Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday}
}

// Restriction is a window of the week, which begins on each of the Days.
//
// Without Until it ends on the same day, or on the following one when To is not
// after From: {Days: Monday to Friday, 09:00, 17:00} are working hours, {22:00,
// 06:00} is every night, {Days: Saturday, 00:00, 00:00} is all of Saturday. With
// Until it ends on that weekday, at most a week later, and has one day to begin:
// {Days: Friday, 17:00, Until: Monday, 09:00} is a weekend.
type Restriction struct {
	Days  []Weekday `json:"days,omitempty" yaml:"days,omitempty"`   // on which it begins; empty for every day
	From  string    `json:"from" yaml:"from"`                       // local time, "17:00"
	Until Weekday   `json:"until,omitempty" yaml:"until,omitempty"` // the weekday of To
	To    string    `json:"to" yaml:"to"`                           // local time, exclusive
}

// span is a window in a week, on the local clock: seconds after Monday 00:00.
// It begins within the week and ends at most a week after.
type span struct{ begin, end wall }

// spans returns the windows of the restriction.
func (r Restriction) spans() ([]span, error) {
	from, err := timeOfDay(r.From)
	if err != nil {
		return nil, fmt.Errorf("from: %w", err)
	}
	to, err := timeOfDay(r.To)
	if err != nil {
		return nil, fmt.Errorf("to: %w", err)
	}
	days := r.Days
	if len(days) == 0 {
		days = Weekdays()
	}
	var found []span
	for i, d := range days {
		n, err := dayNumber(d)
		if err != nil {
			return nil, fmt.Errorf("days: %w", err)
		}
		if slices.Contains(days[:i], d) {
			return nil, fmt.Errorf("days: %s is there twice", d)
		}
		w := span{n*day + from, n*day + to}
		if r.Until != "" {
			last, err := dayNumber(r.Until)
			if err != nil {
				return nil, fmt.Errorf("until: %w", err)
			}
			if len(days) != 1 {
				return nil, errors.New("until: a window over several days begins on one weekday; give that in days")
			}
			w.end = last*day + to
			if w.end <= w.begin {
				w.end += weekLength
			}
		} else if w.end <= w.begin {
			w.end += day
		}
		found = append(found, w)
	}
	return found, nil
}

func dayNumber(d Weekday) (wall, error) {
	n := slices.Index(Weekdays(), d)
	if n < 0 {
		return 0, fmt.Errorf("%q is not a weekday such as monday", d)
	}
	return wall(n), nil
}

// restrict compiles the restrictions of the layer into c, which has its start.
func (l Layer) restrict(c *line) error {
	if len(l.Restrictions) > MaxRestrictions {
		return fmt.Errorf("restrictions: give at most %d", MaxRestrictions)
	}
	var all []span
	for i, r := range l.Restrictions {
		found, err := r.spans()
		if err != nil {
			return fmt.Errorf("restrictions: restriction %d: %w", i+1, err)
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(a, b span) int { return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end)) })
	c.duty = union(all)
	switch {
	case l.Count == CountCalendar:
		return nil
	case l.Count != CountShifts:
		return fmt.Errorf("count: %q is not known; use shifts, or leave it out to count on the calendar", l.Count)
	case l.Unit != Days:
		return errors.New("count: shifts are counted when the unit is days")
	case len(all) == 0:
		return errors.New("count: there are no shifts to count without restrictions")
	}
	for i, w := range all {
		next := all[(i+1)%len(all)].begin
		if i == len(all)-1 {
			next += weekLength
		}
		if next < w.end {
			return errors.New("count: the restrictions overlap, so their shifts cannot be counted")
		}
	}
	c.count = all
	c.first = c.count.ending(c.anchor, c.loc)
	return nil
}

// week is a sequence of windows that occurs every week, in order and without
// overlap. Its occurrences are numbered through: occurrence n*len is the first
// window of week n.
type week []span

// union joins sorted spans that touch or overlap, round the end of the week too.
// Nothing is left when there is no span, or when they fill the week.
func union(sorted []span) week {
	var joined week
	for _, w := range sorted {
		if n := len(joined); n > 0 && w.begin <= joined[n-1].end {
			joined[n-1].end = max(joined[n-1].end, w.end)
			continue
		}
		joined = append(joined, w)
	}
	for len(joined) > 1 {
		last := &joined[len(joined)-1]
		if last.end-weekLength < joined[0].begin {
			break
		}
		last.end = max(last.end, joined[0].end+weekLength)
		joined = joined[1:]
	}
	if len(joined) == 1 && joined[0].end-joined[0].begin >= weekLength {
		return nil
	}
	return joined
}

// occurrence returns the local times of an occurrence.
func (w week) occurrence(n int64) span {
	of := floorDiv(n, int64(len(w)))
	s := w[n-of*int64(len(w))]
	base := monday + wall(of*weekLength)
	return span{base + s.begin, base + s.end}
}

// begin and end return the instants of an occurrence. They never decrease from
// one to the next; both are the same when the clocks skip it.
func (w week) begin(n int64, loc *time.Location) int64 { return w.occurrence(n).begin.instant(loc) }
func (w week) end(n int64, loc *time.Location) int64   { return w.occurrence(n).end.instant(loc) }

// ending returns the first occurrence that ends after the instant.
func (w week) ending(at int64, loc *time.Location) int64 {
	// What ends at or before the reading of the clocks has ended. Where they were
	// set back, more may have.
	now := readingAt(at, loc)
	n := w.first(now, func(s span) bool { return s.end > now })
	for w.end(n, loc) <= at {
		n++
	}
	return n
}

// begun returns the last occurrence that has begun at the instant.
func (w week) begun(at int64, loc *time.Location) int64 {
	now := readingAt(at, loc)
	n := w.first(now, func(s span) bool { return s.begin > now }) - 1
	for w.begin(n+1, loc) <= at {
		n++
	}
	return n
}

// first finds the first occurrence near the reading that satisfies a condition
// which all later ones satisfy, too.
func (w week) first(near wall, satisfies func(span) bool) int64 {
	// A window is shorter than a week, so that two weeks before are far enough.
	from := (floorDiv(int64(near-monday), weekLength) - 2) * int64(len(w))
	return from + int64(sort.Search(4*len(w), func(i int) bool { return satisfies(w.occurrence(from + int64(i))) }))
}

// window returns the time around the instant, or else the first one after it, in
// which the layer is on duty by its restrictions. It lasts some time. Windows
// between which the clocks skip everything are one.
func (l *line) window(at int64) (begin, end int64) {
	if len(l.duty) == 0 {
		return ever, forever
	}
	n := l.duty.ending(at, l.loc)
	begin, end = l.duty.begin(n, l.loc), l.duty.end(n, l.loc)
	for begin == end {
		n++
		begin, end = l.duty.begin(n, l.loc), l.duty.end(n, l.loc)
	}
	for m := n - 1; l.duty.end(m, l.loc) == begin; m-- {
		begin = l.duty.begin(m, l.loc)
	}
	for m := n + 1; l.duty.begin(m, l.loc) == end; m++ {
		end = l.duty.end(m, l.loc)
	}
	return begin, end
}

// readingAt is what the clocks show at the instant.
func readingAt(at int64, loc *time.Location) wall {
	_, offset := time.Unix(at, 0).In(loc).Zone()
	return wall(at + int64(offset))
}
