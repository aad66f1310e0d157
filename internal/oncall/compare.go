package oncall

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// Change is a time in which an edit gives a layer to another person.
type Change struct {
	Interval
	Layer     int     `json:"layer"` // as it is after the edit; of a layer taken away, as it was
	LayerName string  `json:"layer_name"`
	Was       id.User `json:"was,omitempty"`     // empty for nobody
	Becomes   id.User `json:"becomes,omitempty"` // empty for nobody
}

// Total is how much of a time somebody is on duty, before and after an edit. To
// be on duty in several layers at once counts once, so that After is Before and
// Gains less Loses.
type Total struct {
	User   id.User       `json:"user"`
	Before time.Duration `json:"before"`
	After  time.Duration `json:"after"`
	Gains  time.Duration `json:"gains"` // on duty after, but not before
	Loses  time.Duration `json:"loses"` // on duty before, but not after
}

// Comparison is what an edit changes.
type Comparison struct {
	Changes []Change `json:"changes"` // in the order of time, then of the layers
	Totals  []Total  `json:"totals"`  // of everybody on duty before or after, by id
}

// Compare says what an edit that turns one plan into another changes in
// [from, to): which times of which layers go from whom to whom, and what that
// means for each person. A layer is the same when it has the same name; a layer
// whose name is in only one of the plans is the one in the same place of the
// other, if that has no namesake either.
func Compare(before, after Plan, from, to time.Time) Comparison {
	compared := Comparison{Changes: []Change{}, Totals: []Total{}}
	if !from.Before(to) {
		return compared
	}
	moved := matched(before.Between(from, to), after.Between(from, to))
	totals := map[id.User]*Total{}
	total := func(u id.User) *Total {
		if totals[u] == nil {
			totals[u] = &Total{User: u}
		}
		return totals[u]
	}
	open := map[lane]int{} // index in Changes of the last one of a layer
	sweepBoth(before, after, from, to, func(at Interval, was, is []Shift) {
		were, are := people(was), people(is)
		for _, u := range were {
			total(u).Before += at.Length()
			if !slices.Contains(are, u) {
				total(u).Loses += at.Length()
			}
		}
		for _, u := range are {
			total(u).After += at.Length()
			if !slices.Contains(were, u) {
				total(u).Gains += at.Length()
			}
		}
		owners := map[lane][2]id.User{}
		for _, s := range was {
			on := laneOf(s)
			if to, ok := moved[on]; ok {
				on = to
			}
			owners[on] = [2]id.User{s.User, ""}
		}
		for _, s := range is {
			owners[laneOf(s)] = [2]id.User{owners[laneOf(s)][0], s.User}
		}
		for _, on := range slices.SortedFunc(maps.Keys(owners), lane.compare) {
			c := Change{at, on.layer, on.name, owners[on][0], owners[on][1]}
			if c.Was == c.Becomes {
				continue
			}
			if n, ok := open[on]; ok {
				if last := &compared.Changes[n]; last.To.Equal(c.From) && last.Was == c.Was && last.Becomes == c.Becomes {
					last.To = c.To
					continue
				}
			}
			open[on] = len(compared.Changes)
			compared.Changes = append(compared.Changes, c)
		}
	})
	for _, u := range slices.Sorted(maps.Keys(totals)) {
		compared.Totals = append(compared.Totals, *totals[u])
	}
	return compared
}

// lane is a layer as its shifts know it.
type lane struct {
	layer int
	name  string
}

func laneOf(s Shift) lane { return lane{s.Layer, s.LayerName} }

func (a lane) compare(b lane) int {
	return cmp.Or(cmp.Compare(a.layer, b.layer), cmp.Compare(a.name, b.name))
}

// matched tells for the layers before which ones they are after.
func matched(before, after []Shift) map[lane]lane {
	lanes := func(shifts []Shift) []lane {
		found := map[lane]bool{}
		for _, s := range shifts {
			found[laneOf(s)] = true
		}
		return slices.SortedFunc(maps.Keys(found), lane.compare)
	}
	were, are := lanes(before), lanes(after)
	named := func(all []lane, l lane) int {
		return slices.IndexFunc(all, func(o lane) bool { return o.name == l.name && (o.layer == NoLayer) == (l.layer == NoLayer) })
	}
	moved := map[lane]lane{}
	for _, l := range were {
		if i := named(are, l); i >= 0 {
			moved[l] = are[i]
			continue
		}
		i := slices.IndexFunc(are, func(o lane) bool { return o.layer == l.layer })
		if i >= 0 && named(were, are[i]) < 0 {
			moved[l] = are[i]
		}
	}
	return moved
}

// sweepBoth is sweep for two plans at once.
func sweepBoth(before, after Plan, from, to time.Time, visit func(at Interval, was, is []Shift)) {
	type step struct {
		at Interval
		on []Shift
	}
	var was, is []step
	sweep(before, from, to, func(at Interval, on []Shift) { was = append(was, step{at, on}) })
	sweep(after, from, to, func(at Interval, on []Shift) { is = append(is, step{at, on}) })
	for at := from.UTC(); at.Before(to); {
		next := earlier(was[0].at.To, is[0].at.To)
		visit(Interval{at, next}, was[0].on, is[0].on)
		at = next
		if was[0].at.To.Equal(next) {
			was = was[1:]
		}
		if is[0].at.To.Equal(next) {
			is = is[1:]
		}
	}
}
