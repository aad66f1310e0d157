package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

var errOnPurpose = errors.New("on purpose")

func numbersAreDense(t *testing.T, s *store.Store) {
	const writers, commits = 8, 20
	do(t, s, func(tx *store.Tx) { tx.Append(message("first")) })
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	reader := make(chan error, 1)
	go func() { reader <- readWithoutGap(ctx, s) }()

	var wg sync.WaitGroup
	failed := make(chan error, writers)
	for w := range writers {
		wg.Go(func() {
			for c := range commits {
				err := s.Do(ctx, func(tx *store.Tx) error {
					for range 1 + (w+c)%3 {
						tx.Append(message(fmt.Sprintf("writer %d, commit %d", w, c)))
					}
					if c%5 == 4 {
						return errOnPurpose // must not cost a number
					}
					return nil
				})
				if err != nil && !errors.Is(err, errOnPurpose) {
					failed <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	for err := range failed {
		t.Errorf("write: %v", err)
	}
	stop()
	if err := <-reader; err != nil {
		t.Error(err)
	}
	head := must[store.Head](t)(s.Head(t.Context()))
	all := must[[]timeline.Entry](t)(s.Entries(t.Context(), store.EntryFilter{Limit: 1000}))
	if id.Seq(len(all)) != head.Seq {
		t.Errorf("%d entries, and the last number is %d", len(all), head.Seq)
	}
	for i, e := range all {
		if e.Seq != id.Seq(i+1) || i > 0 && e.At.Before(all[i-1].At) {
			t.Fatalf("entry %d has number %d, at %s after %s", i+1, e.Seq, e.At, all[max(i-1, 0)].At)
		}
	}
}

// readWithoutGap follows the timeline by number until ctx ends.
func readWithoutGap(ctx context.Context, s *store.Store) error {
	seen := id.Seq(1)
	for ctx.Err() == nil {
		more, err := s.Entries(ctx, store.EntryFilter{After: seen, Limit: 7})
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("read while others write: %w", err)
		}
		for _, e := range more {
			if e.Seq != seen+1 {
				return fmt.Errorf("a reader saw %d after %d", e.Seq, seen)
			}
			seen = e.Seq
		}
	}
	return nil
}

func errorWritesNothing(t *testing.T, s *store.Store) {
	do(t, s, func(tx *store.Tx) { newIncident(tx, "a") })
	before := must[store.Head](t)(s.Head(t.Context()))
	err := s.Do(t.Context(), func(tx *store.Tx) error {
		newIncident(tx, "b")
		tx.NewAlert()
		tx.AddDelivery(store.Delivery{Key: "k", Kind: store.StepPage, DueAt: tx.Now})
		tx.SetCursor("x", 1)
		tx.PutPassword("u1", "hash")
		return errOnPurpose
	})
	if !errors.Is(err, errOnPurpose) {
		t.Errorf("Do = %v, want the function's error", err)
	}
	same(t, "head after an error", must[store.Head](t)(s.Head(t.Context())), before)
	if has := must[map[id.User]bool](t)(s.Passwords(t.Context())); len(has) != 0 {
		t.Errorf("passwords after an error: %v", has)
	}
	do(t, s, func(tx *store.Tx) {
		if n := newIncident(tx, "b"); n != 2 {
			t.Errorf("next incident is %d, want 2", n)
		}
	})
	if h := must[store.Head](t)(s.Head(t.Context())); h.Seq != before.Seq+1 {
		t.Errorf("next entry is %d, want %d", h.Seq, before.Seq+1)
	}
}

func failingStatementWritesNothing(t *testing.T, s *store.Store) {
	add := func(tx *store.Tx) error {
		tx.AddDelivery(store.Delivery{Key: "same", Kind: store.NoticeMail, DueAt: tx.Now})
		tx.Append(message("with a delivery"))
		return nil
	}
	if err := s.Do(t.Context(), add); err != nil {
		t.Fatal(err)
	}
	before := must[store.Head](t)(s.Head(t.Context()))
	for range 3 {
		if err := s.Do(t.Context(), add); err == nil {
			t.Error("a second delivery with the same key was taken")
		}
	}
	same(t, "head after a statement failed", must[store.Head](t)(s.Head(t.Context())), before)
	do(t, s, func(tx *store.Tx) { tx.Append(message("the writer goes on")) })
	if h := must[store.Head](t)(s.Head(t.Context())); h.Seq != before.Seq+1 {
		t.Errorf("next entry is %d, want %d", h.Seq, before.Seq+1)
	}
	// A statement that fails while reading is no different.
	err := s.Do(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Incident(99)
		return err
	})
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Incident(99) = %v, want ErrNotFound", err)
	}
	do(t, s, func(tx *store.Tx) { tx.Append(message("and on")) })
}

func panicFreesTheWriter(t *testing.T, s *store.Store) {
	for _, fn := range []func(*store.Tx) error{
		func(tx *store.Tx) error {
			tx.Append(message("lost"))
			panic("on purpose")
		},
		func(tx *store.Tx) error { // is told when it is too late to lose anything
			tx.Append(message("kept"))
			tx.OnCommit(func() { panic("on purpose") })
			return nil
		},
	} {
		panics(t, func() { _ = s.Do(t.Context(), fn) })
	}
	do(t, s, func(tx *store.Tx) { tx.Append(message("kept, too")) })
	if h := must[store.Head](t)(s.Head(t.Context())); h.Seq != 2 {
		t.Errorf("%d entries, want the two that were kept", h.Seq)
	}
}

func panics(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("the panic did not come through")
		}
	}()
	f()
}

