package selfwatch

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// onPostgres is a Watch whose looks are called by the test, with a timer that is late.
func onPostgres(t *testing.T) (w *Watch, o *outside, database string) {
	t.Helper()
	database = pgtest.URL(t)
	s := storetest.OpenAt(t, store.Config{Database: database})
	o = &outside{}
	w = New(Config{AlarmURL: "https://hook.example/"}, Deps{
		Store: s, Box: plain{}, Client: &http.Client{Transport: o}, Log: slog.New(slog.DiscardHandler), Node: "n1", Host: "pager1",
	})
	return w, o, database
}

// well looks until nothing is wrong: an outage must have settled.
func well(t *testing.T, w *Watch) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	lasts := func() bool { _, away := w.d.Store.Outage(); return away }
	for w.lookOnce(t.Context()); !w.Healthy() || lasts(); w.lookOnce(t.Context()) {
		select {
		case <-deadline:
			t.Fatal("it is not well again")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// While nothing can be written the node is not healthy, so that the outward
// calls stop; it notices the end by itself, also when nobody writes.
func TestWhatCannotBeWrittenIsAProblem(t *testing.T) {
	w, o, database := onPostgres(t)
	if w.lookOnce(t.Context()); !w.Healthy() {
		t.Fatal("it is not healthy to begin with")
	}
	thaw := pgtest.Freeze(t, database)
	if err := w.d.Store.TryWrite(t.Context()); err == nil {
		t.Fatal("the database is not frozen")
	}
	if err := w.d.Store.TryWrite(t.Context()); err == nil { // the first found dead connections
		t.Fatal("the database is not frozen")
	}
	w.lookOnce(t.Context())
	w.lookOnce(t.Context())
	if w.Healthy() {
		t.Error("a node that cannot write is healthy")
	}
	out, _ := w.d.Store.Outage()
	if _, posts, _ := o.seen(); out.Why != store.ReadOnly || !slices.Equal(posts, []string{"raised Database"}) {
		t.Errorf("Outage() = %+v, told %v", out, posts)
	}
	thaw()
	well(t, w)
	if _, posts, _ := o.seen(); !slices.Contains(posts, "cleared Database") {
		t.Errorf("told %v", posts)
	}
}

// While somebody keeps the database from being written it can be read: waiting
// for them takes none of the time for looking.
func TestWaitingToWriteIsNotBeingAway(t *testing.T) {
	w, _, database := onPostgres(t)
	thaw := pgtest.Freeze(t, database)
	for range 2 { // the first finds dead connections
		if err := w.d.Store.TryWrite(t.Context()); err == nil {
			t.Fatal("the database is not frozen")
		}
	}
	thaw()
	for w.d.Store.Do(t.Context(), func(*store.Tx) error { return nil }) != nil { // connections that died
	}
	writing, free, over := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		over <- w.d.Store.Do(context.WithoutCancel(t.Context()), func(*store.Tx) error {
			close(writing)
			<-free
			return nil
		})
	}()
	select {
	case <-writing:
	case err := <-over:
		t.Fatal(err)
	}
	w.wait = 200 * time.Millisecond
	for _, p := range w.look(t.Context()) {
		if p.Key == databaseKey {
			t.Errorf("look() has %+v", p)
		}
	}
	close(free)
	if err := <-over; err != nil {
		t.Error(err)
	}
}

// What was wrong before is not over because nobody can look; and a lease that
// is lost meanwhile is no news.
func TestWhileTheDatabaseIsAwayNothingElseIsTold(t *testing.T) {
	w, o, database := onPostgres(t)
	s := w.d.Store
	late := func(due time.Time) {
		t.Helper()
		err := s.Do(t.Context(), func(tx *store.Tx) error {
			tx.Save(incident.Decision{Timers: []incident.Timer{{Kind: incident.EscalateTimer, Incident: 1, DueAt: due}}})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	late(time.Now().Add(-time.Hour))
	w.lookOnce(t.Context())
	admit := pgtest.Refuse(t, database)
	lost := Problem{Key: leaseKey, Object: "lease", Text: "lost"}
	w.happened(lost)
	w.lookOnce(t.Context())
	w.lookOnce(t.Context())
	_, posts, _ := o.seen()
	if !slices.Equal(posts, []string{"raised Timers", "raised database"}) {
		t.Errorf("told %v", posts)
	}
	admit()
	deadline := time.After(30 * time.Second)
	for w.lookOnce(t.Context()); !slices.Contains(posts, "cleared database"); w.lookOnce(t.Context()) {
		select {
		case <-deadline:
			t.Fatalf("told %v", posts)
		case <-time.After(50 * time.Millisecond):
		}
		_, posts, _ = o.seen()
	}
	w.happened(lost) // just after
	late(time.Time{})
	well(t, w)
	_, posts, _ = o.seen()
	if slices.ContainsFunc(posts, func(p string) bool { return strings.HasSuffix(p, "lease") }) || posts[len(posts)-1] != "cleared Timers" {
		t.Errorf("told %v", posts)
	}
	w.troubled = time.Now().Add(-2 * troubledFor)
	w.happened(lost)
	w.lookOnce(t.Context())
	if _, posts, _ = o.seen(); posts[len(posts)-1] != "raised lease" {
		t.Errorf("told %v: a lease that was lost for another reason is news", posts)
	}
}
