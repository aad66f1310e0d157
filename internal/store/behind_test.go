package store_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
)

// Who comes after a heap of work that may wait is kept by one piece of it.
func TestWhatMayWaitLetsOthersWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.Open(t)
		var order []string
		note := func(what string) func(*store.Tx) error {
			return func(*store.Tx) error {
				order = append(order, what) // there is one writer at a time
				return nil
			}
		}
		var wg sync.WaitGroup
		free := make(chan struct{})
		wg.Go(func() {
			_ = s.Do(t.Context(), func(*store.Tx) error {
				<-free
				return nil
			})
		})
		synctest.Wait()
		for range 5 {
			wg.Go(func() { _ = s.DoBehind(t.Context(), note("page")) })
		}
		synctest.Wait()
		wg.Go(func() { _ = s.Do(t.Context(), note("timer")) })
		synctest.Wait()
		close(free)
		wg.Wait()
		if want := []string{"page", "timer", "page", "page", "page", "page"}; !slices.Equal(order, want) {
			t.Errorf("they wrote as %v, want %v", order, want)
		}
	})
}