func cancelledCallerLeaves(t *testing.T, s *store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	do(t, s, func(*store.Tx) {
		done := make(chan error, 1)
		go func() { done <- s.Do(ctx, func(*store.Tx) error { return nil }) }()
		cancel()
		if err := within(t, "a caller that was cancelled", done); !errors.Is(err, context.Canceled) {
			t.Errorf("Do = %v, want context.Canceled", err)
		}
	})
	// Who has begun is not disturbed by the end of its context.
	ctx, cancel = context.WithCancel(t.Context())
	err := s.Do(ctx, func(tx *store.Tx) error {
		cancel()
		tx.Append(message("finished all the same"))
		return nil
	})
	if err != nil {
		t.Errorf("Do that was cancelled within = %v", err)
	}
}

func nothingIsNoCommit(t *testing.T, s *store.Store) {
	before := must[store.Head](t)(s.Head(t.Context()))
	wake, end := s.Wake(store.Entries)
	defer end()
	do(t, s, func(*store.Tx) {})
	same(t, "head", must[store.Head](t)(s.Head(t.Context())), before)
	if len(wake) != 0 {
		t.Error("a transaction that wrote nothing woke others")
	}
}

func commitsWake(t *testing.T, s *store.Store) {
	wake, end := s.Wake(store.Entries)
	for range 3 {
		do(t, s, func(tx *store.Tx) { tx.Append(message("hello")) })
	}
	within(t, "a wake", wake)
	end()
	do(t, s, func(tx *store.Tx) { tx.Append(message("nobody listens")) })
	if len(wake) != 0 {
		t.Error("a wake arrived after its end")
	}
}

func readersDoNotWait(t *testing.T, s *store.Store) {
	do(t, s, func(tx *store.Tx) { newIncident(tx, "a") })
	do(t, s, func(tx *store.Tx) {
		save(tx, opened(1, "a"))
		tx.Append(message("not yet"))
		done := make(chan error, 1)
		go func() {
			all, err := s.Entries(t.Context(), store.EntryFilter{})
			if err == nil && len(all) != 1 {
				err = fmt.Errorf("a reader sees %d entries, want the committed one", len(all))
			}
			done <- err
		}()
		if err := within(t, "a reader beside an open transaction", done); err != nil {
			t.Error(err)
		}
	})
}

func viewsLook(t *testing.T, s *store.Store) {
	do(t, s, func(tx *store.Tx) { tx.SetCursor("planner", 5) })
	look := func(fn func(*store.Tx)) (id.Seq, error) {
		return store.View(t.Context(), s, func(tx *store.Tx) (id.Seq, error) {
			fn(tx)
			return tx.Cursor("planner")
		})
	}
	do(t, s, func(tx *store.Tx) { // the one writer is at work
		tx.SetCursor("planner", 7)
		if at, err := look(func(*store.Tx) {}); at != 5 || err != nil {
			t.Errorf("View() = %d, %v; want 5", at, err)
		}
	})
	for name, write := range map[string]func(*store.Tx){
		"a cursor": func(tx *store.Tx) { tx.SetCursor("planner", 9) }, "an entry": func(tx *store.Tx) { tx.Append(message("hello")) },
	} {
		if _, err := look(write); err == nil {
			t.Errorf("View writes %s", name)
		}
	}
	if at, err := look(func(*store.Tx) {}); at != 7 || err != nil {
		t.Errorf("View() = %d, %v; want 7", at, err)
	}
}

func returnedNumbers(t *testing.T, s *store.Store) {
	do(t, s, func(tx *store.Tx) {
		n := tx.NewIncident()
		tx.ReturnIncident(n)
		if again := newIncident(tx, "a"); again != n {
			t.Errorf("incident %d after %d was returned", again, n)
		}
		if a, b := tx.NewAlert(), tx.NewAlert(); a != 1 || b != 2 {
			t.Errorf("alerts %d, %d, want 1, 2", a, b)
		}
	})
	do(t, s, func(tx *store.Tx) {
		if n, a := tx.NewIncident(), tx.NewAlert(); n != 2 || a != 3 {
			t.Errorf("next numbers %d, %d, want 2, 3", n, a)
		}
	})
}

func timeNeverGoesBack(t *testing.T, s *store.Store) {
	first := inTx(t, s, func(tx *store.Tx) (int64, error) {
		tx.Append(message("now"))
		return tx.Now.UnixMicro(), nil
	})
	for range 5 {
		next := inTx(t, s, func(tx *store.Tx) (int64, error) {
			tx.Append(message("later"))
			return tx.Now.UnixMicro(), nil
		})
		if next < first {
			t.Errorf("now is %d after %d", next, first)
		}
		first = next
	}
}
