package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/live"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/timeline"
)

// BenchmarkLineToReaders is what one more line costs for each of 2,000 pages
// that have its room open: what they are shown is drawn once.
func BenchmarkLineToReaders(b *testing.B) {
	h := newWatch(b)
	r := h.room("kim", room.Public, "ops", "u-ada")
	o, err := h.store.Org(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	req := httptest.NewRequestWithContext(asAda(h), http.MethodGet, "/timeline/stream?room=ops", http.NoBody)
	readers := make([]*reader, 2000)
	for i := range readers {
		readers[i] = newReader(h.web, io.Discard, req, filter{room: r.ID}, 0, 0)
	}
	var seq id.Seq
	b.ReportAllocs()
	for b.Loop() {
		seq++
		e := live.OfEntry(timeline.Entry{
			Seq: 1000 + seq, At: time.Now(), Kind: timeline.MessagePosted, Room: r.ID, Person: "u-kim", Actor: timeline.Actor{User: "u-kim", Name: "Kim"},
			Payload: timeline.Message{Text: "usage of **/var** falls slowly since the logs were rotated, see #1"},
		})
		for _, out := range readers {
			if err := out.entry(b.Context(), o, e); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(readers)), "ns/reader")
}
