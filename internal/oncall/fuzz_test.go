package oncall

import (
	"math"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// Whatever people write and whenever they ask: no panic, no endless loop, and a
// rotation that is valid has answers that contain the instant.
func FuzzRotation(f *testing.F) {
	f.Add("Primary", "Europe/London", "ann", "ben", 1, "weeks", "09:00", "2026-01-05", "", int64(1767603600), int64(0))
	f.Add("Samoa", "Pacific/Apia", "ann", "ann", 1, "days", "00:00", "2011-12-30", "2011-12-31", int64(1325239200), int64(0))
	f.Add("Long", "UTC", "ann", "ben", 1000, "months", "23:59", "2999-12-31", "", int64(32503679999), int64(999))
	f.Add("Remote", "Asia/Kathmandu", "ann", "", 24, "hours", "24:00", "1900-01-01", "2000-01-01", int64(math.MaxInt64), int64(-1))
	f.Add("", "Local", "", "", -1, "", "9:00", "0000-00-00", "x", int64(math.MinInt64), int64(1))
	f.Fuzz(func(t *testing.T, name, zone, first, second string, every int, unit, handoff, start, end string, sec, nsec int64) {
		r := Rotation{Name: name, Zone: zone, Layers: []Layer{{
			Name: name, Members: []id.User{id.User(first), id.User(second)},
			Every: every, Unit: Unit(unit), HandoffAt: handoff, Start: start, End: end,
		}}}
		at := time.Unix(sec, nsec)
		on := r.OnCall(at)
		next := r.Next(at, 3)
		if r.Validate() != nil && len(on)+len(next) > 0 {
			t.Fatalf("a rotation that is not valid has %v on duty, %v next", on, next)
		}
		for _, s := range on {
			if !s.Contains(at) {
				t.Fatalf("%v is on duty at %s", s, at)
			}
		}
		for _, s := range next {
			if !s.Start.After(at) || !s.End.IsZero() && !s.End.After(s.Start) {
				t.Fatalf("%v is next after %s", s, at)
			}
		}
	})
}

// Whatever the restrictions and the overrides: no panic, no endless loop, and
// whoever is on duty is so at the instant.
func FuzzFinal(f *testing.F) {
	f.Add("Europe/London", "22:00", "06:00", "", "sunday", uint(1), "shifts", "ann", int64(1774746000), int64(1774832400), int64(1774744200))
	f.Add("Pacific/Apia", "00:00", "00:00", "friday", "thursday", uint(1), "", "", int64(1325239200), int64(0), int64(1325239199))
	f.Add("UTC", "17:00", "09:00", "monday", "friday", uint(7), "", "dee", int64(math.MinInt64), int64(math.MaxInt64), int64(32503679999))
	f.Fuzz(func(t *testing.T, zone, from, to, until, day string, every uint, count, of string, start, end, sec int64) {
		r := Rotation{Name: "Fuzzed", Zone: zone, Layers: []Layer{{
			Members: []id.User{"ann", "ben"}, Every: int(every % 1000), Unit: Days, HandoffAt: "09:00", Start: "2011-12-20", Count: Count(count),
			Restrictions: []Restriction{{Days: []Weekday{Weekday(day)}, From: from, Until: Weekday(until), To: to}},
		}}}
		s, err := r.Compile()
		if err != nil {
			return
		}
		o := Override{ID: "o", User: "dee", For: id.User(of), Start: time.Unix(start, 0)}
		if end != 0 {
			o.End = time.Unix(end, 0)
		}
		at := time.Unix(sec, 0)
		plan := Final(s, []Override{o})
		for _, shift := range plan.OnCall(at) {
			if !shift.Contains(at) {
				t.Fatalf("%v is on duty at %s", shift, at)
			}
		}
		for _, shift := range plan.Next(at, 3) {
			if !shift.Start.After(at) {
				t.Fatalf("%v is next after %s", shift, at)
			}
		}
		HandOvers(plan, at, at.AddDate(0, 0, 8))
		Gaps(plan, at, at.AddDate(0, 0, 8))
		plan.NextPerson(at)
	})
}
