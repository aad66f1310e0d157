package retention

import (
	"fmt"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
	"github.com/watchroom/watchroom/internal/timeline"
)

// BenchmarkWalk is what looking for what may go costs on SQLite with 100,000
// messages: when all are old enough, when none is, and when only what is no message would go.
func BenchmarkWalk(b *testing.B) {
	const entries = 100_000
	now := noon
	s := storetest.Open(b, storetest.Clock(func() time.Time { return now }))
	for range entries / 1000 {
		err := s.Do(b.Context(), func(tx *store.Tx) error {
			for i := range 1000 {
				tx.Append(timeline.Entry{Kind: timeline.MessagePosted, Room: id.Room(fmt.Sprint("room", i%10)), Person: "u1", Payload: timeline.Message{Text: "usage of /var falls slowly"}})
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		keep org.Retention
		days int
		want int
	}{
		{"all of them go", org.Retention{Messages: 30}, 31, entries},
		{"none is old enough", org.Retention{Messages: 30}, 29, 0},
		{"all are looked at and none goes", org.Retention{Entries: 30}, 31, 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			limits := LimitsAt(c.keep, noon.AddDate(0, 0, c.days))
			for b.Loop() {
				n := &count{store: s}
				if err := walk(b.Context(), s, limits, n); err != nil {
					b.Fatal(err)
				}
				if n.total.Messages != c.want {
					b.Fatalf("%d messages may go, want %d", n.total.Messages, c.want)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/entries, "µs/entry")
		})
	}
}
