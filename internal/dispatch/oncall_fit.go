package dispatch

import (
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/timeline"
)

// fit is what has to follow a change of the organisation so that everything that
// hangs on people and rotations stays right: overrides of a layer move with it,
// and what hangs on something that is gone goes, too. Told are the overrides that go
// before their time.
func fit(was, is *org.Org, now time.Time) (changes []org.Change, told []timeline.OverrideGone) {
	person := func(u id.User) bool { _, ok := is.Users[u]; return ok }
	rotation := func(r id.Rotation) bool { _, ok := is.Rotations[r]; return ok }
	for _, v := range org.Sorted(is.Overrides, func(v oncall.Override) string { return string(v.ID) }) {
		layer, ok := movedLayer(was, is, v)
		switch {
		case !ok || !rotation(v.Rotation) || !person(v.User) || v.For != "" && !person(v.For):
			changes = append(changes, org.Remove(org.OverrideKind, string(v.ID)))
			if old, known := was.Overrides[v.ID]; known && (v.End.IsZero() || v.End.After(now)) {
				told = append(told, timeline.OverrideGone(coverOf(was, was.Schedule(old.Rotation), old)))
			}
		case v.Layer != nil && *v.Layer != layer:
			v.Layer = &layer
			changes = append(changes, org.Put(v))
		}
	}
	for _, a := range org.Sorted(is.Absences, func(a oncall.Absence) string { return string(a.ID) }) {
		if !person(a.User) {
			changes = append(changes, org.Remove(org.AbsenceKind, string(a.ID)))
		}
	}
	for _, s := range org.Sorted(is.Swaps, func(s oncall.Swap) string { return string(s.ID) }) {
		if !rotation(s.Rotation) || s.State == oncall.SwapAsked && (!person(s.From) || !person(s.To)) {
			changes = append(changes, org.Remove(org.SwapKind, string(s.ID)))
		}
	}
	for _, f := range org.Sorted(is.Feeds, func(f org.Feed) string { return string(f.ID) }) {
		if f.User != "" && !person(f.User) || f.Rotation != "" && !rotation(f.Rotation) || !person(f.Owner) {
			changes = append(changes, org.Remove(org.FeedKind, string(f.ID)))
		}
	}
	return changes, told
}

// movedLayer returns the layer that an override is for after a change; false
// when that layer is gone. Layers are known by their names; one with a new name
// in the place of one whose name is gone is the same.
func movedLayer(was, is *org.Org, v oncall.Override) (int, bool) {
	if v.Layer == nil {
		return 0, true
	}
	after := is.Rotations[v.Rotation].Layers
	old, known := was.Overrides[v.ID]
	if !known || old.Layer == nil || *old.Layer != *v.Layer { // it says itself which layer it means
		return *v.Layer, *v.Layer < len(after)
	}
	before := was.Rotations[v.Rotation].Layers
	if *v.Layer >= len(before) {
		return 0, false
	}
	named := func(layers []oncall.Layer, name string) int {
		return slices.IndexFunc(layers, func(l oncall.Layer) bool { return l.Name == name })
	}
	if i := named(after, before[*v.Layer].Name); i >= 0 {
		return i, true
	}
	if i := *v.Layer; i < len(after) && named(before, after[i].Name) < 0 {
		return i, true
	}
	return 0, false
}
