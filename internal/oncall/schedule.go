package oncall

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

const (
	// forever is an instant, and the number of a turn, that never comes.
	forever = math.MaxInt64
	// ever is an instant before all others.
	ever = math.MinInt64
)

// OnCall returns who is on duty at the instant, in the order of the layers: at
// most one shift per layer.
func (s *Schedule) OnCall(at time.Time) []Shift {
	var on []Shift
	for i := range s.layers {
		for shift := range s.layers[i].from(at) {
			if shift.Contains(at) {
				on = append(on, shift)
			}
			break
		}
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

// piece is a shift in Unix seconds: [begin, end).
type piece struct {
	begin, end int64 // end may be forever
	user       id.User
	override   id.Override
	instead    id.User
}

// from goes through the shifts of the layer, beginning with the one that
// contains the instant or else the first one after it.
func (l *line) from(at time.Time) iter.Seq[Shift] {
	return func(yield func(Shift) bool) {
		for p := range l.pieces(seconds(at)) {
			if !yield(shiftOf(l.index, l.name, p)) {
				return
			}
		}
	}
}

// seconds is the instant in Unix seconds, rounded down to a whole one. Instants
// outside the calendar are moved a year beyond its edges.
func seconds(at time.Time) int64 {
	return min(max(at.Unix(), int64(wallOf(firstYear-1, time.January, 1))), horizon+366*day)
}

func shiftOf(layer int, name string, p piece) Shift {
	s := Shift{Layer: layer, LayerName: name, User: p.user, Start: time.Unix(p.begin, 0).UTC(), Override: p.override, Instead: p.instead}
	if p.end != forever {
		s.End = time.Unix(p.end, 0).UTC()
	}
	return s
}

// pieces is from in Unix seconds. Each piece lasts some time, and two that touch
// have different people.
func (l *line) pieces(at int64) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		if len(l.members) == 0 {
			return
		}
		var user id.User
		next, begin, end := int64(forever), int64(ever), int64(ever)
		for at != forever {
			opens, closes := l.window(max(at, l.anchor))
			now := max(at, l.anchor, opens)
			if now >= l.end {
				return
			}
			if end <= now {
				// Right after a shift the turn is known, and where it begins.
				if end == now {
					begin = now
				} else {
					turn := l.turn(now)
					first, _ := l.run(turn)
					next, begin = turn, l.boundary(first)
				}
				// A turn that lasts no time passes unnoticed.
				for end <= now {
					user = l.member(next)
					_, next = l.run(next)
					end = l.handover(next)
				}
			}
			p := piece{begin: max(begin, opens), end: min(end, closes), user: user}
			// The end of the calendar is nobody's end of duty.
			if l.end < horizon {
				p.end = min(p.end, l.end)
			}
			if !yield(p) {
				return
			}
			at = p.end
		}
	}
}

// member returns whose turn it is.
func (l *line) member(turn int64) id.User { return l.members[turn%int64(len(l.members))] }

// handover is boundary, which for the turn that never comes is never.
func (l *line) handover(turn int64) int64 {
	if turn == forever {
		return forever
	}
	return l.boundary(turn)
}

// run returns the first of the turns that the person of the given one has
// without another person's between, and the first turn after them.
func (l *line) run(turn int64) (first, next int64) {
	first, next = l.listed(turn)
	// Where the clocks skip the whole turn of another person, nothing is handed
	// over.
	for next != forever && l.member(next+1) == l.member(turn) && l.skipped(next) {
		_, next = l.listed(next + 1)
	}
	for first > 1 && l.member(first-2) == l.member(turn) && l.skipped(first-1) {
		first, _ = l.listed(first - 2)
	}
	return first, next
}

// listed is run by the list of members alone.
func (l *line) listed(turn int64) (first, next int64) {
	at := turn % int64(len(l.members))
	if l.until[at] == 0 {
		return 0, forever
	}
	return max(0, turn-l.since[at]), turn + l.until[at]
}

// skipped says whether the turn lasts no time. Only a single calendar day ever
// did not.
func (l *line) skipped(turn int64) bool {
	return l.unit == Days && (l.every == 1 || len(l.count) > 0) && l.boundary(turn) == l.boundary(turn+1)
}
