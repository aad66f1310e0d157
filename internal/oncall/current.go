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
// a member; when the user is on duty in any layer already, nothing changes.
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
	for _, shift := range on {
		l := &s.layers[shift.Layer]
		n := len(l.members)
		now := int(l.turn(at.Unix()) % int64(n))
		// The user's next turn is the one to bring forward, so that as few as
		// possible are passed over.
		for ahead := 1; ahead < n; ahead++ {
			if next := (now + ahead) % n; l.members[next] == user {
				r.Layers = slices.Clone(r.Layers)
				r.Layers[shift.Layer].Members = turned(l.members, now, next)
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
