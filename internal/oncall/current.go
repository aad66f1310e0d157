package oncall

import (
	"fmt"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// WithCurrent returns the rotation changed so that user is on duty at the
// instant: the order of the members is turned round until it is their turn,
// while the hand-overs stay where they are and the members follow one another as
// before. It acts on the first layer on duty at the instant that has the user as
// a member; when the user is on duty in any layer already, nothing changes. If
// there is no such layer, it acts on one that its restrictions keep off duty at
// the instant: the turn that runs there, or ran last, becomes the user's.
//
// A rotation has no memory: the turned order is valid for the past, too. What
// was, is for the timeline to tell.
func (r Rotation) WithCurrent(user id.User, at time.Time) (Rotation, error) {
	s, err := r.Compile()
	if err != nil {
		return Rotation{}, err
	}
	on := s.OnCall(at)
	if slices.ContainsFunc(on, func(s Shift) bool { return s.User == user }) {
		return r, nil
	}
	layers := make([]int, 0, len(s.layers))
	for _, shift := range on {
		layers = append(layers, shift.Layer)
	}
	now := seconds(at)
	for i := range s.layers {
		if l := &s.layers[i]; !slices.Contains(layers, i) && len(l.members) > 0 && now >= l.anchor && now < l.end {
			layers = append(layers, i)
		}
	}
	for _, i := range layers {
		l := &s.layers[i]
		n := len(l.members)
		now := int(l.turn(now) % int64(n))
		// The user's next turn is the one to bring forward, so that as few as
		// possible are passed over; in a layer off duty it may be theirs already.
		for ahead := range n {
			if next := (now + ahead) % n; l.members[next] == user {
				r.Layers = slices.Clone(r.Layers)
				r.Layers[i].Members = turned(l.members, now, next)
				return r, nil
			}
		}
	}
	return Rotation{}, fmt.Errorf("rotation %s: %s is not a member of a layer that is on duty at %s", r.Name, user, at.UTC().Format(time.RFC3339))
}

// turned returns the members in the same circle, with the one at from now at to.
func turned(members []id.User, to, from int) []id.User {
	n := len(members)
	moved := make([]id.User, n)
	for i := range n {
		moved[(to+i)%n] = members[(from+i)%n]
	}
	return moved
}
