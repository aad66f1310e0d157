package dispatch

import (
	"sync"
	"testing"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/room"
)

// What many read at the same time is written together, and each is told of
// their own alone.
func TestMarksAreWrittenTogether(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		r := h.room(t, kim(), room.Room{Kind: room.Private, Slug: "us", Members: []id.User{"lee"}})
		seq := h.say(t, kim(), Line{Room: r.ID, Text: "one"})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if err := h.MarkRead(t.Context(), lee(), r.ID, seq); err != nil {
					t.Errorf("MarkRead: %v", err)
				}
			})
			wg.Go(func() {
				if err := h.MarkRead(t.Context(), ada(), r.ID, seq); !fault.Is(err, fault.CodeNotFound) {
					t.Errorf("MarkRead by who may not read it: %v, want not found", err)
				}
			})
		}
		wg.Wait()
		for u, want := range map[id.User]id.Seq{"lee": seq, "ada": 0} {
			if got, err := h.store.Marks(t.Context(), u); err != nil || got[r.ID] != want {
				t.Errorf("the mark of %s is %d, want %d (%v)", u, got[r.ID], want, err)
			}
		}
		if h.marks.next != nil {
			t.Error("somebody waits for a batch that nobody writes")
		}
	})
}
