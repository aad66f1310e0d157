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

func BenchmarkCompile(b *testing.B) {
	r := rota("Europe/London", 1, Days, "09:00", "2010-01-04", "ann", "ben", "cem")
	for b.Loop() {
		if _, err := r.Compile(); err != nil {
			b.Fatal(err)
		}
	}
}
