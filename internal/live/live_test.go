package live_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/live"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// hub runs a Hub on s until the test ends; stop ends it earlier.
func hub(t *testing.T, s *store.Store) (h *live.Hub, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	h = live.New(s, slog.New(slog.DiscardHandler), 50*time.Millisecond)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := h.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	stop = func() { cancel(); wg.Wait() }
	t.Cleanup(stop)
	return h, stop
}

func write(t *testing.T, s *store.Store, n int) {
	t.Helper()
	err := s.Do(t.Context(), func(tx *store.Tx) error {
		for range n {
			tx.Append(timeline.Entry{Kind: timeline.MessagePosted, Payload: timeline.Message{Text: "line"}})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func subscribe(t *testing.T, h *live.Hub, after id.Seq) *live.Subscription {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	sub, err := h.Subscribe(ctx, after)
	if err != nil {
		t.Fatalf("Subscribe(%d): %v", after, err)
	}
	t.Cleanup(sub.Close)
	return sub
}

// readTo reads until the entry with the number last and checks that nothing
// is missing, doubled or out of order since after.
func readTo(ctx context.Context, sub *live.Subscription, after, last id.Seq) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for after < last {
		events, err := sub.Next(ctx)
		if err != nil {
			return fmt.Errorf("after entry %d: %w", after, err)
		}
		for _, e := range events {
			if e.Entry.Seq == 0 {
				continue
			}
			if e.Entry.Seq != after+1 {
				return fmt.Errorf("entry %d follows %d", e.Entry.Seq, after)
			}
			after = e.Entry.Seq
		}
	}
	return nil
}

func TestReadersSeeEveryEntryOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		write(t, s, 700) // more than one read of the past
		h, _ := hub(t, s)
		var wg sync.WaitGroup
		for _, after := range []id.Seq{1, 350, 699, 700} {
			sub := subscribe(t, h, after)
			wg.Go(func() {
				if err := readTo(context.Background(), sub, after, 1000); err != nil {
					t.Errorf("reader after %d: %v", after, err)
				}
			})
		}
		for range 300 {
			write(t, s, 1)
		}
		wg.Wait()
		if got := h.Readers(); got != 4 {
			t.Errorf("Readers() = %d, want 4", got)
		}
	})
}

func TestZeroMeansFromNowOn(t *testing.T) {
	s := storetest.Open(t)
	write(t, s, 5)
	h, _ := hub(t, s)
	sub := subscribe(t, h, 0)
	write(t, s, 1)
	if err := readTo(t.Context(), sub, 5, 6); err != nil {
		t.Error(err)
	}
}

func TestSlowReaderIsDroppedAndResumes(t *testing.T) {
	s := storetest.Open(t)
	write(t, s, 1)
	h, _ := hub(t, s)
	slow, quick := subscribe(t, h, 1), subscribe(t, h, 1)
	const more = 5000 // more than the ring holds
	for range more / 500 {
		write(t, s, 500)
	}
	if err := readTo(t.Context(), quick, 1, 1+more); err != nil && !errors.Is(err, live.ErrSlow) {
		t.Errorf("the quick reader: %v", err)
	}
	latest := subscribe(t, h, 1+more-1)
	if err := readTo(t.Context(), latest, 1+more-1, 1+more); err != nil { // the ring has come that far
		t.Fatal(err)
	}
	if _, err := slow.Next(t.Context()); !errors.Is(err, live.ErrSlow) {
		t.Fatalf("the slow reader: %v, want ErrSlow", err)
	}
	if err := readTo(t.Context(), subscribe(t, h, 1), 1, 1+more); err != nil {
		t.Errorf("resumed: %v", err)
	}
}

func TestRestoreResetsReaders(t *testing.T) {
	s := storetest.Open(t)
	write(t, s, 3)
	var backup bytes.Buffer
	if err := s.Backup(t.Context(), &backup); err != nil {
		t.Fatal(err)
	}
	h, _ := hub(t, s)
	sub := subscribe(t, h, 3)
	if err := s.Restore(t.Context(), &backup); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := sub.Next(ctx); !errors.Is(err, live.ErrReset) {
		t.Errorf("after a restore: %v, want ErrReset", err)
	}
	if _, err := h.Subscribe(ctx, 1_000_000); !errors.Is(err, live.ErrReset) {
		t.Errorf("a number from another history: %v, want ErrReset", err)
	}
}

func TestEndOfTheHubEndsReaders(t *testing.T) {
	s := storetest.Open(t)
	h, stop := hub(t, s)
	sub := subscribe(t, h, 0)
	stop()
	if _, err := sub.Next(t.Context()); !errors.Is(err, live.ErrClosed) {
		t.Errorf("Next: %v, want ErrClosed", err)
	}
	if _, err := h.Subscribe(t.Context(), 0); !errors.Is(err, live.ErrClosed) {
		t.Errorf("Subscribe: %v, want ErrClosed", err)
	}
}

func TestFrameIsMadeOnce(t *testing.T) {
	s := storetest.Open(t)
	h, _ := hub(t, s)
	made := 0
	render := func(e live.Event) ([]byte, error) { made++; return []byte(e.Entry.Kind), nil }
	one, two := subscribe(t, h, 0), subscribe(t, h, 0)
	write(t, s, 1)
	for _, sub := range []*live.Subscription{one, two} {
		events, err := sub.Next(t.Context())
		if err != nil || len(events) != 1 {
			t.Fatalf("Next: %d events, %v", len(events), err)
		}
		if got, err := events[0].Frame("web", render); err != nil || string(got) != "message_posted" {
			t.Errorf("Frame: %q, %v", got, err)
		}
	}
	if made != 1 {
		t.Errorf("rendered %d times, want once", made)
	}
}
