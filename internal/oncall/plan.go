package oncall

import (
	"cmp"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// Plan tells who is on duty: a Schedule by the rota alone, a FinalSchedule with
// the overrides.
type Plan interface {
	OnCall(at time.Time) []Shift
	Next(at time.Time, n int) []Shift
	Between(from, to time.Time) []Shift
}

// Interval is the half-open time [From, To), in UTC.
type Interval struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Length is how much time passes in it.
func (i Interval) Length() time.Duration { return i.To.Sub(i.From) }

// Gaps returns the times within [from, to) in which nobody is on duty in any
// layer, cut to it, in order.
func Gaps(p Plan, from, to time.Time) []Interval {
	var gaps []Interval
	free := from.UTC()
	for _, s := range p.Between(from, to) { // in the order of their beginning
		if s.Start.After(free) {
			gaps = append(gaps, Interval{free, s.Start})
		}
		if s.End.IsZero() {
			return gaps
		}
		free = later(free, s.End)
	}
	if free.Before(to) {
		gaps = append(gaps, Interval{free, to.UTC()})
	}
	return gaps
}

// Double is a time in which one person is on duty in several layers, so that
// there are fewer people than it looks like.
type Double struct {
	Interval
	User   id.User `json:"user"`
	Layers []int   `json:"layers"` // ascending, at least two
}

// Doubled returns the times within [from, to) in which a person holds several
// layers at once, cut to it, in the order of time, then of the first layer.
func Doubled(p Plan, from, to time.Time) []Double {
	var found []Double
	open := map[id.User]int{} // index in found of the last one of a person
	sweep(p, from, to, func(at Interval, on []Shift) {
		for i, s := range on {
			layers := []int{s.Layer}
			for _, other := range on[i+1:] {
				if other.User == s.User {
					layers = append(layers, other.Layer)
				}
			}
			if len(layers) < 2 || slices.ContainsFunc(on[:i], func(o Shift) bool { return o.User == s.User }) {
				continue
			}
			if n, ok := open[s.User]; ok && found[n].To.Equal(at.From) && slices.Equal(found[n].Layers, layers) {
				found[n].To = at.To
				continue
			}
			open[s.User] = len(found)
			found = append(found, Double{at, s.User, layers})
		}
	})
	return found
}

// HandOver is an instant at which a layer goes from one person to another, to
// nobody, or from nobody to somebody.
type HandOver struct {
	At        time.Time `json:"at"`
	Layer     int       `json:"layer"` // NoLayer for an override that fills a gap of the rota
	LayerName string    `json:"layer_name"`
	From      id.User   `json:"from,omitempty"` // empty for nobody
	To        id.User   `json:"to,omitempty"`   // empty for nobody

	// The overrides by which the two are on duty; empty when the rota says so.
	FromOverride id.Override `json:"from_override,omitempty"`
	ToOverride   id.Override `json:"to_override,omitempty"`

	// Everybody on duty in the rotation right before and from then on, each once,
	// in the order of the layers. Who is in both only changes layers.
	Before []id.User `json:"before"`
	After  []id.User `json:"after"`
}

// HandOvers returns the changes of duty in [from, to), in the order of time, then
// of the layers. Where a person goes on in the same layer, nothing is handed over,
// whatever the override.
func HandOvers(p Plan, from, to time.Time) []HandOver {
	if !from.Before(to) {
		return nil
	}
	var found []HandOver
	var before []Shift
	first := true
	// What was right before the beginning tells whether it is a hand-over.
	sweep(p, from.Add(-1), to, func(at Interval, on []Shift) {
		if !first {
			found = append(found, handedOver(at.From, before, on)...)
		}
		before, first = on, false
	})
	return found
}

// handedOver compares who is on duty, by layers, before and from an instant.
func handedOver(at time.Time, before, after []Shift) []HandOver {
	var found []HandOver
	add := func(was, is Shift) {
		if was.User == is.User {
			return
		}
		h := HandOver{
			At: at, Layer: was.Layer, LayerName: was.LayerName, From: was.User, To: is.User,
			FromOverride: was.Override, ToOverride: is.Override, Before: people(before), After: people(after),
		}
		if was.User == "" {
			h.Layer, h.LayerName = is.Layer, is.LayerName
		}
		found = append(found, h)
	}
	inLayer := func(all []Shift, layer int) Shift {
		i := slices.IndexFunc(all, func(s Shift) bool { return s.Layer == layer })
		if i < 0 {
			return Shift{}
		}
		return all[i]
	}
	for _, was := range before {
		add(was, inLayer(after, was.Layer))
	}
	for _, is := range after {
		if was := inLayer(before, is.Layer); was.User == "" {
			add(was, is)
		}
	}
	slices.SortStableFunc(found, func(a, b HandOver) int { return cmp.Compare(a.Layer, b.Layer) })
	return found
}

// people lists who has the shifts, each once.
func people(shifts []Shift) []id.User {
	all := make([]id.User, 0, len(shifts))
	for _, s := range shifts {
		if !slices.Contains(all, s.User) {
			all = append(all, s.User)
		}
	}
	return all
}

// sweep divides [from, to) into the times in which the shifts on duty stay the
// same, and tells for each who they are, in the order of the layers. The slice is
// the visitor's to keep.
func sweep(p Plan, from, to time.Time, visit func(at Interval, on []Shift)) {
	if !from.Before(to) {
		return
	}
	from, to = from.UTC(), to.UTC()
	shifts := p.Between(from, to)
	var on []Shift
	for at := from; at.Before(to); {
		on = slices.DeleteFunc(slices.Clone(on), func(s Shift) bool { return !s.End.IsZero() && !s.End.After(at) })
		for len(shifts) > 0 && !shifts[0].Start.After(at) {
			on = append(on, shifts[0])
			shifts = shifts[1:]
		}
		slices.SortFunc(on, func(a, b Shift) int { return cmp.Compare(a.Layer, b.Layer) })
		next := to
		if len(shifts) > 0 {
			next = earlier(next, shifts[0].Start)
		}
		for _, s := range on {
			if !s.End.IsZero() {
				next = earlier(next, s.End)
			}
		}
		visit(Interval{at, next}, on)
		at = next
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
