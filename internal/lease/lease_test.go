package lease_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/watchroom/watchroom/internal/lease"
	"github.com/watchroom/watchroom/internal/store"
)

const ttl = 30 * time.Second

// bubble runs a test under fake time with a store of its own.
func bubble(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "watchroom.db")
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(context.Background(), store.Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		test(t, s)
	})
}

// node runs lease.Run and says when its function runs.
type node struct {
	began, over chan string
	done        chan error
	stop        context.CancelFunc
}

func start(s *store.Store, name string, began, over chan string) *node {
	ctx, cancel := context.WithCancel(context.Background())
	n := &node{began: began, over: over, done: make(chan error, 1), stop: cancel}
	go func() {
		n.done <- lease.Run(ctx, s, "clean", name, ttl, func(ctx context.Context) error {
			n.began <- name
			<-ctx.Done()
			n.over <- name
			return ctx.Err()
		})
	}()
	return n
}

func TestOneHolderAmongNodes(t *testing.T) {
	bubble(t, func(t *testing.T, s *store.Store) {
		began, over := make(chan string, 10), make(chan string, 10)
		a, b := start(s, "a", began, over), start(s, "b", began, over)
		first := <-began
		time.Sleep(10 * ttl) // kept, because it is renewed
		if len(began) != 0 || len(over) != 0 {
			t.Fatalf("after ten times the lease: %d began, %d ended, want %s to hold on", len(began), len(over), first)
		}
		holder, other := a, b
		if first == "b" {
			holder, other = b, a
		}
		holder.stop()
		if err := <-holder.done; err != nil {
			t.Errorf("Run of the holder = %v", err)
		}
		waited := time.Now()
		if second := <-began; second == first || time.Since(waited) > ttl/3 {
			t.Errorf("%s began after %s, want the other at its next try, because the lease was given back", second, time.Since(waited))
		}
		other.stop()
		if err := <-other.done; err != nil {
			t.Errorf("Run of the other = %v", err)
		}
	})
}

func TestLostLeaseEndsTheWork(t *testing.T) {
	bubble(t, func(t *testing.T, s *store.Store) {
		began, over := make(chan string, 10), make(chan string, 10)
		n := start(s, "a", began, over)
		<-began
		// Somebody takes it, as happens when this node slept through its time.
		err := s.Do(context.Background(), func(tx *store.Tx) error {
			tx.Release("clean", "a")
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		take(t, s, "thief", true)
		lost := time.Now()
		<-over
		if d := time.Since(lost); d > ttl/3 {
			t.Errorf("the work ended %s after the lease was lost, want at the next renewal", d)
		}
		<-began // the thief never renews
		if d := time.Since(lost); d < ttl || d > 2*ttl {
			t.Errorf("the work began again after %s, want soon after the thief's time", d)
		}
		n.stop()
		if err := <-n.done; err != nil {
			t.Errorf("Run = %v", err)
		}
		take(t, s, "next", true)
	})
}

func take(t *testing.T, s *store.Store, holder string, want bool) {
	t.Helper()
	held, err := store.InTx(context.Background(), s, func(tx *store.Tx) (bool, error) {
		_, held, err := tx.Acquire("clean", holder, ttl)
		return held, err
	})
	if err != nil || held != want {
		t.Fatalf("Acquire by %s = %v, %v, want %v", holder, held, err, want)
	}
}

func TestWorkThatEndsEndsTheRun(t *testing.T) {
	bubble(t, func(t *testing.T, s *store.Store) {
		broken := errors.New("broken")
		err := lease.Run(context.Background(), s, "clean", "a", ttl, func(context.Context) error {
			take(t, s, "b", false)
			return broken
		})
		if !errors.Is(err, broken) {
			t.Errorf("Run = %v, want the error of the work", err)
		}
		take(t, s, "b", true)
	})
}

func TestRunEndsWhileItWaits(t *testing.T) {
	bubble(t, func(t *testing.T, s *store.Store) {
		take(t, s, "b", true)
		ctx, cancel := context.WithTimeout(context.Background(), ttl/2)
		defer cancel()
		err := lease.Run(ctx, s, "clean", "a", ttl, func(context.Context) error {
			t.Error("the work ran without the lease")
			return nil
		})
		if err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}

// Whoever has the database for themselves asks nobody: nothing is written, and
// what a dead process held is no reason to wait.
func TestAloneNeedsNoLease(t *testing.T) {
	path := filepath.Join(t.TempDir(), "watchroom.db")
	s, err := store.Open(t.Context(), store.Config{Path: path, Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	take(t, s, "dead", true)
	ctx, stop := context.WithCancel(t.Context())
	began, done := make(chan struct{}), make(chan error)
	go func() {
		done <- lease.Run(ctx, s, "clean", "a", ttl, func(ctx context.Context) error {
			close(began)
			<-ctx.Done()
			return ctx.Err()
		})
	}()
	<-began
	take(t, s, "a", false)
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run = %v, want nothing at the end of its context", err)
	}
	broken := errors.New("broken")
	if err := lease.Run(t.Context(), s, "clean", "a", ttl, func(context.Context) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("Run = %v, want the error of the work", err)
	}
}
