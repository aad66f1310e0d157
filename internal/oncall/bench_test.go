package oncall

import (
	"testing"
	"time"
)

func BenchmarkOnCall(b *testing.B) {
	for _, unit := range []Unit{Hours, Days, Weeks, Months} {
		b.Run(string(unit), func(b *testing.B) {
			s := schedule(b, rota("Europe/London", 1, unit, "09:00", "2010-01-04", "ann", "ben", "cem"))
			at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
			b.ReportAllocs()
			for b.Loop() {
				s.OnCall(at)
			}
		})
	}
	// After 2037 the zone is a rule instead of a table.
	b.Run("days by rule", func(b *testing.B) {
		s := schedule(b, rota("Europe/London", 1, Days, "09:00", "2010-01-04", "ann", "ben", "cem"))
		at := time.Date(2060, 7, 1, 12, 0, 0, 0, time.UTC)
		for b.Loop() {
			s.OnCall(at)
		}
	})
}

// A year of daily hand-overs.
func BenchmarkBetween(b *testing.B) {
	s := schedule(b, rota("Europe/London", 1, Days, "09:00", "2010-01-04", "ann", "ben", "cem"))
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for b.Loop() {
		s.Between(from, from.AddDate(1, 0, 0))
	}
}

// thousand is a thousand rotations in many zones, every fourth restricted to
// nights, with overrides.
func thousand(b *testing.B) []*FinalSchedule {
	b.Helper()
	all := make([]*FinalSchedule, 0, 1000)
	for i := range 1000 {
		r := rota(zones[i%len(zones)], 1+i%3, []Unit{Hours, Days, Weeks, Months}[i%4], "09:00", "2015-01-05", "ann", "ben", "cem", "dee")
		if r.Layers[0].Unit == Hours {
			r.Layers[0].Every *= 8
		}
		if i%4 == 1 {
			r.Layers[0].Restrictions = []Restriction{{From: "20:00", To: "08:00"}}
		}
		from := time.Date(2026, 1, 1+i%300, 0, 0, 0, 0, time.UTC)
		all = append(all, Final(schedule(b, r), []Override{
			{ID: "o", User: "eve", For: "ann", Start: from, End: from.AddDate(0, 0, 14), Kind: Planned},
			{ID: "p", User: "fay", Start: from.AddDate(0, 0, 3), End: from.AddDate(0, 0, 4), Kind: Taken},
		}))
	}
	return all
}

// Who is on duty in a thousand rotations.
func BenchmarkOnCallThousand(b *testing.B) {
	all := thousand(b)
	at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	b.ReportAllocs()
	for b.Loop() {
		for _, f := range all {
			f.OnCall(at)
		}
	}
}

// A year of hand-overs of a thousand rotations.
func BenchmarkHandOversThousand(b *testing.B) {
	all := thousand(b)
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n = 0
		for _, f := range all {
			n += len(HandOvers(f, from, from.AddDate(1, 0, 0)))
		}
	}
	b.ReportMetric(float64(n), "hand-overs/op")
}

// What a page says about the next 90 days of one rotation.
func BenchmarkCoverage90Days(b *testing.B) {
	f := thousand(b)[1]
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for b.Loop() {
		Gaps(f, from, from.AddDate(0, 0, 90))
		Doubled(f, from, from.AddDate(0, 0, 90))
	}
}

func BenchmarkCompile(b *testing.B) {
	r := rota("Europe/London", 1, Days, "09:00", "2010-01-04", "ann", "ben", "cem")
	for b.Loop() {
		if _, err := r.Compile(); err != nil {
			b.Fatal(err)
		}
	}
}
