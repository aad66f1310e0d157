package oncall

import (
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// Person is somebody's place in a layer.
type Person struct {
	Layer     int     `json:"layer"`
	LayerName string  `json:"layer_name"`
	User      id.User `json:"user"`
}

// NextPerson returns for each layer on duty at the instant who follows the person
// on duty: the first other one down the list of members, going round. That is the
// order of turns alone: whether they are on duty next by the restrictions and end
// of the layer does not matter. A layer in which nobody is on duty, or which is
// one person's, has none.
func (s *Schedule) NextPerson(at time.Time) []Person { return s.neighbours(at, 1, nil) }

// PreviousPerson returns for each layer on duty at the instant who precedes the
// person on duty: the first other one up the list of members, going round, also
// in the first turn of all. Otherwise it is as NextPerson.
func (s *Schedule) PreviousPerson(at time.Time) []Person { return s.neighbours(at, -1, nil) }

// NextPerson is that of the rota below the overrides, except that who is on duty
// in the layer by an override is passed over, too. A shift that fills a gap has
// neither next nor previous person.
func (f *FinalSchedule) NextPerson(at time.Time) []Person {
	return f.rota.neighbours(at, 1, f.OnCall(at))
}

// PreviousPerson is that of the rota below the overrides, except that who is on
// duty in the layer by an override is passed over, too.
func (f *FinalSchedule) PreviousPerson(at time.Time) []Person {
	return f.rota.neighbours(at, -1, f.OnCall(at))
}

// neighbours goes through the members from the one on duty, in steps, to the
// first who is another person and not on duty in the final shifts of the layer.
func (s *Schedule) neighbours(at time.Time, step int, final []Shift) []Person {
	var found []Person
	for _, on := range s.OnCall(at) {
		l := &s.layers[on.Layer]
		n := len(l.members)
		now := int(l.turn(seconds(at)) % int64(n))
		for k := 1; k < n; k++ {
			u := l.members[((now+k*step)%n+n)%n]
			if u == on.User || slices.ContainsFunc(final, func(f Shift) bool { return f.Layer == on.Layer && f.User == u }) {
				continue
			}
			found = append(found, Person{on.Layer, on.LayerName, u})
			break
		}
	}
	return found
}
