package oncall

import (
	"iter"
	"slices"
	"time"
)

// NoLayer is the layer of a shift by which an override fills a time in which the
// rota has nobody on duty in any layer.
const NoLayer = -1

// fillsAhead is how far FinalSchedule.Next looks, in seconds, for gaps that an
// override fills: one that lasts for years may meet none.
const fillsAhead = 366 * day

// FinalSchedule is a rota with overrides laid over it: what really holds. Like
// the Schedule below it never changes. The rules:
//
//   - Overrides act one after another, in the order in which they were made, each
//     on what those before have left. So where two overlap, the later counts.
//   - An override for a person takes the duty that is this person's by the rota,
//     also when somebody has it already by an earlier override, and the duty that
//     this person has by an earlier override.
//   - An override for everybody in all layers takes whatever duty there is, in
//     each layer that is on duty. Where nobody is in any layer, it fills the gap
//     with one shift, in NoLayer.
//   - An override for everybody in one layer has that layer all the time, gaps
//     included.
//   - Who has a duty by the rota after all has it as the rota's own: an override
//     gives nobody what they have anyway.
//   - A shift ends where the rota's would, where an override begins or ends, or
//     where another person takes over; shifts of one person that touch and have
//     the same Override and Instead are one.
type FinalSchedule struct {
	rota   *Schedule
	layers [][]cover // per layer of the rota
	all    []cover   // those for all layers
}

// Final lays overrides over a schedule. They are in the order in which they were
// made. Those of other rotations, for layers that do not exist, without a user or
// that last no whole second are left out.
func Final(s *Schedule, overrides []Override) *FinalSchedule {
	f := &FinalSchedule{rota: s, all: covers(s, NoLayer, overrides)}
	f.all = slices.DeleteFunc(f.all, func(c cover) bool { return !c.anyLayer })
	for i := range s.layers {
		f.layers = append(f.layers, covers(s, i, overrides))
	}
	return f
}

// Rota returns the schedule below the overrides.
func (f *FinalSchedule) Rota() *Schedule { return f.rota }

// OnCall returns who is on duty at the instant, in the order of the layers: at
// most one shift per layer, or one in NoLayer.
func (f *FinalSchedule) OnCall(at time.Time) []Shift {
	var on []Shift
	for i := range f.rota.layers {
		for shift := range f.from(i, at) {
			if shift.Contains(at) {
				on = append(on, shift)
			}
			break
		}
	}
	if len(on) > 0 || len(f.all) == 0 {
		return on
	}
	now := seconds(at)
	for _, shift := range f.fills(now, now+1) {
		if shift.Contains(at) {
			on = append(on, shift)
		}
	}
	return on
}

// Next returns the first n shifts that begin after the instant, in the order of
// time, then of the layers. Gaps that an override fills are looked for a year
// ahead, from the instant or from the beginning of the override.
func (f *FinalSchedule) Next(at time.Time, n int) []Shift {
	if n <= 0 {
		return nil
	}
	var next []Shift
	for i := range f.rota.layers {
		taken := 0
		for shift := range f.from(i, at) {
			if !shift.Start.After(at) {
				continue
			}
			next = append(next, shift)
			if taken++; taken == n {
				break
			}
		}
	}
	now := seconds(at)
	until := now
	for _, c := range f.all {
		until = max(until, min(c.end, max(now, c.begin)+fillsAhead))
	}
	for _, shift := range f.fills(now, until) {
		if shift.Start.After(at) {
			next = append(next, shift)
		}
	}
	sortShifts(next)
	return next[:min(n, len(next))]
}

