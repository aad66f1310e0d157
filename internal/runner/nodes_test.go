package runner

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
)

// Two nodes on one PostgreSQL run every command once.
func TestTwoNodesRunNothingTwice(t *testing.T) {
	cfg := store.Config{Database: pgtest.URL(t)}
	st := newStation(t, cfg)
	second := storetest.OpenAt(t, cfg)
	const n = 60
	var mu sync.Mutex
	runs, done := map[id.Invocation]int{}, make(chan struct{}, 2*n)
	hosts := map[string]bool{}
	st.script.do = func(_ context.Context, r program.Request, _ program.Reporter) (program.Result, error) {
		mu.Lock()
		runs[r.ID]++
		mu.Unlock()
		done <- struct{}{}
		return program.Result{Outcome: program.Succeeded}, nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	var parts sync.WaitGroup
	for holder, s := range map[string]*store.Store{"one": st.store, "two": second} {
		r := st.runner(holder)
		r.Store = s
		desk := *st.desk
		desk.store = s
		r.Desk = &desk
		r.Observe = func(string, invocation.State, time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			hosts[holder] = true
		}
		parts.Go(func() {
			if err := r.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		parts.Go(func() {
			if err := s.Follow(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	var given []id.Invocation
	for i := range n {
		given = append(given, st.give("kim", fmt.Sprintf("deploy run app%d", i%7)).ID)
	}
	for range n {
		select {
		case <-done:
		case <-time.After(30 * time.Second):
			t.Fatal("waited too long")
		}
	}
	cancel()
	parts.Wait()
	for _, g := range given {
		st.wantState(g, invocation.Succeeded)
		if runs[g] != 1 {
			t.Errorf("%s ran %d times", g, runs[g])
		}
	}
	if len(hosts) != 2 {
		t.Logf("only %v had anything to do", hosts)
	}
	st.audit()
}
