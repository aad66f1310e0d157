package oncall

import (
	"time"
)

// ZoneChange is an instant at which the clocks of a zone are put forward or back.
// Offsets are seconds east of UTC.
type ZoneChange struct {
	At         time.Time `json:"at"` // UTC; the first instant with the new offset
	Before     int       `json:"before"`
	After      int       `json:"after"`
	BeforeName string    `json:"before_name"` // abbreviation, "GMT"; "+03" where there is none
	AfterName  string    `json:"after_name"`
}

// Shift is how far the clocks jump: positive when they skip some time, negative
// when they show some twice.
func (c ZoneChange) Shift() time.Duration { return time.Duration(c.After-c.Before) * time.Second }

// ZoneChanges returns the next n changes of the clocks of an IANA zone after the
// instant, as the time-zone database knows them. There are fewer where the clocks
// stay as they are from some year on.
func ZoneChanges(zone string, from time.Time, n int) ([]ZoneChange, error) {
	loc, err := location(zone)
	if err != nil {
		return nil, err
	}
	var found []ZoneChange
	at := seconds(from)
	for len(found) < n && at < horizon {
		before := time.Unix(at, 0).In(loc)
		end, ends := periodEnd(before)
		if !ends {
			break
		}
		after := time.Unix(end, 0).In(loc)
		at = end
		c := ZoneChange{At: after.UTC()}
		c.BeforeName, c.Before = before.Zone()
		c.AfterName, c.After = after.Zone()
		if c.Before != c.After {
			found = append(found, c)
		}
	}
	return found, nil
}

// NearShift is a shift near a change of the clocks, with its length.
type NearShift struct {
	Shift
	Lasts  time.Duration `json:"lasts"`  // the time that passes
	Clock  time.Duration `json:"clock"`  // as the clocks count it: other than Lasts when the change lies inside
	Begins bool          `json:"begins"` // at the very instant of the change
	Ends   bool          `json:"ends"`   // at the very instant of the change
}

// Near is what happens to a rota when the clocks change.
type Near struct {
	Shifts    []NearShift `json:"shifts"`     // those with an end that the change lies in, begins or ends
	HandOvers []HandOver  `json:"hand_overs"` // from a day before to a day after
}

// NearChange says what happens at a change of the clocks: how long the shifts
// around it really are, and when duty is handed over within a day of it.
func NearChange(p Plan, c ZoneChange) Near {
	near := Near{Shifts: []NearShift{}, HandOvers: []HandOver{}}
	for _, s := range p.Between(c.At.Add(-1), c.At.Add(1)) {
		if s.End.IsZero() {
			continue
		}
		n := NearShift{Shift: s, Lasts: s.End.Sub(s.Start), Begins: s.Start.Equal(c.At), Ends: s.End.Equal(c.At)}
		n.Clock = n.Lasts
		if !n.Begins && !n.Ends {
			n.Clock += c.Shift()
		}
		near.Shifts = append(near.Shifts, n)
	}
	near.HandOvers = append(near.HandOvers, HandOvers(p, c.At.Add(-day*time.Second), c.At.Add(day*time.Second))...)
	return near
}
