package oncall

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// Kind says how an override came about. It changes nothing about who is on duty.
type Kind string

// The kinds of overrides.
const (
	Planned Kind = "planned" // arranged ahead
	Taken   Kind = "take"    // taken at once, until the end or until it is handed back
)

const maxNote = 1000

// Override puts somebody on duty in place of the rota's own person, or where the
// rota has nobody, in the half-open interval [Start, End). It lies over the rota
// and changes nothing in it. Instants count in whole seconds, rounded down.
type Override struct {
	ID       id.Override `json:"id"`
	Rotation id.Rotation `json:"rotation"`
	User     id.User     `json:"user"`            // who is on duty
	For      id.User     `json:"for,omitempty"`   // only this person's duty is taken; empty for everybody's, and for gaps
	Layer    *int        `json:"layer,omitempty"` // index in Rotation.Layers; nil for all
	Start    time.Time   `json:"start"`
	End      time.Time   `json:"end,omitzero"` // zero until it is handed back
	Kind     Kind        `json:"kind"`
	By       id.User     `json:"by,omitempty"` // who made it
	Note     string      `json:"note,omitempty"`
}

// Validate says in a sentence, which names the field, what is wrong with the
// override, if anything is. Whether people, rotation and layer exist is for the
// caller to check.
func (o Override) Validate() error {
	switch {
	case o.User == "":
		return errors.New("override: user: say who is on duty")
	case o.User == o.For:
		return errors.New("override: user: nobody can stand in for themselves")
	case o.Layer != nil && *o.Layer < 0:
		return fmt.Errorf("override: layer: %d is not the number of a layer", *o.Layer)
	case o.Start.IsZero():
		return errors.New("override: start: say when it begins")
	case o.Start.Year() < firstYear || o.Start.Year() > lastYear:
		return fmt.Errorf("override: start: %s is not in the years %d to %d", o.Start.UTC().Format(time.DateOnly), firstYear, lastYear)
	case !o.End.IsZero() && !o.End.After(o.Start):
		return fmt.Errorf("override: end: %s is not after the start, %s", o.End.UTC().Format(time.RFC3339), o.Start.UTC().Format(time.RFC3339))
	case o.Kind != Planned && o.Kind != Taken:
		return fmt.Errorf("override: kind: %q is not known; use planned or take", o.Kind)
	case len(o.Note) > maxNote:
		return fmt.Errorf("override: note: give at most %d characters", maxNote)
	}
	return nil
}

// cover is an override made ready: its interval in Unix seconds.
type cover struct {
	begin, end int64 // end may be forever
	id         id.Override
	user, of   id.User
	anyLayer   bool
}

// covers returns the overrides that apply to a layer, in the order in which they
// were made. Those that can do nothing are left out.
func covers(s *Schedule, layer int, overrides []Override) []cover {
	var found []cover
	for _, o := range overrides {
		if o.Rotation != s.rotation || o.User == "" || o.Layer != nil && *o.Layer != layer {
			continue
		}
		c := cover{begin: seconds(o.Start), end: forever, id: o.ID, user: o.User, of: o.For, anyLayer: o.Layer == nil}
		if !o.End.IsZero() {
			c.end = seconds(o.End)
		}
		if c.begin < c.end {
			found = append(found, c)
		}
	}
	return found
}

// lay cuts a stretch of the rota, in which one person or nobody is on duty, into
// what the covers make of it, in order and without gap; two pieces that touch
// differ. The user of a piece is empty where nobody is on duty.
func lay(base piece, all []cover, alone bool) []piece {
	var over []cover
	var edges []int64
	for _, c := range all {
		if c.begin >= base.end || c.end <= base.begin {
			continue
		}
		over = append(over, c)
		for _, at := range []int64{c.begin, c.end} {
			if at > base.begin && at < base.end {
				edges = append(edges, at)
			}
		}
	}
	slices.Sort(edges)
	var pieces []piece
	begin := base.begin
	for _, end := range append(slices.Compact(edges), base.end) {
		p := owner(base.user, over, begin, alone)
		p.begin, p.end = begin, end
		begin = end
		if n := len(pieces); n > 0 && pieces[n-1].user == p.user && pieces[n-1].override == p.override {
			pieces[n-1].end = p.end
			continue
		}
		pieces = append(pieces, p)
	}
	return pieces
}

// owner says who is on duty at an instant where the rota has the user, or nobody.
// Each cover acts on what those made before it have left. Where nobody is on
// duty, one for all layers acts only if that is so in all of them: alone.
func owner(user id.User, over []cover, at int64, alone bool) piece {
	now := piece{user: user}
	for _, c := range over {
		if at < c.begin || at >= c.end {
			continue
		}
		acts := c.of == now.user || c.of == user
		if c.of == "" {
			acts = now.user != "" || alone || !c.anyLayer
		}
		if acts {
			now = piece{user: c.user, override: c.id, instead: user}
		}
	}
	if now.user == user {
		return piece{user: user} // it is the rota's own after all
	}
	return now
}

// interval is a time in Unix seconds, from ever to forever at most.
type interval struct{ begin, end int64 }

// without returns the intervals, which are in order and do not touch, without
// the time of the covers that fill a layer where the rota has nobody.
func without(free []interval, all []cover) []interval {
	for _, c := range all {
		if c.of != "" || c.anyLayer {
			continue
		}
		var left []interval
		for _, f := range free {
			if before := (interval{f.begin, min(f.end, c.begin)}); before.begin < before.end {
				left = append(left, before)
			}
			if after := (interval{max(f.begin, c.end), f.end}); after.begin < after.end {
				left = append(left, after)
			}
		}
		free = left
	}
	return free
}

// common returns what two ordered lists of intervals have in common.
func common(a, b []interval) []interval {
	var both []interval
	for len(a) > 0 && len(b) > 0 {
		if i := (interval{max(a[0].begin, b[0].begin), min(a[0].end, b[0].end)}); i.begin < i.end {
			both = append(both, i)
		}
		if a[0].end <= b[0].end {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return both
}