// Between returns the shifts that overlap [from, to), whole, not cut to it, in
// the order of their beginning, then of the layers.
func (f *FinalSchedule) Between(from, to time.Time) []Shift {
	if !from.Before(to) {
		return nil
	}
	var shifts []Shift
	for i := range f.rota.layers {
		for shift := range f.from(i, from) {
			if !shift.Start.Before(to) {
				break
			}
			shifts = append(shifts, shift)
		}
	}
	for _, shift := range f.fills(seconds(from), seconds(to)+1) {
		if shift.Start.Before(to) {
			shifts = append(shifts, shift)
		}
	}
	sortShifts(shifts)
	return shifts
}

// from goes through the final shifts of a layer, beginning with the one that
// contains the instant or else the first one after it.
func (f *FinalSchedule) from(layer int, at time.Time) iter.Seq[Shift] {
	l := &f.rota.layers[layer]
	over := f.layers[layer]
	if len(over) == 0 {
		return l.from(at)
	}
	return func(yield func(Shift) bool) {
		now := seconds(at)
		for base := range l.stretches(now) {
			for _, p := range lay(base, over, false) {
				if p.user != "" && p.end > now && !yield(shiftOf(l.index, l.name, p)) {
					return
				}
			}
		}
	}
}

// fills returns the shifts in NoLayer that overlap [from, to), whole.
func (f *FinalSchedule) fills(from, to int64) []Shift {
	if !slices.ContainsFunc(f.all, func(c cover) bool { return c.of == "" && c.begin < to && c.end > from }) {
		return nil
	}
	free := []interval{{ever, forever}}
	for i := range f.rota.layers {
		var gaps []interval
		for gap := range f.rota.layers[i].gaps(from) {
			if gap.begin >= to {
				break
			}
			gaps = append(gaps, gap)
		}
		free = common(free, without(gaps, f.layers[i]))
	}
	var shifts []Shift
	for _, gap := range free {
		for _, p := range lay(piece{begin: gap.begin, end: gap.end}, f.all, true) {
			if p.user != "" && p.begin < to && p.end > from {
				shifts = append(shifts, shiftOf(NoLayer, "", p))
			}
		}
	}
	return shifts
}

// stretches is pieces with the gaps between them, whose user is empty. They
// follow one another from ever to forever.
func (l *line) stretches(at int64) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		before := int64(ever)
		for p := range l.pieces(at) {
			if at < p.begin && before == ever {
				before = l.lastEnd(at)
			}
			if before < p.begin && p.begin > at && !yield(piece{begin: before, end: p.begin}) {
				return
			}
			if !yield(p) || p.end == forever {
				return
			}
			before = p.end
		}
		if before == ever {
			before = l.lastEnd(at)
		}
		yield(piece{begin: before, end: forever})
	}
}

// gaps goes through the times in which nobody is on duty in the layer, whole,
// beginning with the one that contains the instant or else the first one after.
// It looks at no turn, for no turn makes a gap.
func (l *line) gaps(at int64) iter.Seq[interval] {
	return func(yield func(interval) bool) {
		if len(l.members) == 0 {
			yield(interval{ever, forever})
			return
		}
		before := l.lastEnd(at)
		for at < l.end {
			opens, closes := l.window(max(at, l.anchor))
			opens, closes = max(opens, l.anchor), min(closes, l.end)
			if opens >= l.end {
				break
			}
			if opens > at && !yield(interval{before, opens}) {
				return
			}
			before, at = closes, closes
		}
		if l.end < horizon {
			yield(interval{before, forever})
		}
	}
}

// lastEnd returns the end of the last time at which somebody was on duty in the
// layer before the instant, at which nobody is; ever if nobody was.
func (l *line) lastEnd(at int64) int64 {
	before := min(at, l.end)
	if before <= l.anchor || len(l.members) == 0 {
		return ever
	}
	if len(l.duty) == 0 {
		return before
	}
	n := l.duty.begun(before-1, l.loc)
	for l.duty.begin(n, l.loc) == l.duty.end(n, l.loc) {
		n--
	}
	if end := l.duty.end(n, l.loc); end > l.anchor {
		return min(end, before)
	}
	return ever
}
